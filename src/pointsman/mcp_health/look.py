"""Where to look for declarations, and what a host's file gives: read once, capped, never fatal."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.paths.content import read_regular

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a file that are read (Claude Code keeps its history in the same file)."""
_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])')


@dataclass(slots=True)
class Look:
    """For whom and where: the home, the project, the variables that declarations may name.

    ``host_config`` is Claude Code's own directory where its environment names one. ``cwd`` is the
    session's directory. ``attended`` says whether somebody sits there to be asked. ``problems``
    collects what could not be read, a line each.
    """

    home: Path
    repository: str = ""
    cwd: str = ""
    host_config: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    attended: bool = True
    etc: Path = Path("/etc")
    problems: list[str] = field(default_factory=list)

    def folders(self) -> list[str]:
        """Return the session's directory and the repository's root, each once."""
        return [each for each in dict.fromkeys((self.cwd, self.repository)) if each]

    def json(self, path: Path) -> Mapping[str, Any]:
        """Return the object in a JSON file, comments allowed; empty where there is none."""
        return self._read(path, _loads)

    def toml(self, path: Path) -> Mapping[str, Any]:
        """Return the tables of a TOML file; empty where there is none."""
        return self._read(path, tomllib.loads)

    def _read(self, path: Path, parse: Callable[[str], Any]) -> Mapping[str, Any]:
        try:
            found = parse(read_regular(str(path), MOST_BYTES).decode("utf-8-sig"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, RecursionError) as error:
            self.problems.append(f"{path} cannot be read: {error}"[:300])
            return {}
        if isinstance(found, Mapping):
            return found
        self.problems.append(f"{path} holds no table of servers")
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One entry of a file, as it stands there.

    ``root`` is the project it holds for, ``held`` why it may not be probed, ``style`` how it names
    variables (``expand.py``). ``wins`` says that nothing else of the host counts beside its file.
    """

    name: str
    table: Mapping[str, Any] = field(repr=False)
    scope: str
    file: Path
    root: str = ""
    held: str = ""
    style: str = ""
    wins: bool = False


def entries(holder: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what stands in a table of servers; what is no entry is left out."""
    if isinstance(holder, Mapping):
        for name, table in list(holder.items())[:256]:
            if isinstance(name, str) and isinstance(table, Mapping):
                yield name, table


def texts(value: object) -> list[str]:
    """Return the texts of a list."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def table_of(value: object, *keys: str) -> Mapping[str, Any]:
    """Return the table that keys lead to; empty where they lead to none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        # VS Code and Gemini take comments and a comma at the end.
        plain = _COMMENT.sub(_unless_text(" "), text)
        return json.loads(_COMMA.sub(_unless_text(""), plain))


def _unless_text(instead: str) -> Callable[[re.Match[str]], str]:
    return lambda found: found[0] if found[0].startswith('"') else instead
