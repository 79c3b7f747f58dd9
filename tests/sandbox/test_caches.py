"""What is writable whatever a contract says."""

from pathlib import Path

import pytest

from pointsman.sandbox.caches import CACHES, MADE, caches, made, temporary


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made_home = tmp_path / "home"
    for name in (
        ".cache",
        ".cargo/registry",
        ".cargo/bin",
        ".local/bin",
        ".ssh",
        "go/pkg",
        "go/bin",
    ):
        (made_home / name).mkdir(parents=True)
    return made_home


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "repo/tests").mkdir(parents=True)
    return tmp_path / "repo"


def test_caches_are_writable_and_what_lies_beside_them_is_not(home: Path, root: Path) -> None:
    found = caches({}, str(root), str(home))
    assert set(found) == {f"{home}/.cache", f"{home}/.cargo/registry", f"{home}/go/pkg"}


@pytest.mark.parametrize("variable", [cache.variable for cache in CACHES if cache.variable])
@pytest.mark.parametrize(
    "named",
    ["{root}", "{root}/tests", "{home}", "{home}/.ssh", "{home}/.local/bin", "/", "tests", ""],
)
def test_a_variable_makes_nothing_else_writable(
    home: Path, root: Path, variable: str, named: str
) -> None:
    value = named.format(root=root, home=home)
    plain = caches({}, str(root), str(home))
    found = caches({variable: value}, str(root), str(home))
    assert set(found) <= set(plain)


def test_a_cache_elsewhere_that_is_one_is_believed(home: Path, root: Path, tmp_path: Path) -> None:
    (tmp_path / "big-cache").mkdir()
    found = caches({"XDG_CACHE_HOME": str(tmp_path / "big-cache")}, str(root), str(home))
    assert str(tmp_path / "big-cache") in found


@pytest.mark.parametrize("named", ["{root}", "{root}/tests", "{home}", "{home}/.ssh", "{above}"])
def test_a_tmpdir_that_is_none_is_not_believed(
    home: Path, root: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.sandbox.caches.TEMPORARY", ())
    value = named.format(root=root, home=home, above=root.parent)
    found, limits = temporary({"TMPDIR": value}, str(root), str(home))
    assert found == []
    assert limits == [f"TMPDIR is {value}, which is no temporary directory"]


def test_a_tmpdir_of_ones_own_is(home: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.sandbox.caches.TEMPORARY", ())
    (home / "tmp").mkdir()
    assert temporary({"TMPDIR": f"{home}/tmp"}, str(root), str(home)) == ([f"{home}/tmp"], [])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, {".pytest_cache"}),
        ({"pyproject.toml": "[tool.black]"}, set()),
        ({"Cargo.toml": ""}, {"target"}),
        ({"pom.xml": ""}, {"target"}),
        ({"build.gradle": ""}, {"build", ".gradle"}),
        ({"package.json": "{}"}, set()),
        ({"README.md": "pytest"}, set()),
    ],
)
def test_caches_of_a_repository_are_made_where_a_tool_asks(
    root: Path, files: dict[str, str], expected: set[str]
) -> None:
    for name, text in files.items():
        (root / name).write_text(text)
    found = {str(Path(path).relative_to(root)) for path in made(str(root))}
    assert found == expected
    assert all((root / name).is_dir() for name in expected)


def test_a_made_cache_is_not_shown_by_git(root: Path) -> None:
    (root / "pytest.ini").write_text("[pytest]")
    assert list(made(str(root))) == [f"{root}/.pytest_cache"]
    assert (root / ".pytest_cache/.gitignore").read_text() == "*\n"


def test_a_link_in_a_caches_place_is_not_followed(root: Path) -> None:
    (root / "Cargo.toml").touch()
    (root / "target").symlink_to("tests")
    assert list(made(str(root))) == []


def test_every_row_has_a_reason() -> None:
    assert all(each.why for each in (*CACHES, *MADE))
    assert not any("__pycache__" in each.name for each in MADE)
