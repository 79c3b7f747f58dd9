"""Which packages a project depends on, as its manifest says: names alone, in small letters."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

_MOST = 2000
"""Dependencies of one manifest that are looked at."""
_NAME = re.compile(r"[A-Za-z0-9@][\w.@/-]*")
_GO = re.compile(r"^\s*(?:require\s+)?([a-z0-9][\w.-]*\.[a-z]+/\S+)\s+v\d", re.MULTILINE)
_GEM = re.compile(r"""^\s*gem\s+['"]([\w-]+)""", re.MULTILINE)
_ARTIFACT = re.compile(r"<artifactId>\s*([\w.-]+)\s*</artifactId>")
_GRADLE = re.compile(r"""['"][\w.-]+:([\w.-]+)(?::[^'"]*)?['"]""")
_ATOM = re.compile(r"\{:(\w+),")
_KEY = re.compile(r"^  ([\w-]+):", re.MULTILINE)

_JSON_TABLES = (
    "dependencies", "devDependencies", "peerDependencies", "optionalDependencies",
    "require", "require-dev",
)  # fmt: skip


def dependencies(name: str, text: str) -> list[str]:
    """Return what a manifest of this name says that its project depends on.

    Raises:
        ValueError: it is no JSON or TOML, as its name says it is.
    """
    reader = _READERS.get(name)
    if reader is None:
        return []
    found = (each.lower() for each in reader(text))
    return list(dict.fromkeys(each for each, _ in zip(found, range(_MOST), strict=False)))


def _json(text: str) -> Iterator[str]:
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    for table in _JSON_TABLES:
        found = value.get(table) if isinstance(value, dict) else None
        yield from found if isinstance(found, dict) else ()


def _pyproject(text: str) -> Iterator[str]:
    value = tomllib.loads(text)
    project = _table(value, "project")
    lists = [project.get("dependencies"), *_table(project, "optional-dependencies").values()]
    lists += _table(value, "dependency-groups").values()
    for each in lists:
        yield from _requirements(line for line in each or () if isinstance(line, str))
    poetry = _table(_table(value, "tool"), "poetry")
    yield from _table(poetry, "dependencies")
    for group in _table(poetry, "group").values():
        yield from _table(group, "dependencies")


def _cargo(text: str) -> Iterator[str]:
    value = tomllib.loads(text)
    for name in ("dependencies", "dev-dependencies", "build-dependencies"):
        yield from _table(value, name)
    yield from _table(_table(value, "workspace"), "dependencies")


def _table(value: object, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, dict) else {}


def _requirements(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        found = _NAME.match(line.strip())
        if found:
            yield found[0].rstrip(".-")


def _found(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    return lambda text: (each[1] for each in pattern.finditer(text))


_READERS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "package.json": _json,
    "composer.json": _json,
    "pyproject.toml": _pyproject,
    "requirements.txt": lambda text: _requirements(text.splitlines()),
    "Cargo.toml": _cargo,
    "go.mod": _found(_GO),
    "Gemfile": _found(_GEM),
    "pom.xml": _found(_ARTIFACT),
    "build.gradle": _found(_GRADLE),
    "build.gradle.kts": _found(_GRADLE),
    "mix.exs": _found(_ATOM),
    "pubspec.yaml": _found(_KEY),
}
