import os
import stat
from pathlib import Path

import pytest

from pointsman.proof import restore
from pointsman.proof.aside import Aside
from pointsman.proof.changes import Change, differences
from pointsman.proof.restore import Done
from pointsman.proof.tree import scan


class Tree:
    """A tree whose contents are recorded, and that can be put back."""

    def __init__(self, base: Path) -> None:
        self.root = Path(os.path.realpath(base)) / "r"
        self.state = base / "aside"
        (self.root / "d/e").mkdir(parents=True)
        (self.root / "f").write_text("one")
        (self.root / "d/g").write_text("two")
        self.blobs: dict[str, bytes] = {}
        self.before = scan(str(self.root), {}, lambda _, digest, data: self._keep(digest, data))

    def _keep(self, digest: str, data: bytes) -> None:
        self.blobs[digest] = data

    def changes(self) -> list[Change]:
        return differences(self.before.entries, scan(str(self.root), self.before.entries))

    def back(self, changes: list[Change] | None = None) -> dict[str, Done]:
        given = self.changes() if changes is None else changes
        return restore.restore(str(self.root), given, self.blobs.get, Aside(self.state))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def problems(done: dict[str, Done]) -> dict[str, str]:
    return {path: each.problem for path, each in done.items() if each.problem}


def test_time_and_mode_come_back_with_the_content(tree: Tree) -> None:
    os.utime(tree.root / "f", ns=(10**18, 10**18))
    tree.before = scan(str(tree.root), {})
    (tree.root / "f").write_text("evil")
    (tree.root / "f").chmod(0o777)
    done = tree.back()
    at = (tree.root / "f").stat()
    assert (at.st_mtime_ns, stat.S_IMODE(at.st_mode)) == (10**18, 0o644)
    assert Path(done["f"].kept).read_text() == "evil"
    assert tree.changes() == []


def test_no_link_is_followed_on_the_way(tree: Tree, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "g").write_text("somebody's")
    (tree.root / "d/g").write_text("evil")
    changes = tree.changes()
    (tree.root / "d").rename(tree.root / "d2")
    (tree.root / "d").symlink_to(other)
    assert "d/g" in problems(tree.back(changes))
    assert (other / "g").read_text() == "somebody's"


@pytest.mark.parametrize("text", ["a person's, longer", "per"])
def test_what_was_written_since_is_left(tree: Tree, text: str) -> None:
    (tree.root / "f").write_text("evl")
    changes = tree.changes()
    (tree.root / "f").write_text(text)
    assert "since it was compared" in problems(tree.back(changes))["f"]
    assert (tree.root / "f").read_text() == text
    assert {each.name for each in tree.root.iterdir()} == {"d", "f"}


def test_what_was_made_since_is_left(tree: Tree) -> None:
    (tree.root / "f").unlink()
    changes = tree.changes()
    (tree.root / "f").write_text("a person's")
    assert "since it was compared" in problems(tree.back(changes))["f"]
    assert (tree.root / "f").read_text() == "a person's"


def test_a_created_file_that_was_written_since_is_left(tree: Tree) -> None:
    (tree.root / "new").write_text("evil")
    changes = tree.changes()
    (tree.root / "new").write_text("a person's")
    assert "since it was compared" in problems(tree.back(changes))["new"]
    assert (tree.root / "new").read_text() == "a person's"


def test_a_mode_that_was_set_since_is_left(tree: Tree) -> None:
    (tree.root / "f").chmod(0o777)
    changes = tree.changes()
    (tree.root / "f").chmod(0o640)
    assert "f" in problems(tree.back(changes))
    assert stat.S_IMODE((tree.root / "f").stat().st_mode) == 0o640


def test_what_was_not_recorded_cannot_come_back(tree: Tree) -> None:
    tree.blobs.clear()
    (tree.root / "f").write_text("evil")
    assert "not recorded" in problems(tree.back())["f"]
    assert (tree.root / "f").read_text() == "evil"


def test_more_than_is_kept_stays(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.proof.aside.MOST_KEPT", 2)
    (tree.root / "f").write_text("evil")
    assert "of which 2 are kept" in problems(tree.back())["f"]
    assert (tree.root / "f").read_text() == "evil"


def test_a_directory_in_which_something_may_stay(tree: Tree) -> None:
    (tree.root / "n").mkdir()
    changes = tree.changes()
    (tree.root / "n/mine").write_text("x")
    assert "may stay" in problems(tree.back(changes))["n"]
    assert (tree.root / "n/mine").exists()


def test_a_file_system_that_cannot_exchange(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(at: int, one: str, other: str) -> None:
        del at
        raise OSError(22, "Invalid argument", one, None, other)

    monkeypatch.setattr(restore, "exchange", refused)
    (tree.root / "f").write_text("evil")
    assert problems(tree.back()) == {}
    assert (tree.root / "f").read_text() == "one"
    assert tree.changes() == []


def test_directories_that_forbid_writing(tree: Tree) -> None:
    (tree.root / "d").chmod(0o555)
    tree.before = scan(str(tree.root), tree.before.entries)
    (tree.root / "d").chmod(0o755)
    (tree.root / "d/g").unlink()
    (tree.root / "d/e").rmdir()
    (tree.root / "d").chmod(0o500)
    assert problems(tree.back()) == {}
    assert tree.changes() == []
    assert (tree.root / "d/g").read_text() == "two"
    (tree.root / "d").chmod(0o755)
