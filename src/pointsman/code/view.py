"""Reads the index of one tree: what names stand for, and who uses them.

What lies on the disk counts: a file that is not as the index has it is read on the spot. All
questions go straight to the index's file, so that the first is answered as fast as the next.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from pointsman.code.build import facts_at, submodule_key
from pointsman.code.facts import ALL, DEFAULT, WHOLE, Declared, Export, Facts, Import
from pointsman.code.ground import Ground, inside
from pointsman.code.index_file import (
    DECLARATION,
    EXPORT,
    declared_of,
    export_of,
    imports_of,
    open_to_read,
)
from pointsman.code.languages import language_of
from pointsman.code.listing import Stamp, stamp_of
from pointsman.code.resolve import Resolvers

_MOST_STEPS = 12
"""Files through which a name is followed."""
_MOST_FRESH = 64
_fresh: OrderedDict[tuple[str, Stamp], Facts] = OrderedDict()
_fresh_lock = Lock()


@dataclass(frozen=True, slots=True)
class Found:
    """What a name stands for: a declaration in a file, or (``declared`` is ``None``) a module."""

    path: str
    declared: Declared | None


class View:
    """Answers questions about one tree; made for one answer, so that it reads each file once."""

    def __init__(self, index: Path, root: str, *, until: float = float("inf")) -> None:
        self.root = root
        self._until = until
        self.connection = open_to_read(index)
        self.tree = 0
        settings = ""
        if self.connection is not None:
            # One look at the file for all questions: each would take and give back its lock.
            self.connection.execute("BEGIN")
            row = self.one("SELECT id, settings, scanned_ns FROM tree WHERE root = ?", (root,))
            if row is not None:
                self.tree, settings = row[0], row[1]
            self.built = row is not None and row[2] > 0
        else:
            self.built = False
        self._hashes: dict[str, str | None] = {}
        self._facts: dict[str, Facts] = {}
        self._links: dict[str, dict[str, str | None]] = {}
        self._live = Resolvers(Ground(root, settings=settings.split("\n") if settings else ()))
        self.late = False
        """Whether there was no time to read everything."""

    def close(self) -> None:
        """Let go of the file."""
        if self.connection is not None:
            self.connection.close()

    def one(self, sql: str, values: Sequence[object]) -> tuple[Any, ...] | None:
        """Return the first row of a question to the index."""
        if self.connection is None:
            return None
        row: tuple[Any, ...] | None = self.connection.execute(sql, values).fetchone()
        return row

    def rows(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of a question to the index."""
        return [] if self.connection is None else self.connection.execute(sql, values).fetchall()

    def _stored(self, path: str) -> str | None:
        """Return the hash of a file that is as the index has it, or ``None``."""
        if path not in self._hashes:
            row = self.one(
                "SELECT hash, size, mtime_ns, ctime_ns FROM file WHERE tree = ? AND path = ?",
                (self.tree, path),
            )
            same = row is not None and tuple(row[1:]) == stamp_of(self.root, path)
            self._hashes[path] = str(row[0]) if same and row is not None else None
        return self._hashes[path]

    def _read(self, path: str) -> Facts:
        """Return what a file says that the index does not have as it is."""
        if path not in self._facts:
            self._facts[path] = self._parsed(path)
        return self._facts[path]

    def _parsed(self, path: str) -> Facts:
        nothing = Facts(language_of(path))
        stamp = stamp_of(self.root, path) if inside(path) and language_of(path) else None
        if stamp is None:
            return nothing
        key = (f"{self.root}/{path}", stamp)
        with _fresh_lock:
            known = _fresh.get(key)
        if known is not None:
            return known
        if monotonic() > self._until:
            self.late = True
            return nothing
        got = facts_at(self.root, path)
        facts = got[1] if got else nothing
        with _fresh_lock:
            _fresh[key] = facts
            if len(_fresh) > _MOST_FRESH:
                _fresh.popitem(last=False)
        return facts

    def put(self, path: str, facts: Facts) -> None:
        """Take a file to say this, whatever lies on the disk; what it exports stays."""
        if self._stored(path) is not None:
            kept = tuple(self.exports(path))
            declared = tuple(each for one in kept for each in self.declared(path, one.local))
            facts = replace(facts, exports=kept, declarations=declared)
        self._facts[path] = facts
        self._hashes[path] = None

    def imports(self, path: str) -> tuple[Import, ...]:
        """Return what a file imports."""
        name = self._stored(path)
        if name is None:
            return self._read(path).imports
        row = self.one("SELECT imports FROM content WHERE hash = ?", (name,))
        return imports_of(str(row[0])) if row else ()

    def exports(self, path: str, *names: str) -> list[Export]:
        """Return what a file exports under these names, under any where none is given."""
        if path.endswith("/"):
            return [each for one in self._package(path) for each in self.exports(one, *names)]
        stored = self._stored(path)
        if stored is None:
            found = self._read(path).exports
            return [each for each in found if not names or each.name in names]
        marks = ", ".join("?" * len(names))
        by_name = f" AND name IN ({marks})" if names else ""
        sql = f"SELECT {EXPORT} FROM export WHERE hash = ?{by_name} ORDER BY n"  # noqa: S608 - ours
        return [export_of(row) for row in self.rows(sql, (stored, *names))]

    def declared(self, path: str, name: str) -> list[Declared]:
        """Return the declarations of a name in a file."""
        stored = self._stored(path)
        if stored is None:
            return [each for each in self._read(path).declarations if each.name == name]
        sql = f"SELECT {DECLARATION} FROM declaration WHERE hash = ? AND name = ? ORDER BY n"  # noqa: S608
        return [declared_of(row) for row in self.rows(sql, (stored, name))]

    def target(self, path: str, module: str) -> str | None:
        """Return the file of a module as a file names it."""
        if self._stored(path) is not None:
            if path not in self._links:
                sql = "SELECT module, target FROM link WHERE tree = ? AND user = ?"
                self._links[path] = dict(self.rows(sql, (self.tree, path)))
            if module in self._links[path]:
                return self._links[path][module]
        language = language_of(path)
        if not language:
            return None
        resolver = self._live.of(language)
        inner, _, name = module.partition("\n")
        if name:
            return resolver.submodule(path, inner, name)
        return resolver.target(path, inner)

    def _package(self, directory: str) -> Iterator[str]:
        """Yield the files of a directory (a Go package)."""
        low, high = directory.lstrip("/"), f"{directory.lstrip('/')[:-1]}0"
        sql = "SELECT path FROM file WHERE tree = ? AND path >= ? AND path < ?"
        values: tuple[object, ...] = (self.tree, low, high)
        if not low:
            sql, values = "SELECT path FROM file WHERE tree = ?", (self.tree,)
        for row in self.rows(sql, values):
            path = str(row[0])
            if "/" not in path[len(low) :] and path.endswith(".go"):
                yield path

    def find(self, path: str, name: str) -> list[Found]:
        """Return what a name that a file exports stands for, wherever it is declared."""
        return self._find(path, name, set())

    def _find(self, path: str, name: str, seen: set[tuple[str, str]]) -> list[Found]:
        if (path, name) in seen or len(seen) > 40 * _MOST_STEPS:
            return []
        seen.add((path, name))
        if name == WHOLE:
            return [Found(path, None)]
        if path.endswith("/"):
            return self._in_directory(path, name, seen)
        exports = self.exports(path, name, ALL)
        own = [each for each in exports if each.local and each.name == name]
        found = [hit for each in own for hit in self._own(path, each)]
        for each in exports:
            if not found and each.module and each.name == name:
                found = self._passed_on(path, each, seen)
        if found:
            return found
        for each in exports:
            target = self.target(path, each.module) if each.name == ALL else None
            if target is not None and name != DEFAULT:
                found = self._find(target, name, seen)
            if found:
                return found
        return self._beside(path, name)

    def _own(self, path: str, export: Export) -> list[Found]:
        declared = self.declared(path, export.local)
        if declared:
            return [Found(path, each) for each in declared]
        return [
            Found(path, Declared(export.name, "value", export.line, export.name, export.column))
        ]

    def _passed_on(self, path: str, export: Export, seen: set[tuple[str, str]]) -> list[Found]:
        target = self.target(path, export.module)
        if export.original == WHOLE:
            return [Found(target, None)] if target else []
        found = self._find(target, export.original, seen) if target else []
        if found:
            return found
        deeper = self.target(path, submodule_key(export.module, export.original))
        return [Found(deeper, None)] if deeper else []

    def _in_directory(self, path: str, name: str, seen: set[tuple[str, str]]) -> list[Found]:
        found = [hit for one in self._package(path) for hit in self._find(one, name, seen)]
        return found or self._beside(f"{path}__init__.py", name)

    def _beside(self, path: str, name: str) -> list[Found]:
        """Return the module that a name of a package is, if it is one."""
        if not path.rpartition("/")[2].startswith("__init__."):
            return []
        deeper = self.target(path, submodule_key(".", name))
        return [Found(deeper, None)] if deeper else []
