"""Where a Rust module lies: ``crate``, ``self``, ``super`` and the crates of the workspace."""

import re

from pointsman.code.ground import Ground, joined, parent

_NAME = re.compile(
    r"^\s*\[package\](?:(?!^\s*\[).)*?^\s*name\s*=\s*\"([^\"]+)\"", re.MULTILINE | re.DOTALL
)
_ROOTS = ("lib.rs", "main.rs")


class Rust:
    """Resolves for one tree."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._crates: dict[str, str] = {}
        for path in ground.settings:
            if path.rpartition("/")[2] == "Cargo.toml":
                match = _NAME.search(ground.text(path))
                if match:
                    self._crates[match[1].replace("-", "_")] = parent(path)

    def target(self, path: str, module: str) -> str | None:
        """Return the file that a module is, seen from ``path``."""
        parts = module.split("::")
        first, rest = parts[0], parts[1:]
        if first == "crate":
            return self._down(self._crate_root(path), rest)
        if first in {"self", "super"}:
            here: str | None = path
            while first in {"self", "super"} and here is not None:
                here = self._above(here) if first == "super" else here
                first, rest = (rest[0], rest[1:]) if rest else ("", [])
            return self._down(here, [first, *rest] if first else rest)
        if first in self._crates:
            return self._down(self._root_of(self._crates[first]), rest)
        # Since the edition of 2018 a path may begin with a module of one's own.
        return self._down(path, parts) if self._child(path, first) else None

    def submodule(self, path: str, module: str, name: str) -> str | None:
        """Return the file of a name that is a module itself."""
        return self.target(path, f"{module}::{name}")

    def _crate_root(self, path: str) -> str | None:
        manifest = self._ground.nearest(path, "Cargo.toml")
        return self._root_of(parent(manifest)) if manifest else None

    def _root_of(self, directory: str) -> str | None:
        found = (joined(directory, f"src/{name}") for name in _ROOTS)
        return next((each for each in found if self._ground.is_file(each)), None)

    def _down(self, path: str | None, parts: list[str]) -> str | None:
        for part in parts:
            path = self._child(path, part) if path is not None else None
        return path

    def _inner(self, path: str) -> str:
        """Return the directory in which the modules of a file lie."""
        name = path.rpartition("/")[2]
        return parent(path) if name in {*_ROOTS, "mod.rs"} else path.removesuffix(".rs")

    def _child(self, path: str, name: str) -> str | None:
        inner = self._inner(path)
        found = (joined(inner, f"{name}.rs"), joined(inner, f"{name}/mod.rs"))
        return next((each for each in found if self._ground.is_file(each)), None)

    def _above(self, path: str) -> str | None:
        inner = self._inner(path)
        above = parent(inner)
        found = [f"{above}.rs", *(joined(above, name) for name in ("mod.rs", *_ROOTS))]
        return next((each for each in found if self._ground.is_file(each)), None)
