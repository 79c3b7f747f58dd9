"""The index as a file: what is known of contents, by their hash, and of trees, by their paths.

What a file says hangs on its bytes alone and is kept once for all worktrees. Where its modules
lie, and so who uses what, is a tree's own. One process writes (``build.py``), others read.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from pointsman.code.facts import Declared, Export, Facts, Import
from pointsman.model.errors import PointsmanError

VERSION = 2
"""Of the schema and of the readers: another version is built anew."""
_BUSY = 5.0
_MAPPED = 256 * 1024 * 1024
_SCHEMA = """
CREATE TABLE content (hash TEXT PRIMARY KEY, language TEXT NOT NULL, imports TEXT NOT NULL,
    names TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE export (hash TEXT NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL,
    line INTEGER NOT NULL, local TEXT NOT NULL, module TEXT NOT NULL, original TEXT NOT NULL,
    column INTEGER NOT NULL, hidden INTEGER NOT NULL, PRIMARY KEY (hash, n)) STRICT, WITHOUT ROWID;
CREATE INDEX export_by_name ON export (hash, name);
CREATE TABLE declaration (hash TEXT NOT NULL, n INTEGER NOT NULL, name TEXT NOT NULL,
    kind TEXT NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL, column INTEGER NOT NULL,
    members TEXT NOT NULL, PRIMARY KEY (hash, n)) STRICT, WITHOUT ROWID;
CREATE INDEX declaration_by_name ON declaration (hash, name);
CREATE TABLE tree (id INTEGER PRIMARY KEY, root TEXT NOT NULL UNIQUE, scanned_ns INTEGER NOT NULL,
    settings TEXT NOT NULL) STRICT;
CREATE TABLE file (tree INTEGER NOT NULL, path TEXT NOT NULL, hash TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    PRIMARY KEY (tree, path)) STRICT, WITHOUT ROWID;
CREATE TABLE link (tree INTEGER NOT NULL, user TEXT NOT NULL, module TEXT NOT NULL, target TEXT,
    PRIMARY KEY (tree, user, module)) STRICT, WITHOUT ROWID;
CREATE TABLE asked (tree INTEGER NOT NULL, stem TEXT NOT NULL, user TEXT NOT NULL,
    PRIMARY KEY (tree, stem, user)) STRICT, WITHOUT ROWID;
CREATE INDEX asked_by_user ON asked (tree, user);
CREATE TABLE edge (tree INTEGER NOT NULL, target TEXT NOT NULL, name TEXT NOT NULL,
    user TEXT NOT NULL, line INTEGER NOT NULL, given TEXT NOT NULL, counts INTEGER NOT NULL,
    PRIMARY KEY (tree, target, name, user, line, given, counts)) STRICT, WITHOUT ROWID;
CREATE INDEX edge_by_user ON edge (tree, user);
"""


class IndexProblem(PointsmanError):
    """The index cannot be used; it can be built anew at any time."""


def index_path(state: Path, repository: str) -> Path:
    """Return the index of a repository; its worktrees share it."""
    name = sha256(os.fsencode(repository)).hexdigest()[:24]
    return state / "code" / f"{name}.db"


def content_hash(data: bytes, suffix: str) -> str:
    """Return the name under which a content is kept; another suffix is another grammar."""
    return sha256(suffix.encode() + b"\0" + data).hexdigest()[:32]


def open_to_read(path: Path) -> sqlite3.Connection | None:
    """Return a connection that reads, or ``None`` where there is no index of this version."""
    if not path.exists():
        return None
    connection = sqlite3.connect(
        f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=0.05, check_same_thread=False,
        isolation_level=None,
    )  # fmt: skip
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError:
        version = -1
    if version == VERSION:
        connection.execute(f"PRAGMA mmap_size={_MAPPED}")
        return connection
    connection.close()
    return None


def open_to_write(path: Path) -> sqlite3.Connection:
    """Return a connection that writes; an index of another version is removed first.

    Raises:
        IndexProblem: it can be neither opened nor made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = _connected(path)
        if connection is None:
            for each in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                each.unlink(missing_ok=True)
            connection = _connected(path)
    except (OSError, sqlite3.Error) as error:
        raise IndexProblem(
            f"the index {path} cannot be written: {error}", fix="pointsman doctor"
        ) from error
    if connection is None:
        raise IndexProblem(f"the index {path} cannot be made", fix="pointsman doctor")
    return connection


def _connected(path: Path) -> sqlite3.Connection | None:
    connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            connection.execute("PRAGMA synchronous=OFF")
            return connection
        fresh = not connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        if fresh:
            connection.execute("PRAGMA journal_mode=WAL")
            # It is derived from what lies on the disk: what a power cut takes is read again.
            connection.execute("PRAGMA synchronous=OFF")
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version={VERSION}")
            path.chmod(0o600)
            return connection
    except sqlite3.DatabaseError:
        pass
    connection.close()
    return None


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do what is inside wholly or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def keep(connection: sqlite3.Connection, name: str, facts: Facts) -> None:
    """Keep what a content says."""
    connection.execute(
        "INSERT OR REPLACE INTO content VALUES (?, ?, ?, ?)",
        (name, facts.language, _imports_text(facts.imports), _spaced(facts.names)),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO export VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                name,
                n,
                one.name,
                one.line,
                one.local,
                one.module,
                one.original,
                one.column,
                one.hidden,
            )
            for n, one in enumerate(facts.exports)
        ],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO declaration VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (name, n, one.name, one.kind, one.line, one.text, one.column, json.dumps(one.members))
            for n, one in enumerate(facts.declarations)
        ],
    )


def _spaced(names: Iterable[str]) -> str:
    text = " ".join(sorted(names))
    return f" {text} " if text else ""


def _imports_text(imports: Iterable[Import]) -> str:
    rows = [
        [one.module, one.name, one.local, one.line, one.column, one.used, one.top]
        for one in imports
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def imports_of(text: str) -> tuple[Import, ...]:
    """Return the imports that were kept as text."""
    return tuple(
        Import(module, name, local, line, column, tuple((one, at) for one, at in used), top)
        for module, name, local, line, column, used, top in json.loads(text)
    )


EXPORT = "name, line, local, module, original, column, hidden"
DECLARATION = "name, kind, line, text, column, members"


def export_of(row: tuple[str, int, str, str, str, int, int]) -> Export:
    """Return an export from its columns."""
    name, line, local, module, original, column, hidden = row
    return Export(name, line, local, module, original, column, bool(hidden))


def declared_of(row: tuple[str, str, int, str, int, str]) -> Declared:
    """Return a declaration from its columns."""
    name, kind, line, text, column, members = row
    return Declared(name, kind, line, text, column, tuple(json.loads(members)))
