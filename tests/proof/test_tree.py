import os
import socket
from pathlib import Path

import pytest

from pointsman.proof import tree
from pointsman.proof.tree import DIRECTORY, FILE, LINK, OTHER, Entry, scan


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = Path(os.path.realpath(tmp_path)) / "r"
    (made / "a/b").mkdir(parents=True)
    (made / "a/f").write_text("f")
    (made / "a/l").symlink_to("b")
    os.mkfifo(made / "p")
    return made


def settled(root: Path) -> dict[str, Entry]:
    """Scan as if everything had been there for long."""
    for path in (*root.rglob("*"), root):
        if not path.is_symlink():
            os.utime(path, ns=(1, 1))
    found = scan(str(root), {}).entries
    return {path: entry._replace(clean=True) for path, entry in found.items()}


def test_what_there_is(root: Path) -> None:
    found = scan(str(root), {})
    kinds = {path: entry.kind for path, entry in found.entries.items()}
    assert kinds == {"a": DIRECTORY, "a/b": DIRECTORY, "a/f": FILE, "a/l": LINK, "p": OTHER}
    assert found.entries["a/l"].content == "b"
    assert (found.problem, found.blind, found.read) == ("", {}, 1)


def test_only_what_has_another_stamp_is_read(root: Path) -> None:
    known = settled(root)
    again = scan(str(root), known)
    assert again.read == 0
    assert all(again.entries[path] is known[path] for path in known)
    (root / "a/f").write_text("g")
    assert scan(str(root), known).read == 1


def test_time_that_is_set_back_hides_nothing(root: Path) -> None:
    known = settled(root)
    at = (root / "a/f").stat()
    (root / "a/f").write_text("g")
    os.utime(root / "a/f", ns=(at.st_atime_ns, at.st_mtime_ns))
    now = (root / "a/f").stat()
    assert (now.st_mtime_ns, now.st_size) == (at.st_mtime_ns, at.st_size)
    assert scan(str(root), known).entries["a/f"].content != known["a/f"].content


def test_what_was_changed_just_now_is_read_again(root: Path) -> None:
    (root / "a/f").write_text("g")
    first = scan(str(root), {})
    assert not first.entries["a/f"].clean
    assert scan(str(root), first.entries).read == 1


@pytest.mark.parametrize(
    ("path", "covered"),
    [
        (".git/config", True),
        (".git/hooks/pre-commit", True),
        (".git/info/exclude", True),
        (".git/modules/a/b/hooks/x", True),
        (".git/modules/a/b/config", True),
        (".git/modules/a/b/objects/x", False),
        (".git/modules/a/b/HEAD", False),
        (".git/objects/ab/cd", False),
        (".git/index", False),
        (".git/HEAD", False),
        ("inner/.git/HEAD", True),
        (".github/x", True),
        ("node_modules/x/y", True),
    ],
)
def test_of_gits_store_what_runs_or_hides(root: Path, path: str, covered: bool) -> None:
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text("x")
    assert (path in scan(str(root), {}).entries) is covered


def test_no_link_is_followed_and_what_is_left_out(root: Path) -> None:
    (root / "outside").mkdir()
    (root / "outside/x").write_text("x")
    (root / "inner").mkdir()
    (root / "inner/out").symlink_to(root / "outside")
    found = scan(str(root), {}, skip=frozenset({f"{root}/outside"}))
    assert "outside/x" not in found.entries
    assert "inner/out/x" not in found.entries


def test_a_directory_that_was_replaced_is_not_entered(root: Path) -> None:
    walk = tree._Walk(str(root), {}, None, frozenset())
    walk.directory("a", (1, 1))
    assert walk.found.entries == {}
    assert "a" in walk.found.blind


def test_special_files_are_never_opened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("s")
        found = scan(str(root), {}).entries
    assert found["s"].content == "socket"
    assert found["p"].content == "fifo"


def test_what_is_kept_is_what_was_hashed(root: Path) -> None:
    kept: dict[str, tuple[str, bytes]] = {}
    found = scan(str(root), {}, lambda path, digest, data: kept.update({path: (digest, data)}))
    assert kept == {"a/f": (found.entries["a/f"].content, b"f")}


def test_large_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "a/f").write_bytes(b"x" * 10_000)
    whole = scan(str(root), {}).entries["a/f"].content
    monkeypatch.setattr(tree, "_WHOLE", 100)
    assert scan(str(root), {}).entries["a/f"].content == whole
    monkeypatch.setattr(tree, "MOST_HASHED", 1000)
    assert scan(str(root), {}).entries["a/f"].content.startswith("stamp ")


def test_too_many_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_FILES", 3)
    assert "holds more than 3 files" in scan(str(root), {}).problem
    assert "cannot be read" in scan(str(root / "none"), {}).problem


def test_it_can_be_told_to_end(root: Path) -> None:
    with pytest.raises(tree.Stopped):
        scan(str(root), {}, stopped=lambda: True)


def test_names_that_are_no_text(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\n")).write_text("x")
    assert "\udcff\n" in scan(str(root), {}).entries
