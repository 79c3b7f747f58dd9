"""Where a Go package lies: a directory, by the module paths of the tree's go.mod files."""

import re

from pointsman.code.ground import Ground, joined, parent
from pointsman.code.read_go import OWN_PACKAGE

_MODULE = re.compile(r"^\s*module\s+\"?([^\s\"]+)", re.MULTILINE)


class Go:
    """Resolves for one tree."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._modules: dict[str, str] = {}
        for path in ground.settings:
            if path.rpartition("/")[2] == "go.mod":
                self._add(path)
        self._asked: set[str] = set()

    def target(self, path: str, module: str) -> str | None:
        """Return the directory of a package, with a ``/``."""
        if module == OWN_PACKAGE:
            return f"{parent(path)}/"
        if self._ground.files is None and parent(path) not in self._asked:
            self._asked.add(parent(path))
            self._add(self._ground.nearest(path, "go.mod"))
        for prefix in sorted(self._modules, key=len, reverse=True):
            if module == prefix or module.startswith(f"{prefix}/"):
                directory = joined(self._modules[prefix], module[len(prefix) + 1 :])
                return f"{directory}/" if self._ground.is_directory(directory) else None
        return None

    def submodule(self, _path: str, _module: str, _name: str) -> str | None:
        """Return the file of a name that is a module itself: there is none here."""
        return None

    def _add(self, path: str) -> None:
        match = _MODULE.search(self._ground.text(path)) if path else None
        if match:
            self._modules[match[1]] = parent(path)
