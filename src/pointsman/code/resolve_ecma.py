"""Where a module of TypeScript or JavaScript lies: as the compiler and the bundlers look for it.

Relative paths with their extensions and index files, ``paths``, ``baseUrl`` and ``extends`` of
the nearest tsconfig, ``imports`` and ``exports`` of package.json, packages of the workspace.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.code.ground import Ground, inside, joined, parent
from pointsman.code.workspaces import packages_of

_SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".d.ts", ".js", ".jsx", ".mjs", ".cjs")
_WRITTEN = {
    ".js": (".ts", ".tsx", ".d.ts", ".js", ".jsx"),
    ".jsx": (".tsx", ".jsx"),
    ".mjs": (".mts", ".mjs"),
    ".cjs": (".cts", ".cjs"),
}
"""Which files an import may mean that names what will have been compiled (TypeScript handbook,
"File Extension Substitution")."""
_CONDITIONS = ("source", "types", "import", "module", "default", "node", "require")
_BUILT = ("dist/", "lib/", "build/", "out/", "esm/", "cjs/", "types/", "_types/", "_esm/", "_cjs/")
_MOST_EXTENDS = 10


class Ecma:
    """Resolves for one tree; what settings files say is read once."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._config: dict[str, str] = {}
        self._settings: dict[str, tuple[str, Mapping[str, Any], str | None]] = {}
        self._packages: Mapping[str, str] | None = None

    def target(self, path: str, module: str) -> str | None:
        """Return the file that a module is, seen from ``path``."""
        here = parent(path)
        if module.startswith("."):
            return self._file(joined(here, module))
        found = self._by_config(path, module)
        if found is None and module.startswith("#"):
            package = self._ground.nearest(path, "package.json")
            table = self._ground.json(package).get("imports")
            return self._mapped(parent(package), table, module)
        return found or self._by_package(path, module)

    def submodule(self, _path: str, _module: str, _name: str) -> str | None:
        """Return the file of a name that is a module itself: there is none here."""
        return None

    def _file(self, path: str) -> str | None:
        """Return the file that a path without or with an extension means."""
        if not inside(path):
            return None
        for each in _candidates(path):
            if self._ground.is_file(each):
                return each
        return None

    def _by_config(self, path: str, module: str) -> str | None:
        here = parent(path)
        if here not in self._config:
            self._config[here] = self._ground.nearest(path, "tsconfig.json", "jsconfig.json")
        config = self._config[here]
        if not config:
            return None
        base, paths, base_url = self._options(config)
        for pattern, star in _matching(paths, module):
            for each in pattern if isinstance(pattern, list) else ():
                found = self._file(joined(base, str(each).replace("*", star, 1)))
                if found:
                    return found
        return self._file(joined(base_url, module)) if base_url is not None else None

    def _options(self, config: str) -> tuple[str, Mapping[str, Any], str | None]:
        """Return against what ``paths`` are meant, ``paths`` itself, and ``baseUrl``."""
        if config not in self._settings:
            found = self._inherited(config, _MOST_EXTENDS)
            if not found[1] and found[2] is None:
                # A solution file: the real options stand in the projects that it refers to.
                for each in self._referenced(config):
                    other = self._inherited(each, _MOST_EXTENDS)
                    found = other if other[1] and not found[1] else found
            self._settings[config] = found
        return self._settings[config]

    def _inherited(self, config: str, left: int) -> tuple[str, Mapping[str, Any], str | None]:
        data, here = self._ground.json(config), parent(config)
        options = data.get("compilerOptions")
        options = options if isinstance(options, dict) else {}
        base: tuple[str, Mapping[str, Any], str | None] = (here, {}, None)
        extends = data.get("extends", [])
        for each in extends if isinstance(extends, list) else [extends]:
            if isinstance(each, str) and left:
                base = self._inherited(self._extended(here, each), left - 1)
        own_url, own_paths = options.get("baseUrl"), options.get("paths")
        url = joined(here, own_url) if isinstance(own_url, str) else base[2]
        if isinstance(own_paths, dict):
            return (url if url is not None else here, own_paths, url)
        return (base[0], base[1], url)

    def _extended(self, here: str, name: str) -> str:
        if name.startswith("."):
            path = joined(here, name)
            return path if path.endswith(".json") else f"{path}.json"
        directory, _, rest = name.partition("/")
        if name.startswith("@"):
            more, _, rest = rest.partition("/")
            directory = f"{directory}/{more}"
        package = self._workspace().get(directory, f"node_modules/{directory}")
        path = f"{package}/{rest or 'tsconfig.json'}"
        return path if path.endswith(".json") else f"{path}.json"

    def _referenced(self, config: str) -> Iterator[str]:
        references = self._ground.json(config).get("references")
        for each in references if isinstance(references, list) else ():
            path = each.get("path") if isinstance(each, dict) else None
            if isinstance(path, str):
                whole = joined(parent(config), path)
                yield whole if whole.endswith(".json") else f"{whole}/tsconfig.json"

    def _workspace(self) -> Mapping[str, str]:
        if self._packages is None:
            self._packages = packages_of(self._ground)
        return self._packages

    def _by_package(self, path: str, module: str) -> str | None:
        parts = module.split("/")
        size = 2 if module.startswith("@") else 1
        name, rest = "/".join(parts[:size]), "/".join(parts[size:])
        directory = self._workspace().get(name)
        if directory is None:
            own = self._ground.nearest(path, "package.json")
            if not own or self._ground.json(own).get("name") != name:
                return None
            directory = parent(own)
        manifest = self._ground.json(joined(directory, "package.json"))
        exports = manifest.get("exports")
        if exports is not None:
            found = self._mapped(directory, exports, f"./{rest}" if rest else ".")
            if found:
                return found
        if rest:
            return self._file(joined(directory, rest)) or self._file(
                joined(directory, f"src/{rest}")
            )
        return self._main(directory, manifest)

    def _main(self, directory: str, manifest: Mapping[str, Any]) -> str | None:
        for key in ("source", "types", "typings", "module", "main"):
            value = manifest.get(key)
            found = self._built(directory, value) if isinstance(value, str) else None
            if found:
                return found
        return self._file(joined(directory, "src/index")) or self._file(joined(directory, "index"))

    def _mapped(self, directory: str, table: Any, key: str) -> str | None:
        """Return what ``exports`` or ``imports`` of a package.json say of a key."""
        plain = not isinstance(table, dict) or not any(str(each)[:1] in ".#" for each in table)
        entries = {".": table} if plain else table
        for value, star in _matching(entries, key):
            for each in _targets(value, 0):
                found = self._built(directory, each.replace("*", star))
                if found:
                    return found
        return None

    def _built(self, directory: str, value: str) -> str | None:
        """Return the file, or what it will have been compiled from where it is not here."""
        plain = value.removeprefix("./")
        found = self._file(joined(directory, plain))
        if found:
            return found
        for each in _BUILT:
            if plain.startswith(each):
                rest = plain.removeprefix(each)
                stem = _stem(rest)
                return self._file(joined(directory, f"src/{stem}")) or self._file(
                    joined(directory, stem)
                )
        return None


def _stem(path: str) -> str:
    for suffix in (".d.ts", ".d.mts", *_SUFFIXES):
        if path.endswith(suffix):
            return path.removesuffix(suffix)
    return path


def _candidates(path: str) -> Iterator[str]:
    for suffix, others in _WRITTEN.items():
        if path.endswith(suffix):
            yield from (path.removesuffix(suffix) + other for other in others)
    if path.endswith(_SUFFIXES):
        yield path
    if path:
        yield from (path + suffix for suffix in _SUFFIXES)
    index = f"{path}/index" if path else "index"
    yield from (index + suffix for suffix in _SUFFIXES)


def _matching(table: Any, key: str) -> Iterator[tuple[Any, str]]:
    """Yield the values whose pattern fits, the most exact first, with what ``*`` stands for."""
    if not isinstance(table, dict):
        return
    if key in table:
        yield table[key], ""
    found = []
    for pattern, value in table.items():
        before, star, after = str(pattern).partition("*")
        fits = star and key.startswith(before) and key.endswith(after)
        if fits and len(key) >= len(before) + len(after):
            found.append((len(before), value, key[len(before) : len(key) - len(after)]))
    for _, value, stands in sorted(found, key=lambda each: -each[0]):
        yield value, stands


def _targets(value: Any, depth: int) -> Iterator[str]:
    """Yield the files that a value of ``exports`` names, by the conditions we know."""
    if isinstance(value, str):
        yield value
    elif depth < 8 and isinstance(value, list):
        for each in value:
            yield from _targets(each, depth + 1)
    elif depth < 8 and isinstance(value, dict):
        keys = [*(key for key in _CONDITIONS if key in value), *value]
        for key in dict.fromkeys(keys):
            yield from _targets(value[key], depth + 1)
