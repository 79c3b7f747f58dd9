"""From a call to its answer: who asks, what is on record, in words and in values."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pointsman.config.policy_loader import PolicyLoader
from pointsman.mcp import caller, rights, session, spending
from pointsman.mcp.asking import Asked
from pointsman.mcp.server import INVALID_PARAMS, Refused
from pointsman.mcp.tools import MOST_ROWS, ROWS, TOOLS, Tool
from pointsman.model.errors import LedgerError, PointsmanError
from pointsman.model.places import Places
from pointsman.serve import state_dir
from pointsman.store.query import opened

MOST_S = 4.0
"""Seconds that one answer may read the ledger."""
_STEPS = 5000
"""Instructions of SQLite's machine between two looks at the clock: below a millisecond."""

Told = tuple[dict[str, Any], list[str]]
"""An answer as values, and as lines to read."""
ANSWERS: dict[str, Callable[[Asked], Told]] = {
    "spent": spending.spent,
    "limits": spending.limits,
    "denials": session.denials,
    "hooks": session.hooks,
    "looping": session.looping,
    "contract": rights.contract,
    "subagents": session.subagents,
}


class Answers:
    """Carries calls out: finds who asks, reads the ledger, and answers in words and in values."""

    def __init__(
        self, places: Places, environ: Mapping[str, str], now: Callable[[], int] = time.time_ns
    ) -> None:
        self._places = places
        self._environ = environ
        self._now = now
        self._policies = PolicyLoader(places)

    def call(self, name: str, given: Mapping[str, Any], meta: object) -> dict[str, Any]:
        """Return what a tool says: a result that is an error where it cannot be known.

        Raises:
            Refused: the arguments are not those of the tool.
        """
        tool = TOOLS[name]
        limit, mine = _arguments(tool, given)
        try:
            call = caller.call_named(meta)
            with _reading(self._places.ledger) as connection:
                who = caller.caller(connection, call, name, self._environ, self._now)
                asked = Asked(
                    who=who, connection=connection, places=self._places, limit=limit, mine=mine,
                    policies=self._policies, now_ns=self._now(),
                    daemon=state_dir.locked(self._places),
                )  # fmt: skip
                values, lines = ANSWERS[name](asked)
                notes = asked.notes()
        except PointsmanError as error:
            return _failed(error)
        found = {"you": caller.described(who), **values, "notes": notes}
        text = "\n".join([*lines, *(f"Note: {note}" for note in notes)])
        return {
            "content": [{"type": "text", "text": text}],
            "structuredContent": found,
            "isError": False,
        }


def _failed(error: PointsmanError) -> dict[str, Any]:
    step = f"\nnext step: {error.fix}" if error.fix else ""
    return {"content": [{"type": "text", "text": f"Pointsman: {error}{step}"}], "isError": True}


def _arguments(tool: Tool, given: Mapping[str, Any]) -> tuple[int, bool]:
    known = {"limit", "mine"} if tool.rows else set()
    for key in given:
        if key not in known:
            text = json.dumps(key)[:80]
            raise Refused(INVALID_PARAMS, f"the argument {text} is none of {sorted(known)}")
    limit, mine = given.get("limit", ROWS), given.get("mine", False)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_ROWS:
        raise Refused(INVALID_PARAMS, f"limit = {json.dumps(limit)[:80]} is not 1 to {MOST_ROWS}")
    if not isinstance(mine, bool):
        raise Refused(INVALID_PARAMS, f"mine = {json.dumps(mine)[:80]} is not true or false")
    return limit, mine


@contextlib.contextmanager
def _reading(ledger: Path) -> Iterator[sqlite3.Connection]:
    deadline = time.monotonic() + MOST_S
    with opened(ledger) as connection:
        connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            yield connection
        except sqlite3.OperationalError as error:
            if time.monotonic() <= deadline:
                raise
            raise LedgerError(
                f"the ledger was read for {MOST_S:g} seconds without an end",
                fix="ask for less, or later",
            ) from error
