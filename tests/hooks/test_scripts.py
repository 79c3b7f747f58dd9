from pathlib import Path

import pytest

from pointsman.hooks.scripts import Scripts, read
from pointsman.shell.analyse import analyse


def test_what_a_session_wrote_is_known_to_it_alone(tmp_path: Path) -> None:
    scripts = Scripts()
    place = str(tmp_path / "x.sh")
    scripts.edited("one", {"file_path": "x.sh", "content": "rm -rf ~"}, str(tmp_path))
    assert scripts.of("one", [place]) == {place: "rm -rf ~"}
    assert scripts.of("two", [place]) == {}
    assert scripts.of("one", [str(tmp_path / "y")]) == {}


def test_the_file_as_it_is_now_counts(tmp_path: Path) -> None:
    scripts = Scripts()
    place = tmp_path / "x.sh"
    scripts.edited("one", {"file_path": str(place), "content": "old"}, "/")
    place.write_text("new")
    assert scripts.of("one", [str(place)]) == {str(place): "new"}


def test_what_a_command_writes_is_remembered(tmp_path: Path) -> None:
    scripts = Scripts()
    place = tmp_path / "x.sh"
    place.write_text("ls")
    scripts.ran("one", analyse(f"echo a > {place}; rm b", cwd=str(tmp_path), home="/home/dev"))
    assert scripts.of("one", [str(place), str(tmp_path / "b")]) == {str(place): "ls"}


@pytest.mark.parametrize("text", ["x" * 70_000, None])
def test_what_is_large_or_missing_is_not_read(tmp_path: Path, text: str | None) -> None:
    place = tmp_path / "x"
    if text is not None:
        place.write_text(text)
    assert read(str(place)) is None
    assert read(str(tmp_path)) is None
    assert read("/dev/zero") is None
    assert read("x") is None
