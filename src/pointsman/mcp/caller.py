"""Who asks: the one call on record that is under way, or nobody.

The host names its own call in ``_meta`` of each request (Claude Code: ``claudecode/toolUseId``,
measured with 2.1.330), and its hook has put that call on record before it let it begin. So the
record says whose it is, subagents included, and after ``/clear`` or ``/resume`` as well, when what
the environment says is of yesterday. What cannot be found is nobody's: no answer, and never
another's.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

from pointsman.model.errors import PointsmanError
from pointsman.store import own
from pointsman.store.own import OpenCall

CALL_KEYS = ("claudecode/toolUseId",)
"""How hosts name their own call; a new host is one more."""
SESSION = "CLAUDE_CODE_SESSION_ID"
_MOST_AGE = 15 * 60 * 10**9
_MOST_ID = 200


class UnknownCaller(PointsmanError):
    """It cannot be told who asks."""


def call_named(meta: object) -> str:
    """Return the host's id of the call that asks, from a request's ``_meta``.

    Raises:
        UnknownCaller: it names none.
    """
    found = [meta.get(key) for key in CALL_KEYS] if isinstance(meta, Mapping) else []
    for each in found:
        if isinstance(each, str) and 0 < len(each) <= _MOST_ID:
            return each
    raise UnknownCaller(
        "whose session this is could not be verified: the client does not say which of its tool "
        f"calls this is (no {CALL_KEYS[0]} in _meta)",
        fix="ask from within a session of Claude Code; a person types: pointsman watch",
    )


def caller(
    connection: sqlite3.Connection,
    call: str,
    tool: str,
    environ: Mapping[str, str],
    now: Callable[[], int] = time.time_ns,
) -> OpenCall:
    """Return the call on record that asks with this tool of ours.

    Raises:
        UnknownCaller: there is none, there are several, or it is another session's.
    """
    found = [each for each in own.open_calls(connection, call) if _is_ours(each, tool, now())]
    if len(found) != 1:
        what = "several sessions have" if found else "the record has no"
        raise UnknownCaller(
            f"whose session this is could not be verified: {what} call {call!r} under way",
            fix="the hooks must be in force in this session; a person types: pointsman doctor",
        )
    told = environ.get(SESSION, "")
    # After /clear the environment names a session that has ended; one that goes on is another's.
    if told and told != found[0].session and own.is_live(connection, told):
        raise UnknownCaller(
            "the call is another session's than the one that this server was started in",
            fix="ask with the tools of your own session",
        )
    return found[0]


def _is_ours(call: OpenCall, tool: str, now_ns: int) -> bool:
    named = call.tool.startswith("mcp__") and call.tool.endswith(f"__{tool}")
    return named and now_ns - call.received_ns <= _MOST_AGE


def described(call: OpenCall) -> dict[str, Any]:
    """Return who asks, as each answer says it."""
    return {
        "session": call.session,
        "agent": call.agent_type or ("main" if call.agent_id is None else call.agent_id),
        "agent_id": call.agent_id,
    }
