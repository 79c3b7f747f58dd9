"""Which versions of packages the files of a project fix."""

import re
import tomllib
from collections.abc import Iterator

from pointsman.model.preflight import Files
from pointsman.preflight.environments_code import scope_of
from pointsman.preflight.environments_model import Environment, Sort

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*==\s*([\w.!+-]+)", re.MULTILINE)


def pinned(files: Files, environment: Environment) -> dict[str, str]:
    """Return the versions that are installed there: of the file that its image installs from.

    Empty where that is not known, or nothing is fixed.
    """
    if environment.sort is Sort.LOCAL:
        return {}
    scope = scope_of(files, environment)
    named = environment.fact("installs")
    if not named:
        return {}
    wanted = _LOCKS if named == "lock" else (named.removeprefix("./").rpartition("/")[2],)
    for folder in dict.fromkeys((scope, "")):
        for each in wanted:
            if f"{folder}{each}" in files.names:
                return dict(_read(files.read(f"{folder}{each}"), each))
    return {}


def _read(data: bytes, name: str) -> Iterator[tuple[str, str]]:
    text = data.decode("utf-8", "replace")
    if not name.endswith((".lock", ".toml")):
        for found in _PIN.finditer(text):
            yield _plain(found.group(1)), found.group(2)
        return
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    rows = table.get("package", table.get("packages"))
    for row in rows if isinstance(rows, list) else ():
        package, version = row.get("name"), row.get("version")
        # A package of the project itself is there by its source, not by a version.
        if isinstance(package, str) and isinstance(version, str) and not _own(row):
            yield _plain(package), version


def _own(row: dict[str, object]) -> bool:
    source = row.get("source")
    return isinstance(source, dict) and bool({"virtual", "editable", "directory"} & source.keys())


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
