"""What a person has said of proposed rules: a file in the user's state, out of an agent's reach."""

import json
import os
import time
from pathlib import Path
from typing import Any

from pointsman.model.convention import Check, Convention, Kind, State
from pointsman.model.errors import ConfigError

_MOST_BYTES = 8 * 1024 * 1024
_FIX = "move it away and confirm the rules again: pointsman conventions"


class Book:
    """Confirmed and rejected rules of every repository, by the rule's id."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> object:
        """Return what changes when the file does."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)

    def rules(self, repository: str) -> dict[str, Convention]:
        """Return what is said of a repository's rules; the line is the one it had then.

        Raises:
            ConfigError: the file cannot be read.
        """
        table = self._read().get(repository, {})
        return {name: rule for name, given in table.items() if (rule := _rule(given)) is not None}

    def say(self, repository: str, rules: list[Convention], state: State | None) -> None:
        """Write down what a person says of these rules; ``None`` forgets what was said.

        Raises:
            ConfigError: the file cannot be read or written.
        """
        whole = self._read()
        table = whole.setdefault(repository, {})
        for rule in rules:
            if state is None:
                table.pop(rule.id, None)
            else:
                table[rule.id] = {
                    "state": state.value, "file": rule.file, "line": rule.line, "text": rule.text,
                    "hash": rule.hash, "check": rule.check.as_dict(), "at": int(time.time()),
                }  # fmt: skip
        self._write(whole)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            text = self.path.read_bytes()[: _MOST_BYTES + 1]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error}", fix=_FIX) from error
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{self.path} is no JSON: {error}", fix=_FIX) from error
        if not isinstance(value, dict) or not all(
            isinstance(each, dict) for each in value.values()
        ):
            raise ConfigError(f"{self.path} holds no table of repositories", fix=_FIX)
        return value

    def _write(self, whole: dict[str, dict[str, Any]]) -> None:
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new.write_text(json.dumps(whole, indent=1), encoding="utf-8")
            new.chmod(0o600)
            new.replace(self.path)
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error}", fix="df -h") from error


def _rule(given: Any) -> Convention | None:
    """Return a rule as it was written down; one that this version does not know is none."""
    try:
        check = given["check"]
        return Convention(
            file=str(given["file"]),
            line=int(given["line"]),
            text=str(given["text"]),
            check=Check(
                Kind(check["kind"]), str(check["value"]), str(check["instead"]),
                tuple(map(str, check["suffixes"])), str(check["under"]),
            ),
            state=State(given["state"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None
