"""What files held, by the hash of it: from here a file is put back.

One SQLite file in the state directory. A tree of a hundred thousand small files is a few large
writes that way, each whole or not at all; what is read back is held to its hash.
"""

import contextlib
import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

MOST_FILE = 32 * 1024 * 1024
"""Bytes of a file that is kept; a larger one can be found changed, and not put back."""
MOST_TOTAL = 2 * 1024 * 1024 * 1024
"""Bytes of all that is kept, repositories taken together."""
_BATCH = 16 * 1024 * 1024
_SCHEMA = """
CREATE TABLE IF NOT EXISTS blobs (
    digest TEXT PRIMARY KEY, size INTEGER NOT NULL, used_ns INTEGER NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID
"""


class Blobs:
    """A store of file contents; may be used from several threads."""

    def __init__(
        self, file: Path, *, most: int = MOST_TOTAL, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.RLock()
        self._database = open_database(file, _SCHEMA)
        rows = self._database.execute("SELECT digest, size FROM blobs").fetchall()
        self._sizes: dict[str, int] = dict(rows)
        self._total = sum(self._sizes.values())
        self._waiting: dict[str, bytes] = {}
        self._waiting_bytes = 0

    def __contains__(self, digest: str) -> bool:
        """Whether this content can be had again."""
        return digest in self._sizes

    @property
    def total(self) -> int:
        """Bytes of all contents."""
        return self._total

    def put(self, digest: str, data: bytes) -> bool:
        """Keep a content; ``False`` where it is too large or there is no room."""
        with self._lock:
            if digest in self._sizes:
                return True
            if len(data) > MOST_FILE or self._total + len(data) > self._most:
                return False
            self._sizes[digest] = len(data)
            self._total += len(data)
            self._waiting[digest] = data
            self._waiting_bytes += len(data)
            if self._waiting_bytes > _BATCH:
                self.flush()
            return True

    def flush(self) -> None:
        """Write what waits, as one transaction."""
        with self._lock:
            if not self._waiting:
                return
            now = self._clock()
            rows = [(digest, len(data), now, data) for digest, data in self._waiting.items()]
            with self._database:
                self._database.executemany("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, ?)", rows)
            self._waiting.clear()
            self._waiting_bytes = 0

    def get(self, digest: str) -> bytes | None:
        """Return a content, or ``None`` where it is not there or not what it was."""
        with self._lock:
            data = self._waiting.get(digest)
            if data is None:
                row = self._database.execute(
                    "SELECT data FROM blobs WHERE digest = ?", (digest,)
                ).fetchone()
                data = row[0] if row else None
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            return None
        return bytes(data)

    def collect(self, needed: Iterable[str], before_ns: int) -> int:
        """Drop what no baseline needs and nobody has used since; return how many."""
        keep = set(needed)
        with self._lock:
            self.flush()
            old = self._database.execute(
                "SELECT digest, size FROM blobs WHERE used_ns < ?", (before_ns,)
            ).fetchall()
            gone = [(digest, size) for digest, size in old if digest not in keep]
            with self._database:
                self._database.executemany(
                    "DELETE FROM blobs WHERE digest = ?", [(digest,) for digest, _ in gone]
                )
            for digest, size in gone:
                self._sizes.pop(digest, None)
                self._total -= size
        return len(gone)

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        with self._lock:
            self.flush()
            self._database.close()


def open_database(file: Path, schema: str) -> sqlite3.Connection:
    """Open a database of ours; one that is broken is put aside, for it can be made anew."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _connect(file, schema)
    except sqlite3.DatabaseError:
        for name in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
            with contextlib.suppress(FileNotFoundError):
                name.rename(f"{name}.broken-{time.time_ns()}")
        return _connect(file, schema)


def _connect(file: Path, schema: str) -> sqlite3.Connection:
    # Made first, so that it is nobody else's to read even for a moment.
    file.touch(mode=0o600)
    database = sqlite3.connect(file, timeout=10.0, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    # Whole after a crash of the machine, if perhaps without the last transactions.
    database.execute("PRAGMA synchronous = NORMAL")
    database.executescript(schema)
    return database
