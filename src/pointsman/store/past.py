"""How agents of a session ended, for a daemon that was not there yet."""

import json
from collections.abc import Callable
from pathlib import Path

from pointsman.model.errors import LedgerError
from pointsman.model.team import GIVEN_UP, undone
from pointsman.store.query import Filter, query, show


def past_of(ledger: Path) -> Callable[[str, str], str | None]:
    """Return what tells how the last agent of a type ended in a session.

    The empty string is well, ``None`` that no end is on record. A ledger that cannot be read
    knows of none.
    """

    def how(session: str, agent: str) -> str | None:
        wanted = Filter(session=session, agent=agent, event="SubagentStop")
        try:
            for row in query(ledger, wanted, 1):
                return _how(ledger, row["seq"], row["decision"], row["rule"], row["reason"])
        except LedgerError:
            return None
        return None

    return how


def _how(ledger: Path, seq: int, decision: str, rule: str, reason: str) -> str | None:
    if decision == "deny":
        return None
    if rule == GIVEN_UP:
        return reason
    try:
        payload = json.loads(show(ledger, seq)["payload"])
    except (ValueError, KeyError, TypeError):
        return ""
    message = payload.get("last_assistant_message") if isinstance(payload, dict) else None
    return undone(message) if isinstance(message, str) else ""
