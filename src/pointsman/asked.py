"""An approval as a program reads it: what commands, daemon and dashboard say of one."""

from dataclasses import asdict
from typing import Any

from pointsman.engine.approval import next_state
from pointsman.model.approval import NOT_KNOWN, Approval, Moment, State
from pointsman.store.query import iso


def as_json(one: Approval, now: Moment) -> dict[str, Any]:
    """Return an approval as one JSON object; times are ISO 8601 in UTC, ``null`` for never."""
    bound = asdict(one.binding)
    decided_ns = one.decided.wall_ns if one.decided else 0
    return {
        "id": one.id,
        "state": state_of(one, now).value,
        "tool": bound.pop("tool"),
        "input": dict(one.input),
        "input_cut": one.cut,
        "modified": dict(one.modified) if one.modified is not None else None,
        "rule": one.rule,
        "hook": one.hook,
        "reason": one.reason,
        "cause": one.cause,
        "risk": {**asdict(one.risk), "reach": list(one.risk.reach) or NOT_KNOWN},
        "agent": bound.pop("agent"),
        "agent_id": one.agent_id,
        "session": one.session,
        "repository": bound.pop("repository"),
        "cwd": bound.pop("cwd"),
        "binding": {**bound, "session": bound["session"] or None, "rules": list(bound["rules"])},
        "requests": one.requests,
        "created": iso(one.created_ns),
        "wait_until": _time(one.wait_until_ns),
        "escalated": _time(one.escalated_ns),
        "shown": _time(one.shown_ns),
        "decided": _time(decided_ns),
        "decided_by": one.decided_by,
        "note": one.note,
        "valid_for_s": one.terms.valid_for,
        "on_timeout": one.terms.on_timeout.value,
        "used": _time(one.used_ns),
        "call": one.call,
    }


def state_of(one: Approval, now: Moment) -> State:
    """Return the state as time has made it, though no daemon has put that down yet."""
    then = next_state(one, now)
    return then if isinstance(then, State) else one.state


def _time(ns: int) -> str | None:
    return iso(ns) if ns else None
