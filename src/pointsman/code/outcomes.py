"""What came of edits: type errors after them, files read again, edits done over."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_EDITS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
_CHECKER = re.compile(
    r"\b(tsc|vue-tsc|tsgo|mypy|pyright|basedpyright|ty check|pyrefly|go (build|vet|test)"
    r"|cargo (build|check|test|clippy)|typecheck|type-check)\b"
)
_ERRORS = re.compile(
    r"error TS\d+|: error: |\berror\[E\d+\]|\.go:\d+:\d+: |\berror\[[a-z-]+\]"
    r"|\bNameError: |\bImportError: |\bModuleNotFoundError: |\bAttributeError: "
)
_WORTH = 12
"""Characters of a line that are enough to tell it from any other line."""


class Ended(Protocol):
    """A call that has ended."""

    @property
    def tool(self) -> str:
        """Its tool."""

    @property
    def path(self) -> str:
        """The file that it names."""

    @property
    def failed(self) -> bool:
        """Whether it failed."""

    @property
    def given(self) -> dict[str, Any]:
        """Its input."""

    @property
    def output(self) -> str:
        """What it gave back."""


@dataclass(slots=True)
class Outcome:
    """Figures of one side; each rate is by 100 edits."""

    sessions: int = 0
    edits: int = 0
    failed_edits: int = 0
    checks: int = 0
    type_errors: int = 0
    reads_again: int = 0
    redone: int = 0

    def as_json(self) -> dict[str, float | int]:
        """Return counts and rates as one flat object."""
        counts: dict[str, float | int] = {
            name: getattr(self, name)
            for name in ("sessions", "edits", "failed_edits", "checks", "type_errors")
        }
        counts |= {"reads_again": self.reads_again, "redone": self.redone}
        for name in ("type_errors", "reads_again", "redone"):
            rate = 100 * counts[name] / self.edits if self.edits else 0.0
            counts[f"{name}_per_100_edits"] = round(rate, 1)
        return counts


def add(outcome: Outcome, calls: Iterable[Ended]) -> None:
    """Add what came of one session's edits.

    A type error is one that a type checker or a compiler reports after an edit of the session, or
    that Python raises for a name that is not there. A file is read again if the session has read
    it before and nobody has changed it there since. An edit is done over if it takes away a line
    that an earlier edit of the session has put in.
    """
    outcome.sessions += 1
    read: dict[str, set[str]] = {}
    put_in: dict[str, set[str]] = {}
    edited = False
    for call in calls:
        if call.tool in _EDITS:
            edited = True
            _edit(outcome, call, put_in)
            # What the tool has changed may be looked at again.
            read.pop(call.path, None)
        elif call.tool == "Read" and not call.failed:
            part = f"{call.given.get('offset', '')}-{call.given.get('limit', '')}"
            outcome.reads_again += int(part in read.get(call.path, ()))
            read.setdefault(call.path, set()).add(part)
        elif call.tool == "Bash" and edited:
            _command(outcome, call)


def _edit(outcome: Outcome, call: Ended, put_in: dict[str, set[str]]) -> None:
    outcome.edits += 1
    if call.failed:
        outcome.failed_edits += 1
        return
    edits = call.given.get("edits")
    parts = [each for each in edits if isinstance(each, Mapping)] if isinstance(edits, list) else []
    mine = put_in.setdefault(call.path, set())
    taken_out: set[str] = set()
    new: set[str] = set()
    for part in (call.given, *parts):
        old_lines, new_lines = _lines(part.get("old_string")), _lines(part.get("new_string"))
        taken_out |= old_lines - new_lines
        new |= new_lines - old_lines
    outcome.redone += int(bool(taken_out & mine))
    mine |= new | _lines(call.given.get("content"))


def _lines(text: object) -> set[str]:
    if not isinstance(text, str):
        return set()
    return {line for each in text.splitlines() if len(line := each.strip()) >= _WORTH}


def _command(outcome: Outcome, call: Ended) -> None:
    checked = _CHECKER.search(str(call.given.get("command", ""))) is not None
    outcome.checks += int(checked)
    found = len(_ERRORS.findall(call.output))
    if checked or "Error: " in call.output:
        outcome.type_errors += found
