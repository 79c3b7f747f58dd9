"""The schemas of the answers: JSON Schema, each field with its type."""

from collections.abc import Mapping
from typing import Any

from pointsman.model.usage import TOKEN_FIELDS

TEXT = {"type": "string"}
MAYBE = {"type": ["string", "null"]}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number", "minimum": 0}
YES = {"type": "boolean"}
TEXTS = {"type": "array", "items": TEXT}
USD = {"type": ["number", "null"], "description": "US dollars; null where a price is not known"}


def record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has all of these fields."""
    return {"type": "object", "properties": dict(fields), "required": list(fields)}


def rows(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a list of such objects."""
    return {"type": "array", "items": record(fields)}


def answer(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a whole answer: who asks, its own fields, what it cannot know."""
    return record({"you": _YOU, **fields, "notes": TEXTS})


_YOU = record({"session": TEXT, "agent": TEXT, "agent_id": MAYBE})
_AMOUNT = {
    **dict.fromkeys(TOKEN_FIELDS, COUNT), "tokens": COUNT, "cost_usd": USD, "messages": COUNT,
    "unpriced_messages": COUNT,
}  # fmt: skip
_WORKED = record({**_AMOUNT, "tool_calls": COUNT, "minutes": NUMBER})
SPENT = {
    "session": _WORKED,
    "mine": _WORKED,
    "by_model": rows({"model": TEXT, **_AMOUNT}),
    "denied": COUNT,
}
LIMITS = {
    "limits": rows({
        "rule": TEXT, "per": TEXT, "of": TEXT, "at": NUMBER, "used": NUMBER, "remains": NUMBER,
        "reached": YES, "then": TEXT, "unpriced_messages": COUNT, "source": TEXT,
    })
}  # fmt: skip
_EVENT = {"seq": COUNT, "time": TEXT, "agent": TEXT, "agent_id": MAYBE, "mine": YES}
DENIALS = {
    "denials": rows({
        **_EVENT, "event": TEXT, "tool": TEXT, "path": TEXT, "tool_use_id": MAYBE,
        "decision": {"enum": ["deny", "ask", "modify"]}, "rule": TEXT, "reason": TEXT,
        "hook": TEXT, "cause": MAYBE, "instead": TEXT,
    })
}  # fmt: skip
HOOKS = {
    "hooks": rows({
        "hook": TEXT, "role": TEXT, "runs": COUNT, "failed": COUNT,
        "outcomes": {"type": "object", "additionalProperties": COUNT}, "last_failure": TEXT,
    }),
    "failing": COUNT,
}  # fmt: skip
LOOPING = {
    "looping": YES,
    "findings": rows({
        **_EVENT, "detector": TEXT, "severity": TEXT, "summary": TEXT,
        "figures": {"type": "object"},
    }),
}  # fmt: skip
_ENTRY = {
    "files": TEXTS, "description": TEXT, "model": TEXT, "tools": TEXTS, "disallowedTools": TEXTS,
    "capabilities": TEXTS, "readOnly": YES, "council": YES, "network": TEXT, "mayWrite": TEXTS,
    "mayNotWrite": TEXTS, "blockedBy": TEXTS, "requires": TEXTS, "checks": TEXTS,
}  # fmt: skip
CONTRACT = {
    "bound": YES,
    "problems": TEXTS,
    "contract": {**record(_ENTRY), "type": ["object", "null"]},
}
SUBAGENTS = {
    "subagents": rows({
        "agent_id": TEXT, "agent": TEXT, "parent": MAYBE, "over": YES, "first": TEXT, "last": TEXT,
        "tool_calls": COUNT, "denied": COUNT, "asked": COUNT, "tokens": COUNT, "cost_usd": USD,
    })
}  # fmt: skip
