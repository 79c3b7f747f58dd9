"""What a walk has seen, and whether it still holds."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.model.contract import Contract
from pointsman.sandbox.reach import Walks
from pointsman.sandbox.seen import Seen

OLD = 1_600_000_000


def tree(folder: Path) -> None:
    (folder / "src/deep").mkdir(parents=True)
    (folder / "src/a.py").touch()
    (folder / "src/link").symlink_to("a.py")


def looked(folder: Path) -> Seen:
    seen = Seen(100)
    seen.listed(str(folder / "src"))
    seen.kind(str(folder / "docs"))
    seen.kind(str(folder / "src/deep"))
    return seen


def test_names_and_their_kinds(tmp_path: Path) -> None:
    tree(tmp_path)
    seen = looked(tmp_path)
    assert seen.listed(str(tmp_path / "src")) == [
        ("a.py", "file"), ("deep", "directory"), ("link", "link"),
    ]  # fmt: skip
    assert seen.kind(str(tmp_path / "src/link")) == "link"
    assert seen.kind(str(tmp_path / "none")) == ""
    assert seen.kind("/a\0b") == ""
    assert seen.listed(str(tmp_path / "none")) == []


def test_no_more_than_so_many_entries(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / str(number)).touch()
    seen = Seen(3)
    assert len(seen.listed(str(tmp_path))) == 3
    assert seen.listed(str(tmp_path)) == []


def a_directory_becomes_a_link(folder: Path) -> None:
    (folder / "src/deep").rmdir()
    (folder / "src/deep").symlink_to("/tmp")


def the_whole_directory_is_another(folder: Path) -> None:
    (folder / "src").rename(folder / "old")
    (folder / "src").mkdir()


def a_file_comes_and_the_time_is_put_back(folder: Path) -> None:
    (folder / "src/b.py").touch()
    os.utime(folder / "src", (OLD, OLD))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file comes": lambda folder: (folder / "src/b.py").touch(),
    "a file goes": lambda folder: (folder / "src/a.py").unlink(),
    "a directory comes where none was": lambda folder: (folder / "docs").mkdir(),
    "a directory becomes a link": a_directory_becomes_a_link,
    "the whole directory is another": the_whole_directory_is_another,
    "it is gone": lambda folder: (folder / "src").rename(folder / "old"),
    "a file comes and the time is put back": a_file_comes_and_the_time_is_put_back,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_shows(tmp_path: Path, change: str) -> None:
    tree(tmp_path)
    os.utime(tmp_path / "src", (OLD, OLD))
    seen = looked(tmp_path)
    assert seen.holds()
    CHANGES[change](tmp_path)
    assert not seen.holds()


def test_what_a_file_says_is_nothing_that_counts(tmp_path: Path) -> None:
    tree(tmp_path)
    seen = looked(tmp_path)
    (tmp_path / "src/a.py").write_text("more")
    assert seen.holds()


def test_what_has_just_changed_may_change_unseen(tmp_path: Path) -> None:
    tree(tmp_path)
    assert not looked(tmp_path).is_settled
    only_names = Seen(1)
    only_names.kind(str(tmp_path / "src"))
    assert only_names.is_settled


def contract(root: Path, *forbidden: str) -> Contract:
    return Contract(
        agent="w", source="w.md", root=str(root), allowed=("src/**",), forbidden=forbidden
    )


def test_a_walk_holds_until_something_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path)
    # As if it had been made long ago.
    monkeypatch.setattr(Seen, "is_settled", True)
    walks, held = Walks(), (contract(tmp_path, "**/*.lock"),)
    first = walks.of(str(tmp_path), held)
    assert walks.of(str(tmp_path), held) is first
    assert walks.of(str(tmp_path), (contract(tmp_path, "**/*.lock"),)) is first
    assert walks.of(str(tmp_path), (contract(tmp_path),)) is not first
    (tmp_path / "src/deep/x.lock").touch()
    again = walks.of(str(tmp_path), held)
    assert first.protected == []
    assert again.protected == [f"{tmp_path}/src/deep/x.lock"]


def test_what_is_not_settled_is_walked_each_time(tmp_path: Path) -> None:
    tree(tmp_path)
    walks, held = Walks(), (contract(tmp_path, "**/*.lock"),)
    first = walks.of(str(tmp_path), held)
    assert walks.of(str(tmp_path), held) is not first
