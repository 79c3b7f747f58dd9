"""The ledger's file: opened with care, set aside when damaged, put back when it was taken away."""

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from pointsman.model.errors import LedgerCorrupt, LedgerError
from pointsman.store.migrate import migrate, refuse_newer

CORRUPT, REPLACED, RESCUED = "corrupt", "replaced", "rescued"
"""Why a file stands beside the ledger; the word is part of its name."""

_SUFFIXES = ("", "-wal", "-shm")
# Short: while the writer waits for a lock, the daemon's loop stands still.
_BUSY_MS = 250
_MOST_WAL = 4 * 1024 * 1024
_CORRUPT_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Device and inode of the file and of its log: others at the same name are other files.

    ``size`` in bytes is no part of what it is; a file that shrank was cut by somebody.
    """

    main: tuple[int, int] | None
    log: tuple[int, int] | None
    size: int = field(default=0, compare=False)

    @classmethod
    def of(cls, path: Path) -> "FileIdentity":
        """Return what stands at this name now."""
        main, log = _stat(str(path)), _stat(f"{path}-wal")
        return cls(
            (main.st_dev, main.st_ino) if main else None,
            (log.st_dev, log.st_ino) if log else None,
            main.st_size if main else 0,
        )


def check_cut(path: Path, size: int, known: int) -> None:
    """Look into a file that is smaller than it was: nothing of ours makes it so.

    Raises:
        LedgerCorrupt: what is left is no sound database.
    """
    cut = LedgerCorrupt(
        f"the ledger {path} was cut from {known} to {size} bytes", fix="pointsman up"
    )
    if not size:
        raise cut  # Opened anew, an empty file would cost its log: SQLite deletes it.
    with contextlib.closing(read_only(path)) as reader:
        try:
            (found,) = reader.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            raise cut from error
    if found != "ok":
        raise cut


def connect(path: Path) -> sqlite3.Connection:
    """Open the ledger for writing, at the newest schema; create it where there is none.

    Raises:
        LedgerCorrupt: it is no sound database.
        LedgerError: it cannot be opened for writing, or a newer program wrote it.
    """
    connection: sqlite3.Connection | None = None
    try:
        _refuse_orphaned_log(path)
        # Made here for its mode: SQLite would go by the umask, and gives the log the file's mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        # Before SQLite opens it for writing: a newer program's file stays as it is.
        with contextlib.closing(read_only(path)) as reader:
            refuse_newer(reader)
        # No isolation level: the module would begin transactions of its own.
        connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None)
        # NORMAL: in WAL mode a commit is written, not synced. That outlives the process, which is
        # what we promise; a sync for each batch would cost two orders of magnitude.
        # No automatic checkpoint: the daemon makes them beside the events, none of which pays.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0"):
            connection.execute(f"PRAGMA {pragma}")
        # Without a limit the log's file would keep the size of its longest day.
        connection.execute(f"PRAGMA journal_size_limit={_MOST_WAL}")
        _probe(connection)
        migrate(connection)
        connection.execute("SELECT max(seq) FROM events").fetchone()  # The log's file exists now.
    except (sqlite3.Error, OSError, LedgerError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, LedgerError):
            raise
        raise translated(error, path) from error
    return connection


def read_only(path: Path, within: float = 2.0, *, immutable: bool = False) -> sqlite3.Connection:
    """Open the ledger for reading; ``immutable`` where its disk takes no lock and no log."""
    more = "&immutable=1" if immutable else ""
    # Quoted: a path may hold what a URI takes for its own, a `?` say.
    name = f"file:{quote(os.fsencode(path))}?mode=ro{more}"
    return sqlite3.connect(name, uri=True, timeout=within)


def set_aside(path: Path, why: str, clock: Callable[[], int] = time.time_ns) -> Path:
    """Move a ledger and its log files out of the way, overwriting nothing; return where to.

    Raises:
        LedgerError: it cannot be moved.
    """
    target = _free_name(path, why, clock)
    try:
        # The file before its log: after a crash in between, the next start finds a log without its
        # file, and sets that aside as well.
        for suffix in _SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    except OSError as error:
        raise translated(error, path) from error
    return target


def beside(path: Path) -> list[Path]:
    """Return what was set aside or rescued, the oldest first."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return []
    starts = tuple(f"{path.name}.{why}-" for why in (CORRUPT, REPLACED, RESCUED))
    ends = _SUFFIXES[1:]
    return [path.with_name(n) for n in names if n.startswith(starts) and not n.endswith(ends)]


def put_back(connection: sqlite3.Connection, path: Path, clock: Callable[[], int]) -> Path | None:
    """Write what an open connection holds to the ledger's name again, and close it.

    The connection still sees every record although its files are gone or have other names. What
    stands at the name now is set aside; returns where to.

    Raises:
        LedgerError: it cannot be written; the connection is still good.
    """
    temporary = path.with_name(f"{path.name}.restoring")
    # Whole and beside it first: on a full disk this fails, and nothing has been moved yet.
    copy_to(connection, temporary, path)
    found = FileIdentity.of(path)
    moved = set_aside(path, REPLACED, clock) if found.main or found.log else None
    try:
        temporary.rename(path)
    except OSError as error:
        raise translated(error, path) from error
    # Closing removes the log by its name: this is the moment when nobody else's stands there.
    connection.close()
    return moved


def rescue(connection: sqlite3.Connection, path: Path, clock: Callable[[], int]) -> Path:
    """Write what an open connection holds beside the ledger, which is another daemon's by now.

    Raises:
        LedgerError: it cannot be written.
    """
    temporary = path.with_name(f"{path.name}.rescuing-{os.getpid()}")
    copy_to(connection, temporary, path)
    target = _free_name(path, RESCUED, clock)
    try:
        temporary.rename(target)
    except OSError as error:
        raise translated(error, path) from error
    return target


def adopt(path: Path) -> Path | None:
    """Where there is no ledger but a rescued one, give that its name; return what it was called."""
    found = FileIdentity.of(path)
    rescued = [file for file in beside(path) if file.name.startswith(f"{path.name}.{RESCUED}-")]
    if found.main or found.log or not rescued:
        return None
    try:
        # The newest alone: ledgers are not merged, and `status` lists what stays beside.
        rescued[-1].rename(path)
    except OSError as error:
        raise translated(error, path) from error
    return rescued[-1]


def copy_to(connection: sqlite3.Connection, target: Path, path: Path) -> None:
    """Copy a whole ledger into a new file.

    Raises:
        LedgerError: it cannot be written.
    """
    try:
        target.unlink(missing_ok=True)
        # Anew, and closed to others before the first record is in it.
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with contextlib.closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)
    except (sqlite3.Error, OSError) as error:
        raise translated(error, path) from error


def translated(error: sqlite3.Error | OSError, path: Path) -> LedgerError:
    """Return our own error for one of SQLite or of the system, with the next step."""
    # SQLite's extended codes carry the primary one in their lowest byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _CORRUPT_CODES:
        return LedgerCorrupt(f"the ledger {path} is damaged: {error}", fix="pointsman up")
    if isinstance(error, OSError):
        code = _ERRNO.get(error.errno or 0, 0)
    fix = _FIXES.get(code, "pointsman doctor").format(path=path, folder=path.parent)
    return LedgerError(f"the ledger {path} cannot be written: {error}", fix=fix)


_FIXES = {
    sqlite3.SQLITE_FULL: "free space there (df -h {folder}), then: pointsman up",
    sqlite3.SQLITE_READONLY: "make {folder} writable for you, then: pointsman up",
    sqlite3.SQLITE_BUSY: "end the other program that writes to it, then: pointsman up",
    sqlite3.SQLITE_CANTOPEN: "check that {folder} exists and is yours, then: pointsman up",
    sqlite3.SQLITE_MISUSE: "mv {path} {path}.aside; pointsman up",
}
_ERRNO = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.EACCES: sqlite3.SQLITE_READONLY,
    errno.EPERM: sqlite3.SQLITE_READONLY,
    errno.ENOENT: sqlite3.SQLITE_CANTOPEN,
    errno.ENOTDIR: sqlite3.SQLITE_CANTOPEN,
    errno.EISDIR: sqlite3.SQLITE_MISUSE,
}


def _refuse_orphaned_log(path: Path) -> None:
    """Refuse a log without its file: SQLite would take it for rubbish and delete it."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size and (not path.exists() or not path.stat().st_size):
        raise LedgerCorrupt(f"the ledger {path} is gone, its log is not", fix="pointsman up")


def _probe(connection: sqlite3.Connection) -> None:
    """Read the schema and the ends of each table: finds a damaged file without reading it all."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    for (name,) in tables:
        connection.execute(f"SELECT * FROM {name} ORDER BY 1 DESC LIMIT 3").fetchall()  # noqa: S608
        connection.execute(f"SELECT * FROM {name} ORDER BY 1 LIMIT 3").fetchall()  # noqa: S608


def _free_name(path: Path, why: str, clock: Callable[[], int]) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(clock() / 1e9))
    number = 0
    while True:
        target = path.with_name(f"{path.name}.{why}-{stamp}-{number}")
        # A rename replaces what stands at its target without a word; the log's names count, too.
        if not any(os.path.lexists(f"{target}{suffix}") for suffix in _SUFFIXES):
            return target
        number += 1


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - on the way of every event; a Path costs more
    except OSError:
        return None
