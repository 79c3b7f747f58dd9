"""Events and decisions as plain JSON values, and back: what a foreign hook reads and writes.

An event's JSON object holds ``event`` (the kind), the identity's fields, the fields of its kind
and ``native``, the host's own payload. Absent values are ``null``.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.errors import HookError
from pointsman.model.event import Event, Identity, UnknownEvent
from pointsman.model.events import DERIVED_EVENTS, HOST_EVENTS

_KINDS = HOST_EVENTS | DERIVED_EVENTS
_OWN_FIELDS = {
    kind: tuple(entry.name for entry in fields(kind) if entry.name != "identity")
    for kind in (*_KINDS.values(), UnknownEvent)
}
_TUPLES = {
    kind: frozenset(entry.name for entry in fields(kind) if entry.default == ())
    for kind in _OWN_FIELDS
}
_IDENTITY = tuple(entry.name for entry in fields(Identity))
_CHANGING = frozenset({Action.MODIFY, Action.ASK})
_DECISION_KEYS = frozenset({"decision", "reason", "rule", "context", "updated_input"})


def event_to_json(event: Event) -> dict[str, Any]:
    """Return the event as one JSON object, in the order of the fields."""
    identity = event.identity
    out: dict[str, Any] = {"event": event.kind}
    out.update((name, getattr(identity, name)) for name in _IDENTITY)
    out.update((name, _plain(getattr(event, name))) for name in _OWN_FIELDS[type(event)])
    return out


def event_from_json(value: Mapping[str, Any]) -> Event:
    """Rebuild what ``event_to_json`` wrote."""
    kind = _KINDS.get(value["event"], UnknownEvent)
    if "name" in value and not all(each in value for each in _OWN_FIELDS[kind]):
        kind = UnknownEvent  # One that bears a known name, but came without being understood.
    identity = Identity(**{name: value[name] for name in _IDENTITY})
    own = {name: value[name] for name in _OWN_FIELDS[kind]}
    own |= {name: tuple(own[name]) for name in _TUPLES[kind]}
    return kind(identity=identity, **own)


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """Return the decision as one JSON object; ``decision`` is ``null`` for context only."""
    return {
        "decision": decision.action.value if decision.action else None,
        "reason": decision.reason,
        "rule": decision.rule,
        "context": decision.context,
        "cause": decision.cause.value,
        "updated_input": _plain(decision.updated_input),
    }


def decision_from_json(value: object) -> Decision | None:
    """Read the answer of a foreign hook; an empty object or ``null`` is no opinion.

    Raises:
        HookError: for anything that is not such an answer to the letter, because an answer that
            is read generously is one that can be misread as a pass.
    """
    if value is None or value == {}:
        return None
    if not isinstance(value, Mapping):
        raise HookError(f"the answer is {_short(value)}, not a JSON object")
    unknown = sorted(set(value) - _DECISION_KEYS - {"cause"})
    if unknown:
        raise HookError(f"the answer has unknown keys: {', '.join(unknown)}")
    decision = Decision(
        action=_action(value.get("decision")),
        reason=_text(value, "reason"),
        rule=_text(value, "rule"),
        context=_text(value, "context"),
        cause=_cause(value.get("cause")),
        updated_input=_updated_input(value),
    )
    if decision.action is None and decision.reason and not decision.context:
        raise HookError("the answer has a reason, but no decision that it is the reason of")
    return decision


def _action(value: object) -> Action | None:
    if value is None:
        return None
    try:
        return Action(str(value))
    except ValueError:
        words = ", ".join(Action)
        raise HookError(f"decision = {_short(value)} is none of {words}") from None


def _cause(value: object) -> Cause:
    try:
        return Cause(str(value)) if value is not None else Cause.VIOLATION
    except ValueError:
        raise HookError(f"cause = {_short(value)} is none of {', '.join(Cause)}") from None


def _text(value: Mapping[str, Any], key: str) -> str:
    text = value.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise HookError(f"{key} = {_short(text)} is not text")
    return text


def _updated_input(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    updated = value.get("updated_input")
    if updated is not None and value.get("decision") not in _CHANGING:
        raise HookError("updated_input comes with no decision = 'modify' (or 'ask')")
    if value.get("decision") == Action.MODIFY and not isinstance(updated, Mapping):
        raise HookError("decision = 'modify' needs the whole new input in updated_input")
    if updated is not None and not isinstance(updated, Mapping):
        raise HookError(f"updated_input = {_short(updated)} is not a JSON object")
    return updated


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return list(value)
    return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
