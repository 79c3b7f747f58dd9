"""One settings file: read, parsed and checked, with everything that is wrong at once."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.config.schema import SETTINGS
from pointsman.config.toml_lines import key_lines, line_of
from pointsman.model.policy import Problem
from pointsman.paths.content import read_regular

MOST_BYTES = 256 * 1024
_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of a file that checks out, or ``problems`` and no values."""

    file: str
    values: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    exists: bool = True
    text: str = ""

    def line(self, key: tuple[str | int, ...]) -> int:
        """Return the line that a key stands on."""
        return line_of(key_lines(self.text), key)


def read_settings(path: Path) -> Settings:
    """Read a settings file; one that is not there is empty."""
    name = str(path)
    try:
        data = read_regular(name, MOST_BYTES)
    # Only this is empty: a file that cannot be read may say something strict.
    except FileNotFoundError:
        return Settings(name, exists=False)
    except OSError as error:
        return _broken(name, f"it cannot be read: {error.strerror}", f"ls -l {name}")
    return parse_settings(name, data)


def parse_settings(name: str, data: bytes) -> Settings:
    """Parse and check what a settings file of this name holds."""
    try:
        # Editors may put a byte order mark first, which to tomllib is a mistake.
        text = data.decode("utf-8-sig")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return _broken(name, "it is not UTF-8", "save it as UTF-8", line)
    except (ValueError, RecursionError) as error:
        # The parser's own error is a ValueError, and so is what int() says of 5000 digits.
        found = _LINE.search(str(error))
        # At the end of the text the parser names no line.
        line = int(found[1]) if found else text.count("\n") + 1
        return _broken(name, f"it is no TOML: {error}", "mend the syntax", line)
    return Settings(name, values, tuple(_check(name, text, values)), text=text)


def _check(name: str, text: str, values: Mapping[str, Any]) -> list[Problem]:
    lines = key_lines(text)
    problems: list[Problem] = []

    def report(at: tuple[str | int, ...], value: Any, message: str, fix: str) -> None:
        shown = "(missing)" if value is None else repr(value)
        problems.append(
            Problem(
                file=name,
                line=line_of(lines, at),
                key=spelled(at),
                value=shown if len(shown) <= 120 else shown[:119] + "…",
                message=message,
                fix=fix,
            )
        )

    SETTINGS.check(values, (), report)
    return problems


def spelled(at: tuple[str | int, ...]) -> str:
    """Return a key as a person writes it: ``hooks[0].name``."""
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _broken(name: str, message: str, fix: str, line: int = 1) -> Settings:
    problem = Problem(file=name, line=line, key="file", value=name, message=message, fix=fix)
    return Settings(name, problems=(problem,))
