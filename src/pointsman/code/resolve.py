"""From a module's name to its file, by language: one file for each, and one line here."""

from collections.abc import Callable
from typing import Protocol

from pointsman.code.ground import Ground
from pointsman.code.resolve_ecma import Ecma
from pointsman.code.resolve_go import Go
from pointsman.code.resolve_python import Python
from pointsman.code.resolve_rust import Rust

SETTINGS = frozenset({
    "tsconfig.json", "jsconfig.json", "package.json", "pnpm-workspace.yaml", "lerna.json",
    "pyproject.toml", "setup.py", "setup.cfg", "go.mod", "Cargo.toml",
})  # fmt: skip
"""Files on which it hangs where modules lie."""


def is_setting(path: str) -> bool:
    """Whether it hangs on a file where modules lie; a tsconfig extends others of its kind."""
    name = path.rpartition("/")[2]
    kind = name.startswith(("tsconfig", "jsconfig")) and name.endswith(".json")
    return name in SETTINGS or kind


class Resolver(Protocol):
    """Finds modules in one tree."""

    def target(self, path: str, module: str, /) -> str | None:
        """Return the file of a module seen from ``path``; a directory ends with ``/``."""

    def submodule(self, path: str, module: str, name: str, /) -> str | None:
        """Return the file of a name of a module that is a module itself."""


RESOLVERS: dict[str, Callable[[Ground], Resolver]] = {
    "typescript": Ecma,
    "javascript": Ecma,
    "python": Python,
    "go": Go,
    "rust": Rust,
}


class Resolvers:
    """The resolvers of one tree, each made when it is first needed."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._made: dict[Callable[[Ground], Resolver], Resolver] = {}

    def of(self, language: str) -> Resolver:
        """Return the resolver of a language."""
        make = RESOLVERS[language]
        if make not in self._made:
            self._made[make] = make(self.ground)
        return self._made[make]
