"""The file of the ledger: on full and read-only disks, copied, named."""

import errno
import os
import shutil
import sqlite3
import sys
import textwrap
from pathlib import Path

import pytest

from pointsman.model.errors import LedgerCorrupt, LedgerError
from pointsman.store import query
from pointsman.store.ledger import Ledger
from pointsman.store.ledger_file import (
    FileIdentity,
    adopt,
    beside,
    connect,
    copy_to,
    set_aside,
    translated,
)

from .mounts import on_a_disk
from .records import record

TESTS = {"PYTHONPATH": str(Path(__file__).parents[1])}


def python(text: str, *words: object) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text), *map(str, words)]


FULL = """
    import sys
    from pathlib import Path
    from pointsman.model.errors import LedgerError
    from pointsman.store import query
    from pointsman.store.ledger import Ledger
    from store.records import record
    path = Path(sys.argv[1]) / "ledger.db"
    ledger = Ledger.open(path)
    acknowledged = 0
    try:
        while True:
            ledger.append([record(f"c{acknowledged}", payload=b"x" * 9000)])
            acknowledged += 1
    except LedgerError as error:
        print(error.fix)
    names = [row["tool_use_id"] for row in query.query(path, query.Filter())]
    assert names == [f"c{n}" for n in range(acknowledged)], (acknowledged, names)
    ledger.close()
    again = Ledger.open(path)
    names = [row["tool_use_id"] for row in query.query(path, query.Filter())]
    assert names == [f"c{n}" for n in range(acknowledged)], (acknowledged, names)
    print(acknowledged)
"""


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    done = on_a_disk(tmp_path, python(FULL, tmp_path), options="size=2m", env=TESTS)
    assert done.returncode == 0, done.stderr.decode()
    fix, acknowledged = done.stdout.decode().splitlines()
    assert fix == f"free space there (df -h {tmp_path}), then: pointsman up"
    assert int(acknowledged) > 10


READ_ONLY = """
    import sys
    from pathlib import Path
    from pointsman.model.errors import LedgerError
    from pointsman.store import query
    from pointsman.store.ledger import Ledger
    path = Path(sys.argv[1]) / "ledger.db"
    print(*(row["tool_use_id"] for row in query.query(path, query.Filter())))
    try:
        Ledger.open(path)
    except LedgerError as error:
        print(error, error.fix)
"""


def test_a_read_only_disk_can_be_read_and_says_why_not_written(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([record("a"), record("b")])
    ledger.close()
    words = python(READ_ONLY, tmp_path)
    done = on_a_disk(tmp_path, words, options="ro", bind=True, env=TESTS)
    assert done.returncode == 0, done.stderr.decode()
    names, error = done.stdout.decode().splitlines()
    assert names == "a b"
    assert "cannot be written" in error
    assert "writable" in error


def test_a_deleted_file_has_another_identity(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    connection = connect(path)
    first = FileIdentity.of(path)
    assert first.main
    assert first.log, "the log is there as soon as the ledger is open"
    assert FileIdentity.of(path) == first
    Path(f"{path}-wal").unlink()
    assert FileIdentity.of(path) != first
    connection.close()


def test_what_is_set_aside_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for n in range(3):
        path.write_text(str(n))
        Path(f"{path}-wal").write_text(f"log {n}")
        moved = set_aside(path, "corrupt", lambda: 0)
        assert moved.name == f"ledger.db.corrupt-19700101T000000-{n}"
        assert Path(f"{moved}-wal").read_text() == f"log {n}"
    assert [file.read_text() for file in beside(path)] == ["0", "1", "2"]


def test_what_cannot_be_set_aside_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="Not a directory"):
        set_aside(tmp_path / "file" / "ledger.db", "corrupt")


def test_a_copy_has_every_record(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([record("a")])
    copy_to(ledger._connection, tmp_path / "copy.db", ledger.path)
    ledger.append([record("b")])
    names = [row["tool_use_id"] for row in query.query(tmp_path / "copy.db", query.Filter())]
    assert names == ["a"]
    with pytest.raises(LedgerError, match="cannot be written"):
        copy_to(ledger._connection, tmp_path / "gone" / "copy.db", ledger.path)
    ledger.close()


@pytest.mark.parametrize("there", ["ledger.db", "ledger.db-wal", ""])
def test_only_an_empty_place_takes_a_rescued_file(tmp_path: Path, there: str) -> None:
    (tmp_path / "ledger.db.rescued-1-0").write_text("old")
    (tmp_path / "ledger.db.rescued-2-0").write_text("new")
    if there:
        (tmp_path / there).write_text("x")
    taken = adopt(tmp_path / "ledger.db")
    assert (taken is None) == bool(there)
    if taken:
        assert (tmp_path / "ledger.db").read_text() == "new"
        assert [file.name for file in beside(tmp_path / "ledger.db")] == ["ledger.db.rescued-1-0"]


@pytest.mark.parametrize(
    ("error", "kind", "fix"),
    [
        (OSError(errno.ENOSPC, "no space"), LedgerError, "free space"),
        (OSError(errno.EROFS, "read-only"), LedgerError, "writable"),
        (OSError(errno.EACCES, "denied"), LedgerError, "writable"),
        (OSError(errno.EIO, "bad disk"), LedgerError, "pointsman doctor"),
        (sqlite3.OperationalError("odd"), LedgerError, "pointsman doctor"),
    ],
)
def test_each_error_names_the_next_step(
    error: OSError | sqlite3.Error, kind: type[LedgerError], fix: str
) -> None:
    told = translated(error, Path("/x/ledger.db"))
    assert type(told) is kind
    assert fix in told.fix
    assert "/x/ledger.db" in str(told)


def test_a_log_of_a_file_that_was_emptied(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    ledger.append([record("a")])
    shutil.copy(f"{path}-wal", tmp_path / "saved")
    ledger.close()
    os.truncate(path, 0)
    shutil.copy(tmp_path / "saved", f"{path}-wal")
    with pytest.raises(LedgerCorrupt, match="its log is not"):
        connect(path)
