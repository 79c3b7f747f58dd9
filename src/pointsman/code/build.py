"""Brings the index of a tree up to date: reads what has changed, links what that touches."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pointsman.code.facts import ALL, WHOLE, Export, Facts, Import
from pointsman.code.ground import Ground, inside, parent
from pointsman.code.index_file import (
    EXPORT,
    content_hash,
    export_of,
    imports_of,
    keep,
    open_to_write,
    transaction,
)
from pointsman.code.languages import MOST_BYTES, language_of, read
from pointsman.code.listing import Stamp, is_wanted, listed, stamp_of
from pointsman.code.resolve import SETTINGS, Resolvers
from pointsman.paths.content import read_regular

_STEP = 100
"""Files between two commits: readers see what there is so far."""
_INDEX_NAMES = frozenset({"index", "__init__", "mod", "lib", "main"})


@dataclass(frozen=True, slots=True)
class Built:
    """What was done: files there are, files read, files linked, seconds it took."""

    files: int
    read: int
    linked: int
    seconds: float


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
        self._spaces: dict[tuple[str, str], bool] = {}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def languages(self) -> list[str]:
        """Return the languages that the tree has files of."""
        sql = "SELECT DISTINCT path FROM file WHERE tree = ?"
        return sorted({language_of(path) for (path,) in self._rows(sql)} - {""})

    def refresh(self) -> Built:
        """Look at the whole tree; read and link what is not as it was."""
        started = time.monotonic()
        found = listed(self._root)
        known = self._known()
        changed = [path for path, stamp in found.items() if known.get(path) != stamp]
        gone = [path for path in known if path not in found]
        done = self._apply(found, changed, gone, first=not known)
        self._connection.execute(
            "UPDATE tree SET scanned_ns = ? WHERE id = ?", (time.time_ns(), self._tree)
        )
        self._sweep()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Built(len(found), len(changed), done, time.monotonic() - started)

    def update(self, paths: Iterable[str]) -> Built:
        """Look at these files alone."""
        started = time.monotonic()
        known = self._known()
        found = dict(known)
        changed, gone = [], []
        for path in paths:
            if not inside(path) or not is_wanted(path):
                continue
            stamp = stamp_of(self._root, path)
            if stamp is None:
                if found.pop(path, None) is not None:
                    gone.append(path)
            elif known.get(path) != stamp:
                found[path] = stamp
                changed.append(path)
        done = self._apply(found, changed, gone, first=False) if changed or gone else 0
        return Built(len(found), len(changed), done, time.monotonic() - started)

    def _known(self) -> dict[str, Stamp]:
        rows = self._connection.execute(
            "SELECT path, size, mtime_ns, ctime_ns FROM file WHERE tree = ?", (self._tree,)
        )
        return {path: Stamp(size, mtime, ctime) for path, size, mtime, ctime in rows}

    def _apply(
        self, found: Mapping[str, Stamp], changed: list[str], gone: list[str], *, first: bool
    ) -> int:
        known = {row[0] for row in self._rows("SELECT path FROM file WHERE tree = ?")}
        come = [path for path in changed if path not in known]
        for start in range(0, len(changed), _STEP):
            with transaction(self._connection):
                for path in changed[start : start + _STEP]:
                    self._read(path, found[path])
        with transaction(self._connection):
            for path in gone:
                for table, column in (("file", "path"), ("link", "user"), ("edge", "user")):
                    sql = f"DELETE FROM {table} WHERE tree = ? AND {column} = ?"  # noqa: S608
                    self._connection.execute(sql, (self._tree, path))
        settings = sorted(path for path in found if path.rpartition("/")[2] in SETTINGS)
        self._connection.execute(
            "UPDATE tree SET settings = ? WHERE id = ?", ("\n".join(settings), self._tree)
        )
        moved = any(path.rpartition("/")[2] in SETTINGS for path in (*changed, *gone))
        if first or moved:
            touched = set(found)
        else:
            touched = {*changed, *self._touched((*come, *gone))} - set(gone)
        ground = Ground(self._root, frozenset(found), settings)
        self._link([path for path in sorted(touched) if language_of(path)], Resolvers(ground))
        return len(touched)

    def _rows(self, sql: str) -> Iterator[tuple[str]]:
        yield from self._connection.execute(sql, (self._tree,))

    def _read(self, path: str, stamp: Stamp) -> None:
        try:
            data = read_regular(f"{self._root}/{path}", MOST_BYTES)
        except OSError:
            data = b""  # It is gone again, or not ours to read: it says nothing.
        name = content_hash(data)
        exists = self._connection.execute("SELECT 1 FROM content WHERE hash = ?", (name,))
        if language_of(path) and exists.fetchone() is None:
            keep(self._connection, name, read(path, data))
        self._connection.execute(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)",
            (self._tree, path, name, *stamp),
        )

    def _touched(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the files whose imports may mean another file, now that these came or went."""
        for stem in {stem_of_path(path) for path in paths}:
            sql = "SELECT user FROM link WHERE tree = ? AND stem = ?"
            for row in self._connection.execute(sql, (self._tree, stem)):
                yield row[0]

    def _link(self, paths: list[str], resolvers: Resolvers) -> None:
        self._spaces.clear()
        for start in range(0, len(paths), _STEP):
            with transaction(self._connection):
                for path in paths[start : start + _STEP]:
                    self._link_modules(path, resolvers)
        # Only now: what a name is may hang on files that have just been linked.
        for start in range(0, len(paths), _STEP):
            with transaction(self._connection):
                for path in paths[start : start + _STEP]:
                    self._link_names(path)

    def _link_modules(self, path: str, resolvers: Resolvers) -> None:
        language, imports, exports = self._said(path)
        if not language:
            return
        resolver = resolvers.of(language_of(path))
        found: dict[str, str | None] = {}
        modules = [each.module for each in imports] + [each.module for each in exports]
        for module in {each for each in modules if each}:
            found[module] = resolver.target(path, module)
        for each in imports:
            if each.name not in {"", ALL, WHOLE}:
                deeper = resolver.submodule(path, each.module, each.name)
                if deeper is not None or language in {"python", "rust"}:
                    found.setdefault(submodule_key(each.module, each.name), deeper)
        self._connection.execute("DELETE FROM link WHERE tree = ? AND user = ?", (self._tree, path))
        self._connection.executemany(
            "INSERT OR REPLACE INTO link VALUES (?, ?, ?, ?, ?)",
            [(self._tree, path, one, stem_of_module(one), target) for one, target in found.items()],
        )

    def _link_names(self, path: str) -> None:
        _, imports, exports = self._said(path)
        self._connection.execute("DELETE FROM edge WHERE tree = ? AND user = ?", (self._tree, path))
        links = dict(
            self._connection.execute(
                "SELECT module, target FROM link WHERE tree = ? AND user = ?", (self._tree, path)
            )
        )
        edges = {
            (self._tree, target, name, path, line, given, counts)
            for target, name, line, given, counts in self._edges(imports, exports, links)
            if target is not None and target != path
        }
        self._connection.executemany("INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?, ?)", sorted(edges))

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

    def _edges(
        self, imports: Iterable[Import], exports: Iterable[Export], links: Mapping[str, str | None]
    ) -> Iterator[tuple[str | None, str, int, str, int]]:
        for one in imports:
            target = links.get(one.module)
            deeper = links.get(submodule_key(one.module, one.name))
            if one.name == ALL:
                yield target, ALL, one.line, "", 1
            elif one.name == WHOLE:
                yield target, WHOLE, one.line, "", 0
                for name, line in one.used:
                    yield target, name, line, "", 1
            elif one.name:
                yield target, one.name, one.line, "", 1
                if deeper is not None:
                    yield deeper, WHOLE, one.line, "", 0
                    for name, line in one.used:
                        yield deeper, name, line, "", 1
                elif one.used and target is not None and self._is_space(target, one.name, 0):
                    for name, line in one.used:
                        yield target, f"{one.name}.{name}", line, "", 1
        for each in exports:
            target = links.get(each.module)
            counts = int(each.original not in {ALL, WHOLE})
            yield target, each.original, each.line, each.name, counts

    def _is_space(self, path: str, name: str, depth: int) -> bool:
        """Whether a name of a file stands for a whole module (``export * as name``)."""
        key = (path, name)
        if key in self._spaces:
            return self._spaces[key]
        self._spaces[key] = False
        sql = (
            "SELECT e.name, e.original, l.target FROM file f JOIN export e ON e.hash = f.hash"
            " JOIN link l ON l.tree = f.tree AND l.user = f.path AND l.module = e.module"
            " WHERE f.tree = ? AND f.path = ? AND e.name IN (?, ?) AND e.module != ''"
        )
        for given, original, target in self._connection.execute(sql, (self._tree, path, name, ALL)):
            if given == name and original == WHOLE:
                self._spaces[key] = True
            elif target and depth < 8 and original != WHOLE:
                wanted = name if given == ALL else original
                self._spaces[key] = self._spaces[key] or self._is_space(target, wanted, depth + 1)
        return self._spaces[key]

    def _sweep(self) -> None:
        """Forget trees that are gone, and contents that no tree has, once they are the most."""
        for number, root in self._connection.execute("SELECT id, root FROM tree").fetchall():
            if number != self._tree and not Path(root).is_dir():
                for table in ("file", "link", "edge"):
                    self._connection.execute(f"DELETE FROM {table} WHERE tree = ?", (number,))  # noqa: S608
                self._connection.execute("DELETE FROM tree WHERE id = ?", (number,))
        contents = self._connection.execute("SELECT count(*) FROM content").fetchone()[0]
        files = self._connection.execute("SELECT count(DISTINCT hash) FROM file").fetchone()[0]
        if contents > 2 * files + 1000:
            for table in ("content", "export", "declaration"):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE hash NOT IN (SELECT hash FROM file)"  # noqa: S608
                )


def submodule_key(module: str, name: str) -> str:
    """Return under which name it is kept where ``name`` of ``module`` lies if it is a module."""
    return f"{module}\n{name}"


def stem_of_module(module: str) -> str:
    """Return the last part of a module's name, by which it may be affected by a new file."""
    last = module.replace("\n", "/").replace("::", "/").rstrip("/").rpartition("/")[2]
    if "." in last and not last.startswith("."):
        # `a.b` of Python ends in b; `./b.js` is b.
        stem, _, suffix = last.rpartition(".")
        return stem if f".{suffix}" in {".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx"} else suffix
    return last.lstrip(".")


def stem_of_path(path: str) -> str:
    """Return the part of a file's path by which imports may mean it."""
    name = path.rpartition("/")[2].partition(".")[0]
    if name in _INDEX_NAMES or path.endswith(".go"):
        return parent(path).rpartition("/")[2]
    return name


def facts_at(root: str, path: str) -> tuple[str, Facts] | None:
    """Return hash and facts of a file as it is now, or ``None`` where it cannot be read."""
    try:
        data = read_regular(f"{root}/{path}", MOST_BYTES)
    except OSError:
        return None
    return content_hash(data), read(path, data)
