"""From contracts to what is writable, protected and hidden."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.model.confinement import Confinement
from pointsman.model.contract import ALLOW_ALL, Contract
from pointsman.sandbox import reach
from pointsman.sandbox.order import in_order, within
from pointsman.sandbox.reach import confinement_of


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("pointsman.sandbox.caches.TEMPORARY", ())
    made = tmp_path / "repo"
    for name in (
        "src/a.ts", "src/b.py", "src/deep/c.ts", "src/deep/d.py", "src/gen/e.ts", "tests/t.py",
        "package.json", "packages/one/src/f.ts", "packages/one/g.ts", "docs/h.md",
    ):  # fmt: skip
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    return made


def held(root: Path, *allowed: str, forbidden: tuple[str, ...] = (), **more: object) -> Confinement:
    contract = Contract(
        agent="a", source="a.md", root=str(root), allowed=allowed, forbidden=forbidden,
        **more,  # type: ignore[arg-type]
    )  # fmt: skip
    home = str(root.parent / "home")
    return confinement_of([contract], str(root), str(root), {"HOME": home})


def inside(paths: tuple[str, ...], root: Path) -> set[str]:
    return {os.path.relpath(path, root) for path in paths if within(path, str(root))}


ROWS: tuple[tuple[tuple[str, ...], tuple[str, ...], set[str], set[str]], ...] = (
    (("src/**",), (), {"src"}, set()),
    (("./src//**",), (), {"src"}, set()),
    (("{src,docs}/**",), (), {"src", "docs"}, set()),
    (("**",), (), {"."}, set()),
    (("src/**", "docs/**"), (), {"src", "docs"}, set()),
    (("package.json",), (), {"package.json"}, set()),
    (("src/*.ts",), (), {"src"}, {"src/b.py", "src/deep", "src/gen"}),
    (("src/**/*.ts",), (), {"src", "src/deep"}, {"src/b.py", "src/deep/d.py"}),
    (("packages/*/src/**",), (), {"packages/one/src"}, set()),
    (("src/**",), ("src/gen/**",), {"src"}, {"src/gen"}),
    (("src/**",), ("src/gen/e.ts",), {"src", "src/gen"}, {"src/gen/e.ts"}),
    (("src/**",), ("**/*.py",), {"src", "src/deep"}, {"src/b.py", "src/deep/d.py"}),
    (("src/**",), ("src/**",), set(), set()),
    (("src/**",), ("**",), set(), set()),
    (("docs/new.md",), (), {"docs"}, {"docs/h.md"}),
    (("new/dir/**",), (), {"."}, {"docs", "packages", "package.json", "src", "tests"}),
    (("src/new/**",), (), {"src"}, {"src/a.ts", "src/b.py", "src/deep", "src/gen"}),
    (("package*",), (), {"."}, {"docs", "src", "tests", "packages"}),
    (("src/[ab].*",), (), {"src"}, {"src/deep", "src/gen"}),
    ((), (), set(), set()),
    (("../other/**",), (), set(), {"."}),
)  # fmt: skip


@pytest.mark.parametrize(("allowed", "forbidden", "writable", "protected"), ROWS)
def test_globs_become_directories(
    root: Path,
    allowed: tuple[str, ...],
    forbidden: tuple[str, ...],
    writable: set[str],
    protected: set[str],
) -> None:
    found = held(root, *allowed, forbidden=forbidden)
    assert inside(found.writable, root) == writable
    assert inside(found.protected, root) == protected


def test_what_can_be_made_and_may_not_be_is_said(root: Path) -> None:
    assert any("new names can be made in" in each for each in held(root, "src/*.ts").limits)
    assert held(root, "src/**").limits == ()


def test_all_contracts_must_allow(root: Path) -> None:
    both = [
        Contract(agent="a", source="a.md", root=str(root), allowed=("src/**", "docs/**")),
        Contract(agent="a", source="b.md", root=str(root), allowed=("src/**", "tests/**")),
    ]
    found = confinement_of(both, str(root), str(root), {"HOME": "/nowhere"})
    assert inside(found.writable, root) == {"src"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"read_only": True}, "declared read-only"),
        ({"problems": ("no YAML",)}, "cannot be read"),
    ],
)
def test_a_contract_that_allows_nothing(root: Path, more: dict[str, object], said: str) -> None:
    (root / ".git").mkdir()
    found = held(root, "**", **more)  # type: ignore[arg-type]
    assert inside(found.writable, root) == set()
    assert any(said in limit for limit in found.limits)


def test_no_contract_is_no_leave(root: Path) -> None:
    found = confinement_of([], str(root), str(root), {"HOME": "/nowhere"})
    assert found.writable == ()
    assert found.limits == ("there is no contract: nothing but temporary files",)


def test_a_contract_that_only_forbids_leaves_the_rest_of_the_machine(root: Path) -> None:
    contract = Contract(
        agent="a", source="a.md", root=str(root), allowed=ALLOW_ALL, forbidden=("tests/**",)
    )
    state = root.parent / "state"
    state.mkdir()
    found = confinement_of(
        [contract], str(root), str(root), {"HOME": "/nowhere"}, kept=(str(state),)
    )
    assert "/" in found.writable
    assert set(found.protected) == {str(root / "tests"), str(state)}
    # Neither can be moved away with the directory that it is in.
    assert {str(root), str(root.parent), "/tmp"} & set(found.writable) >= {str(root)}


def test_a_repository_below_the_temporary_directory_is_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = root.parent.parent
    monkeypatch.setattr("pointsman.sandbox.caches.TEMPORARY", (str(wide),))
    found = held(root, "src/**")
    assert str(root) in found.protected
    assert str(root.parent) in found.writable  # It cannot be renamed.
    order = list(in_order(found))
    assert order.index((str(root), False)) < order.index((str(root / "src"), True))


def test_a_link_in_a_directorys_place_is_not_followed(root: Path) -> None:
    (root / "lib").mkdir()
    (root / "linked").symlink_to("lib")
    found = held(root, "linked/**")
    assert inside(found.writable, root) == set()


def test_many_things_to_protect_have_an_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "MOST_PROTECTED", 10)
    for number in range(20):
        (root / f"src/x{number}.py").touch()
    found = held(root, "src/*.ts")
    assert len(found.protected) == 10
    assert any("more than 10 files" in limit for limit in found.limits)


def test_sockets_are_hidden_and_what_is_kept_is_protected(root: Path) -> None:
    path = root.parent / "daemon.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        contract = Contract(agent="a", source="a", root=str(root), allowed=("**",))
        (root / ".claude").mkdir()
        (root / ".claude/settings.json").touch()
        found = confinement_of(
            [contract], str(root), str(root), {"HOME": "/nowhere"},
            kept=(str(path), str(root / ".claude/settings.json"), "/no/such"),
        )  # fmt: skip
    assert str(path) in found.hidden
    assert found.protected == (str(root / ".claude/settings.json"),)
    assert str(root / ".claude") in found.writable


_NAMES = st.sampled_from(["a", "b", "c.ts", "d.py"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)
_PARTS = st.sampled_from(["a", "b", "*", "**", "*.ts", "d.py", "[ab]", "{a,b}"])
_GLOBS = st.lists(_PARTS, min_size=1, max_size=3).map("/".join)


@settings(max_examples=200, deadline=None)
@given(
    files=st.lists(_PATHS, max_size=6), allowed=st.lists(_GLOBS, max_size=3),
    forbidden=st.lists(_GLOBS, max_size=2),
)  # fmt: skip
def test_what_is_there_is_held_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[str],
    allowed: list[str],
    forbidden: list[str],
) -> None:
    """An existing file can be written if, and only if, the globs allow it."""
    from pointsman.paths.globs import Globs, forbidding

    root = tmp_path_factory.mktemp("held")
    for file in files:
        try:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).touch()
        except OSError:
            continue
    contract = Contract(
        agent="a", source="a", root=str(root), allowed=tuple(allowed), forbidden=tuple(forbidden)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointsman.sandbox.caches.TEMPORARY", ())
        found = confinement_of([contract], str(root), str(root), {"HOME": "/nowhere"})
    yes, no = Globs(allowed), Globs(forbidding(forbidden))
    modes = dict(in_order(found))
    for path in root.rglob("*"):
        if path.is_file():
            relative = str(path.relative_to(root))
            holders = [each for each in modes if within(str(path), each)]
            writable = bool(holders) and modes[max(holders, key=len)]
            assert writable == bool(yes.match(relative) and not no.match(relative)), relative


def test_nothing_on_the_way_to_what_is_protected_is_opened(root: Path) -> None:
    """The repository lies in a directory of temporary files, and is protected as a whole."""
    (root / ".claude/agents").mkdir(parents=True)
    (root / "src").mkdir(exist_ok=True)
    contract = Contract(agent="a", source="a", root=str(root), allowed=("src/**",))
    found = confinement_of(
        [contract], str(root), str(root), {"HOME": "/nowhere"}, kept=(str(root / ".claude/agents"),)
    )
    assert str(root / "src") in found.writable
    assert str(root / ".claude") not in found.writable
