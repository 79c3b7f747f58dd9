"""Brings the index of a tree up to date: reads what has changed, links what that touches.

What is written of a file hangs on its bytes (facts), on which files there are (links), and on
those two alone (edges): so a file that changes is linked anew by itself, and a file that comes or
goes has those linked anew that have asked for one of its name.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from pointsman.code.facts import ALL, WHOLE, Export, Facts, Import
from pointsman.code.ground import Files, Ground, Listed, inside, parent, stem_of_path
from pointsman.code.index_file import (
    EXPORT,
    content_hash,
    export_of,
    imports_of,
    keep,
    open_to_write,
    transaction,
)
from pointsman.code.languages import MOST_BYTES, language_of, read, suffix_of
from pointsman.code.listing import Stamp, is_wanted, listed, stamp_of
from pointsman.code.resolve import Resolver, Resolvers, is_setting
from pointsman.paths.content import read_regular

_STEP = 100
"""Files between two commits of the first build: readers see what there is so far."""
_OF_A_FILE = (("file", "path"), ("link", "user"), ("asked", "user"), ("edge", "user"))


@dataclass(frozen=True, slots=True)
class Built:
    """What was done: files looked at, read, linked, seconds it took, and their languages."""

    files: int
    read: int
    linked: int
    seconds: float
    languages: tuple[str, ...] = ()


class Builder:
    """Writes the index of one tree."""

    def __init__(self, path: Path, root: str) -> None:
        self._connection = open_to_write(path)
        self._root = root
        row = self._connection.execute("SELECT id FROM tree WHERE root = ?", (root,)).fetchone()
        if row is None:
            self._connection.execute("INSERT INTO tree VALUES (NULL, ?, 0, '')", (root,))
            row = self._connection.execute("SELECT id FROM tree WHERE root = ?", (root,)).fetchone()
        self._tree: int = row[0]
        self._kept = _Kept(self._one, self._tree)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def refresh(self) -> Built:
        """Look at the whole tree; read and link what is not as it was."""
        started = time.monotonic()
        found = listed(self._root)
        known = self._known()
        scanned = self._one("SELECT scanned_ns FROM tree WHERE id = ?", self._tree)
        # A first build that was broken off has files that are read and not linked.
        first = scanned is None or not scanned[0]
        gone = [path for path in known if path not in found]
        changed = {path: stamp for path, stamp in found.items() if known.get(path) != stamp}
        if first:
            linked = self._first(found, changed, gone)
        else:
            linked = self._apply(changed, gone, Listed(found)) if changed or gone else 0
        self._connection.execute(
            "UPDATE tree SET scanned_ns = ? WHERE id = ?", (time.time_ns(), self._tree)
        )
        self._sweep()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        spent = time.monotonic() - started
        return Built(len(found), len(changed), linked, spent, _languages(found))

    def update(self, paths: Iterable[str]) -> Built:
        """Look at these files alone: what that takes does not grow with the tree."""
        started = time.monotonic()
        changed: dict[str, Stamp] = {}
        gone, looked_at = [], 0
        for path in dict.fromkeys(paths):
            if not inside(path) or not is_wanted(path):
                continue
            looked_at += 1
            stamp, known = stamp_of(self._root, path), self._stamp(path)
            if stamp is None and known is not None:
                gone.append(path)
            elif stamp is not None and stamp != known:
                changed[path] = stamp
        linked = self._apply(changed, gone, self._kept) if changed or gone else 0
        spent = time.monotonic() - started
        return Built(looked_at, len(changed), linked, spent, _languages(changed))

    def _known(self) -> dict[str, Stamp]:
        rows = self._connection.execute(
            "SELECT path, size, mtime_ns, ctime_ns FROM file WHERE tree = ?", (self._tree,)
        )
        return {path: Stamp(size, mtime, ctime) for path, size, mtime, ctime in rows}

    def _stamp(self, path: str) -> Stamp | None:
        sql = "SELECT size, mtime_ns, ctime_ns FROM file WHERE tree = ? AND path = ?"
        row = self._one(sql, self._tree, path)
        return Stamp(*row) if row is not None else None

    def _one(self, sql: str, *values: object) -> "tuple[int, ...] | None":
        row: tuple[int, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    def _first(self, found: Mapping[str, Stamp], changed: Iterable[str], gone: list[str]) -> int:
        """Read what is not read yet, and link everything, a step at a time."""
        with transaction(self._connection):
            self._forget(gone)
        for some in _steps(changed):
            with transaction(self._connection):
                for path in some:
                    self._read(path, found[path])
        with transaction(self._connection):
            resolvers = Resolvers(Ground(self._root, Listed(found), self._settings(anew=True)))
        for some in _steps(sorted(found)):
            with transaction(self._connection):
                for path in some:
                    self._link(path, resolvers, anew=True)
        return len(found)

    def _apply(self, changed: Mapping[str, Stamp], gone: list[str], files: Files) -> int:
        """Read and link in one transaction: whoever breaks it off finds all as it was."""
        with transaction(self._connection):
            known = {path: self._hash(path) for path in (*changed, *gone)}
            come = [path for path in changed if not known[path]]
            has_files = self._kept.is_directory
            new = {above for path in come for above in _above(path) if not has_files(above)}
            self._forget(gone)
            for path, stamp in changed.items():
                self._read(path, stamp)
            empty = {above for path in gone for above in _above(path) if not has_files(above)}
            moved = [path for path in known if is_setting(path)]
            moved = [path for path in moved if known[path] != self._hash(path)]
            settings = self._settings(anew=bool(moved))
            if moved:
                anew = {row[0] for row in self._rows("SELECT path FROM file WHERE tree = ?")}
            else:
                anew = self._touched((*come, *gone), new | empty)
            ground = Ground(self._root, files, settings)
            touched = sorted({*changed, *anew} - set(gone))
            resolvers = Resolvers(ground)
            for path in touched:
                self._link(path, resolvers, anew=path in anew)
        return len(touched)

    def _hash(self, path: str) -> str:
        sql = "SELECT hash FROM file WHERE tree = ? AND path = ?"
        row = self._one(sql, self._tree, path)
        return str(row[0]) if row is not None else ""

    def _forget(self, gone: Iterable[str]) -> None:
        for path in gone:
            for table, column in _OF_A_FILE:
                sql = f"DELETE FROM {table} WHERE tree = ? AND {column} = ?"  # noqa: S608
                self._connection.execute(sql, (self._tree, path))

    def _settings(self, *, anew: bool) -> list[str]:
        """Return the files on which it hangs where modules lie, looked for ``anew`` or as kept."""
        if not anew:
            row = self._one("SELECT settings FROM tree WHERE id = ?", self._tree)
            text = str(row[0]) if row is not None else ""
            return text.split("\n") if text else []
        rows = self._rows("SELECT path FROM file WHERE tree = ?")
        found = sorted(path for (path,) in rows if is_setting(path))
        sql = "UPDATE tree SET settings = ? WHERE id = ?"
        self._connection.execute(sql, ("\n".join(found), self._tree))
        return found

    def _rows(self, sql: str, *values: object) -> Iterator[tuple[str]]:
        yield from self._connection.execute(sql, (self._tree, *values))

    def _read(self, path: str, stamp: Stamp) -> None:
        try:
            data = read_regular(f"{self._root}/{path}", MOST_BYTES)
        except OSError:
            data = b""  # It is gone again, or not ours to read: it says nothing.
        name = content_hash(data, suffix_of(path))
        if language_of(path) and self._one("SELECT 1 FROM content WHERE hash = ?", name) is None:
            keep(self._connection, name, read(path, data))
        self._connection.execute(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)",
            (self._tree, path, name, *stamp),
        )

    def _touched(self, paths: Iterable[str], directories: Iterable[str]) -> set[str]:
        """Return the files whose imports may mean another file, now that these came or went."""
        paths = list(paths)
        stems = {stem_of_path(path) for path in paths}
        stems |= {each.rpartition("/")[2] for each in directories}
        found: set[str] = set()
        for stem in stems:
            sql = "SELECT user FROM asked WHERE tree = ? AND stem = ?"
            found.update(row[0] for row in self._rows(sql, stem))
        for path in paths:
            if path.endswith("/__init__.py"):
                # Whether a directory is a package says from where those below it import.
                sql = "SELECT path FROM file WHERE tree = ? AND path > ? AND path < ?"
                above = parent(path)
                found.update(row[0] for row in self._rows(sql, f"{above}/", f"{above}0"))
        return found

    def _link(self, path: str, resolvers: Resolvers, *, anew: bool) -> None:
        """Write where the modules of a file lie, and what it takes from them.

        Unless it is done ``anew``, links of the same modules stay: as no file has come or gone
        that they could mean, they are what they were.
        """
        if not language_of(path):
            return
        language, imports, exports = self._said(path)
        wanted = _modules(language, imports, exports)
        sql = "SELECT module, target FROM link WHERE tree = ? AND user = ?"
        links = dict(self._connection.execute(sql, (self._tree, path)))
        if anew or links.keys() != wanted.keys():
            resolver = resolvers.of(language_of(path))
            resolvers.ground.asked.clear()
            links = {key: _target(resolver, path, *each) for key, each in wanted.items()}
            self._put("link", path, set(links.items()))
            self._put("asked", path, {(stem,) for stem in resolvers.ground.asked})
        edges = {
            (target, name, line, given, counts)
            for target, name, line, given, counts in _edges(imports, exports, links)
            if target is not None and target != path
        }
        self._put("edge", path, edges)

    def _put(self, table: str, user: str, rows: AbstractSet[tuple[object, ...]]) -> None:
        """Have a table hold just these rows of a user: most are there already."""
        columns = _COLUMNS[table]
        names = ", ".join(columns)
        sql = f"SELECT {names} FROM {table} WHERE tree = ? AND user = ?"  # noqa: S608 - ours
        there = set(self._connection.execute(sql, (self._tree, user)))
        same = " AND ".join(f"{each} IS ?" for each in columns)
        self._connection.executemany(
            f"DELETE FROM {table} WHERE tree = ? AND user = ? AND {same}",  # noqa: S608
            [(self._tree, user, *each) for each in there - rows],
        )
        marks = ", ".join("?" * (len(columns) + 2))
        self._connection.executemany(
            f"INSERT INTO {table} (tree, user, {names}) VALUES ({marks})",  # noqa: S608
            [(self._tree, user, *each) for each in rows - there],
        )

    def _said(self, path: str) -> tuple[str, tuple[Import, ...], list[Export]]:
        row = self._connection.execute(
            "SELECT c.language, c.imports, c.hash FROM file f JOIN content c ON c.hash = f.hash"
            " WHERE f.tree = ? AND f.path = ?",
            (self._tree, path),
        ).fetchone()
        if row is None:
            return "", (), []
        sql = f"SELECT {EXPORT} FROM export WHERE hash = ? AND module != ''"  # noqa: S608
        return (
            row[0],
            imports_of(row[1]),
            [export_of(each) for each in self._connection.execute(sql, (row[2],))],
        )

    def _sweep(self) -> None:
        """Forget trees that are gone, and contents that no tree has, once they are the most."""
        for number, root in self._connection.execute("SELECT id, root FROM tree").fetchall():
            if number != self._tree and not Path(root).is_dir():
                for table, _ in _OF_A_FILE:
                    self._connection.execute(f"DELETE FROM {table} WHERE tree = ?", (number,))  # noqa: S608
                self._connection.execute("DELETE FROM tree WHERE id = ?", (number,))
        contents = self._connection.execute("SELECT count(*) FROM content").fetchone()[0]
        files = self._connection.execute("SELECT count(DISTINCT hash) FROM file").fetchone()[0]
        if contents > 2 * files + 1000:
            for table in ("content", "export", "declaration"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE hash NOT IN (SELECT hash FROM file)"  # noqa: S608
                )


_COLUMNS = {
    "link": ("module", "target"),
    "asked": ("stem",),
    "edge": ("target", "name", "line", "given", "counts"),
}


class _Kept:
    """The files that the index has of a tree, each looked up when it is asked for."""

    def __init__(self, one: Callable[..., object], tree: int) -> None:
        self._one = one
        self._tree = tree

    def is_file(self, path: str) -> bool:
        sql = "SELECT 1 FROM file WHERE tree = ? AND path = ?"
        return self._one(sql, self._tree, path) is not None

    def is_directory(self, path: str) -> bool:
        if not path:
            return True
        sql = "SELECT 1 FROM file WHERE tree = ? AND path > ? AND path < ? LIMIT 1"
        return self._one(sql, self._tree, f"{path}/", f"{path}0") is not None


def _languages(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({language_of(path) for path in paths} - {""}))


def _steps(paths: Iterable[str]) -> Iterator[list[str]]:
    some = list(paths)
    for start in range(0, len(some), _STEP):
        yield some[start : start + _STEP]


def _above(path: str) -> Iterator[str]:
    while path := parent(path):
        yield path


def _modules(
    language: str, imports: Iterable[Import], exports: Iterable[Export]
) -> dict[str, tuple[str, str]]:
    """Return what is to be found for a file: module and name in it, by the key of the link."""
    imports = list(imports)
    said = [*(each.module for each in imports), *(each.module for each in exports)]
    found = {module: (module, "") for module in said if module}
    if language in {"python", "rust"}:
        for each in imports:
            if each.name not in {"", ALL, WHOLE}:
                found.setdefault(submodule_key(each.module, each.name), (each.module, each.name))
    return found


def _target(resolver: Resolver, path: str, module: str, name: str) -> str | None:
    return resolver.submodule(path, module, name) if name else resolver.target(path, module)


def _edges(
    imports: Iterable[Import], exports: Iterable[Export], links: Mapping[str, str | None]
) -> Iterator[tuple[str | None, str, int, str, int]]:
    """Yield what a file takes: from where, the name, the line, as what it is passed on, use."""
    for one in imports:
        target = links.get(one.module)
        deeper = links.get(submodule_key(one.module, one.name))
        if one.name == ALL:
            yield target, ALL, one.line, "", 1
        elif one.name == WHOLE:
            yield target, WHOLE, one.line, "", 0
            yield from ((target, name, line, "", 1) for name, line in one.used)
        elif one.name:
            yield target, one.name, one.line, "", 1
            if deeper is not None:
                yield deeper, WHOLE, one.line, "", 0
                yield from ((deeper, name, line, "", 1) for name, line in one.used)
            else:
                # It may stand for a whole module (`export * as name`): who asks finds out.
                yield from ((target, f"{one.name}.{name}", line, "", 1) for name, line in one.used)
    for each in exports:
        counts = int(each.original not in {ALL, WHOLE})
        yield links.get(each.module), each.original, each.line, each.name, counts


def submodule_key(module: str, name: str) -> str:
    """Return under which name it is kept where ``name`` of ``module`` lies if it is a module."""
    return f"{module}\n{name}"


def facts_at(root: str, path: str) -> tuple[str, Facts] | None:
    """Return hash and facts of a file as it is now, or ``None`` where it cannot be read."""
    try:
        data = read_regular(f"{root}/{path}", MOST_BYTES)
    except OSError:
        return None
    return content_hash(data, suffix_of(path)), read(path, data)
