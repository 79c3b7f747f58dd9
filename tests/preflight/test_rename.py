"""Renaming: everywhere or nowhere, and back to the byte."""

from pathlib import Path

import pytest

from pointsman.model.errors import PreflightError
from pointsman.model.preflight import Target
from pointsman.preflight import rename

from .world import project

FILES: dict[str, str | bytes] = {
    "a.py": 'import os\nK = "API_KEY"\nos.environ["MODEL"]; os.getenv(K); os.getenv(K)\n# MODEL\n',
    "a.ts": "const { MODEL, HOST: h } = process.env; // é MODEL\n",
    ".env": 'MODEL=x\nAPI_KEY="${MODEL}"\n',
    "Dockerfile": "ENV MODEL=a \\\n    HOST=b\nCMD echo $MODEL\n",
    "compose.yaml": "services: {a: {environment: {é: 1, MODEL: '${MODEL}'}}}\n",
    "s.yaml": "containers: [{env: [{name: MODEL}, {name: 'K_SERVICE'}]}]\r\n",
    "m.tf": 'env {\n  name = "MODEL"\n}\n',
    "d.sh": 'MODEL=1 gcloud run deploy --set-env-vars="MODEL=$MODEL,HOST=h"\n',
    "README.md": "Set MODEL and API_KEY.\n",
}


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode)
        for path in root.rglob("*")
        if path.is_file()
    }


def test_there_and_back_to_the_byte(tmp_path: Path) -> None:
    root, journal = tmp_path / "p", tmp_path / "state" / "j.json"
    given = project(root, FILES, Target.CLOUD_RUN)
    (root / "d.sh").chmod(0o755)
    before = contents(root)
    names = rename.wanted(given)
    assert names == {name: f"APP_{name}" for name in ("MODEL", "API_KEY", "HOST", "K_SERVICE")}
    made = rename.plan(given, names)
    assert made.left == {}
    rename.carry_out(root, made, journal)
    after = project(root, {}, Target.CLOUD_RUN)
    assert not {use.name for use in after.uses} & set(names)
    assert {use.name for use in after.uses} >= set(names.values())
    assert b"{ APP_MODEL: MODEL, APP_HOST: h }" in (root / "a.ts").read_bytes()
    assert (root / "d.sh").stat().st_mode & 0o777 == 0o755
    # Comments, and files that nobody reads here, are a person's.
    assert b"# MODEL" in (root / "a.py").read_bytes()
    assert rename.mentions(after, names) == {"MODEL": ["README.md:1"], "API_KEY": ["README.md:1"]}
    assert rename.take_back(root, journal) == {new: old for old, new in names.items()}
    assert contents(root) == before
    with pytest.raises(PreflightError, match="no renaming of"):
        rename.take_back(root, journal)


def test_the_same_back_by_names(tmp_path: Path) -> None:
    given = project(tmp_path / "p", FILES, Target.CLOUD_RUN)
    before = contents(tmp_path / "p")
    names = {"MODEL": "APP_MODEL", "K_SERVICE": "APP_K"}
    rename.carry_out(tmp_path / "p", rename.plan(given, names), tmp_path / "j")
    back = {new: old for old, new in names.items()}
    again = project(tmp_path / "p", {}, Target.KUBERNETES)
    rename.carry_out(tmp_path / "p", rename.plan(again, back, asked=True), tmp_path / "j")
    files = contents(tmp_path / "p")
    # What was taken apart has got a name of its own in the program, which stays.
    assert (
        files.pop("a.ts")[0]
        == b"const { MODEL: MODEL, HOST: h } = process.env; // \xc3\xa9 MODEL\n"
    )
    before.pop("a.ts")
    assert files == before


def test_a_name_that_cannot_be_changed_in_one_place_is_changed_in_none(tmp_path: Path) -> None:
    settings = (
        "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    model: str\n"
    )
    given = project(tmp_path, {"s.py": settings, ".env": "MODEL=1\nAPI_KEY=2\n"})
    made = rename.plan(given, rename.wanted(given))
    assert set(made.names) == {"API_KEY"}
    assert "validation_alias='MODEL'" in made.left["MODEL"]
    assert made.left["MODEL"].startswith("s.py:3")


def test_the_port_to_listen_on_is_not_the_programs_to_name(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.py": 'import os\nos.environ["PORT"]', "s.yaml": "env: [{name: PORT}]"}  # fmt: skip
    given = project(tmp_path, files, Target.CLOUD_RUN)
    made = rename.plan(given, rename.wanted(given))
    assert made.edits == {}
    assert "Remove the setting instead" in made.left["PORT"]
    assert rename.plan(given, {"PORT": "APP_PORT"}, asked=True).left == {}


@pytest.mark.parametrize(
    ("names", "word"),
    [({"MODEL": "API_KEY"}, "API_KEY is used already: .env:2"),
     ({"MODEL": "K_REVISION"}, "K_REVISION is reserved as well"),
     ({"NOTHING": "APP_NOTHING"}, "nothing names it")],
)  # fmt: skip
def test_names_that_cannot_be_given(tmp_path: Path, names: dict[str, str], word: str) -> None:
    given = project(tmp_path, {".env": "MODEL=1\nAPI_KEY=2\n"}, Target.CLOUD_RUN)
    made = rename.plan(given, names)
    assert (made.names, made.edits) == ({}, {})
    assert word in next(iter(made.left.values()))


@pytest.mark.parametrize("names", [{"MODEL": "1A"}, {"MODEL": "a b"}, {"A": "X", "B": "X"}])
def test_pairs_that_are_none(tmp_path: Path, names: dict[str, str]) -> None:
    with pytest.raises(PreflightError):
        rename.plan(project(tmp_path, {}), names)


def test_a_file_that_has_changed_since_is_not_touched_and_neither_is_any_other(
    tmp_path: Path,
) -> None:
    root, journal = tmp_path / "p", tmp_path / "j"
    given = project(root, {".env": "MODEL=1\n", "a.sh": "echo $MODEL\n"})
    made = rename.plan(given, {"MODEL": "APP_MODEL"})
    (root / "a.sh").write_text("echo 1; echo $MODEL\n")
    before = contents(root)
    with pytest.raises(PreflightError, match="is not what was read"):
        rename.carry_out(root, made, journal)
    assert contents(root) == before
    rename.carry_out(root, rename.plan(project(root, {}), {"MODEL": "APP_MODEL"}), journal)
    (root / ".env").write_text("APP_MODEL=2\n")
    before = contents(root)
    with pytest.raises(PreflightError, match=r"\.env has changed") as caught:
        rename.take_back(root, journal)
    assert caught.value.fix == "pointsman preflight --rename APP_MODEL=MODEL"
    assert contents(root) == before
