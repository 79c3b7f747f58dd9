"""The last known state of each tree, on disk, so that a restart of the daemon forgets nothing."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pointsman.proof.blobs import open_database
from pointsman.proof.tree import FILE, Entry, Stamp

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trees (
    root TEXT PRIMARY KEY, used_ns INTEGER NOT NULL, lasting TEXT NOT NULL DEFAULT '[]'
);
CREATE TABLE IF NOT EXISTS entries (
    root TEXT NOT NULL, path BLOB NOT NULL, kind TEXT NOT NULL, mode INTEGER NOT NULL,
    content BLOB NOT NULL, mtime INTEGER, ctime INTEGER, ino INTEGER, dev INTEGER, size INTEGER,
    owner INTEGER, clean INTEGER, PRIMARY KEY (root, path)
) WITHOUT ROWID;
"""


class Baselines:
    """Entries by tree; may be used from several threads."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = open_database(file, _SCHEMA)

    def load(self, root: str) -> dict[str, Entry] | None:
        """Return what is known of a tree, or ``None`` where nothing is."""
        with self._lock:
            known = self._database.execute("SELECT 1 FROM trees WHERE root = ?", (root,)).fetchone()
            # A tree without files is known; a tree without a row was never looked at.
            if known is None:
                return None
            rows = self._database.execute(
                "SELECT path, kind, mode, content, mtime, ctime, ino, dev, size, owner, clean "
                "FROM entries WHERE root = ?",
                (root,),
            ).fetchall()
        return {_text(row[0]): _entry(row[1:]) for row in rows}

    def save(self, root: str, changed: Mapping[str, Entry | None]) -> None:
        """Write what has changed of a tree as one transaction; ``None`` is a path that is gone."""
        gone = [(root, _bytes(path)) for path, entry in changed.items() if entry is None]
        rows = [
            (root, _bytes(path), entry.kind, entry.mode, _bytes(entry.content),
             *map(_signed, entry.stamp), entry.owner, entry.clean)
            for path, entry in changed.items()
            if entry is not None
        ]  # fmt: skip
        with self._lock, self._database:
            self._use(root)
            self._database.executemany("DELETE FROM entries WHERE root = ? AND path = ?", gone)
            self._database.executemany(
                "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )

    def lasting(self, root: str) -> list[dict[str, object]]:
        """Return the calls that may have left something running, as they were kept."""
        with self._lock:
            row = self._database.execute(
                "SELECT lasting FROM trees WHERE root = ?", (root,)
            ).fetchone()
        found: list[dict[str, object]] = json.loads(row[0]) if row else []
        return found

    def keep_lasting(self, root: str, calls: list[dict[str, object]]) -> None:
        """Keep the calls that may have left something running."""
        with self._lock, self._database:
            self._use(root)
            self._database.execute(
                "UPDATE trees SET lasting = ? WHERE root = ?", (json.dumps(calls), root)
            )

    def forget(self, before_ns: int) -> list[str]:
        """Drop trees that nobody has used since; return their roots."""
        with self._lock, self._database:
            rows = self._database.execute(
                "SELECT root FROM trees WHERE used_ns < ?", (before_ns,)
            ).fetchall()
            self._database.executemany("DELETE FROM entries WHERE root = ?", rows)
            self._database.executemany("DELETE FROM trees WHERE root = ?", rows)
        return [root for (root,) in rows]

    def contents(self) -> Iterator[str]:
        """Yield the hash of every file of every tree."""
        with self._lock:
            rows = self._database.execute(
                "SELECT DISTINCT content FROM entries WHERE kind = ?", (FILE,)
            ).fetchall()
        yield from (_text(row[0]) for row in rows)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _use(self, root: str) -> None:
        # Not REPLACE: that would drop the row, and the calls that are kept in it.
        self._database.execute(
            "INSERT INTO trees (root, used_ns) VALUES (?, ?) "
            "ON CONFLICT (root) DO UPDATE SET used_ns = excluded.used_ns",
            (root, time.time_ns()),
        )


def _entry(row: tuple[object, ...]) -> Entry:
    kind, mode, content, mtime, ctime, ino, dev, size, owner, clean = row
    stamp = Stamp(*(_unsigned(each) for each in (mtime, ctime, ino, dev, size)))
    return Entry(str(kind), _unsigned(mode), _text(content), stamp, _unsigned(owner), bool(clean))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: object) -> str:
    if not isinstance(data, bytes):
        raise sqlite3.DatabaseError(f"a path is {data!r}")
    return data.decode("utf-8", "surrogateescape")


def _signed(value: int) -> int:
    """Return what SQLite holds: some file systems have inode numbers of 64 bits."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _unsigned(value: object) -> int:
    if not isinstance(value, int):
        raise sqlite3.DatabaseError(f"a number is {value!r}")
    return value
