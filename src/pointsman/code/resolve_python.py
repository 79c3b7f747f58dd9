"""Where a Python module lies: packages, namespace packages, ``src`` layouts, several projects.

A module is looked for from the roots that an interpreter would have on its path: the root of the
tree, its ``src``, every directory above the file that is no package, and the other projects of
the tree with their ``src``.
"""

from collections.abc import Iterator

from pointsman.code.ground import Ground, joined, parent

_PROJECTS = ("pyproject.toml", "setup.py", "setup.cfg")
_MOST_ROOTS = 64


class Python:
    """Resolves for one tree."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._roots: dict[str, tuple[str, ...]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._projects = _projects(ground)

    def target(self, path: str, module: str) -> str | None:
        """Return the file that a module is, or its directory with a ``/`` for a namespace."""
        bare = module.lstrip(".")
        dots = len(module) - len(bare)
        if dots:
            base = parent(path)
            for _ in range(dots - 1):
                if not base:
                    return None
                base = parent(base)
            return self._file(joined(base, bare.replace(".", "/")) if bare else base)
        here = parent(path)
        key = (here, bare)
        # Every place that is looked at ends so, and what is remembered is not looked for again.
        self._ground.asked.add(bare.rpartition(".")[2])
        if key not in self._found:
            self._found[key] = self._absolute(here, bare)
        return self._found[key]

    def submodule(self, path: str, module: str, name: str) -> str | None:
        """Return the file of a name that is a module of the package."""
        dotted = f"{module}{name}" if module.endswith(".") else f"{module}.{name}"
        return self.target(path, dotted)

    def _absolute(self, here: str, module: str) -> str | None:
        inner = module.replace(".", "/")
        namespace = None
        for root in self._roots_of(here):
            found = self._file(joined(root, inner))
            if found and not found.endswith("/"):
                return found
            namespace = namespace or found
        return namespace

    def _file(self, path: str) -> str | None:
        candidates = [f"{path}/__init__.py", f"{path}/__init__.pyi"] if path else ["__init__.py"]
        candidates += [f"{path}.py", f"{path}.pyi"] if path else []
        for each in candidates:
            if self._ground.is_file(each):
                return each
        return f"{path}/" if path and self._ground.is_directory(path) else None

    def _roots_of(self, here: str) -> tuple[str, ...]:
        if here not in self._roots:
            found = ["", "src", *self._no_packages(here), *self._projects]
            self._roots[here] = tuple(dict.fromkeys(found))[:_MOST_ROOTS]
        return self._roots[here]

    def _no_packages(self, here: str) -> Iterator[str]:
        while here:
            # Whoever adds or removes one has all that lies below it linked anew.
            if not self._ground.lies(f"{here}/__init__.py"):
                yield here
                yield f"{here}/src"
            here = parent(here)


def _projects(ground: Ground) -> list[str]:
    """Return the directories of the tree's projects, each with its ``src``."""
    found = sorted(parent(path) for path in ground.settings if path.rpartition("/")[2] in _PROJECTS)
    return [each for project in found for each in (joined(project, "src"), project)]
