import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.agents.settings_write import (
    BACKUP,
    Note,
    Notes,
    backup_of,
    digest,
    keep_backup,
    read,
    remove,
    replace,
)
from pointsman.model.errors import HostError
from pointsman.model.places import Places


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_replaces_and_keeps_the_mode(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")
    file.chmod(0o640)
    replace(file, b"old", b"new")
    assert read(file) == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert names(tmp_path) == ["settings.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_keeps_the_owner(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")
    os.chown(file, 12345, 54321)
    keep_backup(file, b"old")
    replace(file, b"old", b"new")
    for path in (file, backup_of(file)):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_makes_a_new_file_and_its_directory(tmp_path: Path) -> None:
    file = tmp_path / ".claude/settings.json"
    assert read(file) is None
    replace(file, None, b"new")
    assert read(file) == b"new"
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles/claude.json"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link = tmp_path / "settings.json"
    link.symlink_to("dotfiles/claude.json")
    keep_backup(link, b"old")
    replace(link, b"old", b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert names(real.parent) == ["claude.json", "claude.json" + BACKUP]


def test_the_place_of_the_backup_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")
    backup_of(file).symlink_to(victim)
    keep_backup(file, b"old")
    assert victim.read_bytes() == b"precious"
    assert not backup_of(file).is_symlink()
    assert read(backup_of(file)) == b"old"


@pytest.mark.parametrize("seen", [None, b"old"])
def test_somebody_elses_edit_in_between_wins(tmp_path: Path, seen: bytes | None) -> None:
    file = tmp_path / "settings.json"
    if seen is not None:
        file.write_bytes(seen)

    def edit() -> None:
        file.write_bytes(b"x")

    with pytest.raises(HostError, match="changed by somebody else"):
        replace(file, seen, b"new", before_rename=edit)
    assert read(file) == b"x"
    assert names(tmp_path) == ["settings.json"]
    with pytest.raises(HostError, match="changed by somebody else"):
        remove(file, b"old")
    assert read(file) == b"x"


DIES = """
import os, pathlib, signal, sys
from pointsman.agents.settings_write import replace
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
replace(pathlib.Path(sys.argv[1]), b"old", b"new", before_rename=die)
"""


def test_a_death_before_the_rename_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")
    died = subprocess.run([sys.executable, "-c", DIES, str(file)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert read(file) == b"old"
    leftover = [path for path in tmp_path.iterdir() if path != file]
    assert [path.read_bytes() for path in leftover] == [b"new"]
    assert stat.S_IMODE(leftover[0].stat().st_mode) == stat.S_IMODE(file.stat().st_mode)


def test_an_error_before_the_rename_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")

    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(HostError, match=r"No space left.*as it was") as caught:
        replace(file, b"old", b"new", before_rename=full)
    assert str(file) in caught.value.fix
    assert (read(file), names(tmp_path)) == (b"old", ["settings.json"])


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="not a regular file"):
        read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(HostError, match="not a regular file"):
        read(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(HostError, match="cannot be read"):
        read(tmp_path / "file/settings.json")
    with pytest.raises(HostError, match="cannot be written"):
        replace(tmp_path / "file/settings.json", None, b"new")


def test_remove(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(b"old")
    remove(file, b"old")
    assert names(tmp_path) == []


def notes_in(directory: Path) -> Notes:
    return Notes(Places(state=directory / "state", config=directory / "config"))


def test_notes_are_kept_by_the_real_path(tmp_path: Path) -> None:
    file, link = tmp_path / "settings.json", tmp_path / "link.json"
    file.write_bytes(b"")
    link.symlink_to(file)
    notes, note = notes_in(tmp_path), Note(digest(b"a"), digest(b"b"), created=True)
    assert notes.of(file) is None
    with notes.locked():
        notes.put(link, note)
        notes.put(tmp_path / "other", Note("1", "2"))
    assert notes.of(file) == note
    with notes.locked():
        notes.put(file, None)
    assert notes.of(link) is None
    assert notes.of(tmp_path / "other") == Note("1", "2")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


BROKEN = ["", "[]", "{", '{"installs": 1}', '{"installs": {"x": {"y": 1}}}']


@pytest.mark.parametrize("text", BROKEN)
def test_notes_that_cannot_be_read_are_no_notes(tmp_path: Path, text: str) -> None:
    notes = notes_in(tmp_path)
    (tmp_path / "state").mkdir()
    file = tmp_path / "state/installs.json"
    file.write_text(text)
    assert notes.of(tmp_path / "x") is None
    notes.put(tmp_path / "x", Note("1", "2"))
    assert json.loads(file.read_text())["installs"] == {
        str(tmp_path / "x"): {"before": "1", "after": "2", "created": False, "seam": False}
    }


def test_a_state_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(HostError, match="state directory"), notes_in(tmp_path).locked():
        raise AssertionError("not reached")
