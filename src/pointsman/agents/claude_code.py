"""Claude Code: its payloads to events, our decisions to its exit codes and JSON.

Measured with client 2.1.330. A denial is exit code 2 with the reason on stderr: that is closed
however the output is cut. Beside it goes the same denial as JSON, because the client then shows
the reason without our command line in front of it. Ask, modify and context are heeded with exit
code 0 only; their JSON is one short line that the native client writes whole or not at all.
"""

import json
import math
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from pointsman.model.answer import PASS, STOP, Answer
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.errors import PayloadError
from pointsman.model.event import Event, Identity, UnknownEvent
from pointsman.model.events import HOST_EVENTS
from pointsman.model.guard_events import GUARD_EVENTS

NAME = "claude-code"

_BASE = frozenset(
    {"session_id", "transcript_path", "cwd", "hook_event_name", "prompt_id", "permission_mode"}
    | {"effort", "agent_id", "agent_type", "tool_use_id"}
)
_MOST_NESTING = 200
"""Levels of arrays and objects; what comes after us may recurse into them."""
_COMMON = frozenset(entry.name for entry in fields(Event))
# Without these a guard has nothing to judge, and its silence would let the call pass.
_NEEDED = {"PreToolUse": ("tool_name", "tool_input"), "PermissionRequest": ("tool_name",)}
_JSON_TYPES: dict[type, Callable[[object], bool]] = {
    str: lambda value: isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    # To Python True is an int; to the host it is none.
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    tuple: lambda value: isinstance(value, list),
    dict: lambda value: isinstance(value, dict),
}


_RENAMED = {"FileChanged": {"event": "change"}}
"""Fields of the host's with another name here: ``event`` is the kind in our own JSON."""


def _shapes(kind: type[Event]) -> dict[str, type | None]:
    """Return the host's fields of this kind, each with its type (``None``: any value)."""
    theirs = {ours: native for native, ours in _RENAMED.get(kind.KIND, {}).items()}
    shapes: dict[str, type | None] = {}
    for entry in fields(kind):
        if entry.name in _COMMON:
            continue
        factory = entry.default_factory
        default = entry.default if factory is MISSING else factory()
        shapes[theirs.get(entry.name, entry.name)] = None if default is None else type(default)
    return shapes


_SHAPES = {name: _shapes(kind) for name, kind in HOST_EVENTS.items()}
_KNOWN = {name: _BASE | shapes.keys() for name, shapes in _SHAPES.items()}


def read(payload: bytes, expected: str, cwd: str = "", received_ns: int = 0) -> Event:
    """Turn one payload into an event.

    ``expected`` is the event that the client was started for. A field that is missing or null takes
    its default, one with the wrong shape is left out and named in ``problems``; the whole payload
    stays in ``native``.

    Raises:
        PayloadError: where it is no JSON object, names another event than a guard event that
            was expected, or lacks what a guard has to judge.
    """
    native = _parse(payload)
    name = native.get("hook_event_name", expected)
    if not isinstance(name, str) or _is_mistaken(name, expected):
        raise PayloadError(
            f"the payload says hook_event_name = {_short(name)}, the client was started for "
            f"{expected!r}",
            fix="pointsman doctor",
        )
    return _event(native, name or expected, cwd, received_ns)


def _is_mistaken(name: str, expected: str) -> bool:
    # A call under another guard event's name would meet the wrong guards. Where nobody waits for
    # yes or no, a name that the host has changed does no harm.
    return name != expected and (expected in GUARD_EVENTS or name in GUARD_EVENTS)


def _parse(payload: bytes) -> dict[str, Any]:
    if not payload.strip():
        raise PayloadError("the payload is empty", fix="pointsman doctor")
    try:
        # The mark by hand: the codec that knows it is written in Python.
        native = _JSON.decode(payload.removeprefix(BOM_UTF8).decode("utf-8", "surrogatepass"))
        _check_nesting(payload, native)
    except (ValueError, RecursionError) as error:
        detail = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise PayloadError(
            f"the payload is not JSON: {detail} ({len(payload)} bytes, begins "
            f"{_short(payload[:40])})",
            fix="pointsman doctor",
        ) from None
    if not isinstance(native, dict):
        raise PayloadError(
            f"the payload is {_short(native)}, not a JSON object", fix="pointsman doctor"
        )
    return native


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text[:40]} is out of a number's bounds")
    return value


# Python alone reads NaN and 1e999 as numbers, and would write what no other language reads.
_JSON = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
"""Made once: making a decoder costs as much as reading a small payload does."""


def _check_nesting(payload: bytes, native: object) -> None:
    """Raise RecursionError for what is nested so deeply that a later stage would."""
    # Depth needs brackets: counting them spares the usual payload the walk.
    if payload.count(b"[") + payload.count(b"{") <= _MOST_NESTING:
        return
    # What holds nothing is left out: it is most of a payload, and going through it again costs more
    # than the reading of it did.
    level: list[Any] = [native] if native and type(native) in _HOLDERS else []
    for _ in range(_MOST_NESTING - 1):
        level = [
            inner
            for value in level
            for inner in (value.values() if type(value) is dict else value)
            if inner and type(inner) in _HOLDERS
        ]
        if not level:
            return
    raise RecursionError


_HOLDERS = frozenset({dict, list})


def _event(native: dict[str, Any], name: str, cwd: str, received_ns: int) -> Event:
    kind = HOST_EVENTS.get(name)
    shapes = _SHAPES.get(name, {})
    values, problems = _own_values(native, shapes)
    missing = [key for key in _NEEDED.get(name, ()) if key not in values]
    if missing:
        raise PayloadError(
            f"the {name} payload has no usable {' and no '.join(missing)}",
            fix="pointsman doctor",
        )
    common: dict[str, Any] = {
        "identity": _identity(native, cwd),
        "received_ns": received_ns,
        "native": native,
        "problems": tuple(problems),
        "transcript_path": _text(native, "transcript_path") or "",
        "permission_mode": _text(native, "permission_mode") or "",
    }
    if kind is None:
        return UnknownEvent(name=name, **common)
    for theirs, ours in _RENAMED.get(name, {}).items():
        if theirs in values:
            values[ours] = values.pop(theirs)
    if not native.keys() <= _KNOWN[name]:
        common["unknown"] = tuple(key for key in native if key not in _KNOWN[name])
    return kind(**common, **values)


def _own_values(
    native: Mapping[str, Any], shapes: Mapping[str, type | None]
) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    problems = []
    for key, shape in shapes.items():
        value = native.get(key)
        if value is None:  # The client writes null for what is not there (PreCompact does).
            continue
        if shape is None or _JSON_TYPES[shape](value):
            values[key] = tuple(value) if shape is tuple else value
        else:
            problems.append(f"{key} = {_short(value)} is not of type {shape.__name__}")
    return values, problems


def _identity(native: Mapping[str, Any], cwd: str) -> Identity:
    return Identity(
        host=NAME,
        session=_text(native, "session_id") or "",
        agent_id=_text(native, "agent_id"),
        agent_type=_text(native, "agent_type"),
        prompt_id=_text(native, "prompt_id"),
        tool_use_id=_text(native, "tool_use_id"),
        # Where the host names none, the client's own: relative paths need one to be judged.
        cwd=_text(native, "cwd") or cwd,
    )


def _text(native: Mapping[str, Any], key: str) -> str | None:
    value = native.get(key)
    return value if isinstance(value, str) else None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


_CONTEXT_EVENTS = frozenset(
    {"PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "SessionStart"}
    | {"UserPromptSubmit", "SubagentStart"}
)
"""Events whose ``additionalContext`` reaches the model without changing what happens next."""

_ENDING_EVENTS = frozenset({"PostToolUse", "PostToolUseFailure", "PostToolBatch"})
"""Events behind a call, where ``continue: false`` ends the run before the model is asked again.
Before a call it does not stop the call itself (measured): there it goes beside the denial."""

_ALLOWED = "Pointsman allows this"
_ASKED = "Pointsman asks a person"
_OPENINGS = {
    Cause.VIOLATION: "Pointsman stopped this",
    Cause.UNVERIFIED: "Pointsman could not verify this",
    Cause.FAILURE: "Pointsman could not check this (its own failure, not a policy violation)",
}


def write(kind: str, decision: Decision) -> Answer:
    """Turn a decision into what the client must do for this kind of event.

    Where a host cannot ask, a question is a denial.
    """
    action = decision.action
    if action is Action.DENY and decision.ends and kind in _ENDING_EVENTS:
        return Answer(PASS, _json(kind, {}, decision.notice, ends=message(decision)))
    if action is Action.DENY or (action is Action.ASK and kind != "PreToolUse"):
        return Answer(STOP, _denial(kind, decision), _encode(message(decision)))
    output = _specific_output(kind, decision)
    if not output and not decision.notice:
        return Answer()
    return Answer(PASS, _json(kind, output, decision.notice))


def _denial(kind: str, decision: Decision) -> bytes:
    text = message(decision)
    if kind == "PreToolUse":
        output = {"permissionDecision": "deny", "permissionDecisionReason": text}
        return _json(kind, output, ends=text if decision.ends else "")
    if kind == "PermissionRequest":
        return _json(kind, {"decision": {"behavior": "deny", "message": text}})
    return b""


def message(decision: Decision) -> str:
    """Return the text for the agent and its person: what, why, by which rule."""
    source = " ".join(part for part in (decision.rule, decision.hook) if part)
    tail = f" [{source}]" if source else ""
    opening = _OPENINGS[decision.cause]
    if decision.action is Action.ALLOW:
        opening = _ALLOWED
    # A question about what could not be verified keeps the opening that says so.
    elif decision.action is Action.ASK and decision.cause is Cause.VIOLATION:
        opening = _ASKED
    return f"{opening}: {decision.reason or 'no reason given'}{tail}"


def _specific_output(kind: str, decision: Decision) -> dict[str, Any]:
    output: dict[str, Any] = {}
    if decision.action is Action.ALLOW and kind == "PermissionRequest":
        output["decision"] = {"behavior": "allow"}
    if decision.action in {Action.ALLOW, Action.ASK} and kind == "PreToolUse":
        output["permissionDecision"] = decision.action.value
        output["permissionDecisionReason"] = message(decision)
    # No "allow" goes with a changed input: it would skip the user's own prompt.
    if decision.updated_input is not None and kind == "PreToolUse":
        output["updatedInput"] = dict(decision.updated_input)
    if decision.updated_output is not None and kind == "PostToolUse":
        output["updatedToolOutput"] = decision.updated_output
    if decision.context and kind in _CONTEXT_EVENTS:
        output["additionalContext"] = decision.context
    return output


def _json(kind: str, output: Mapping[str, Any], notice: str = "", *, ends: str = "") -> bytes:
    body: dict[str, Any] = {"continue": False, "stopReason": ends} if ends else {}
    body |= {"systemMessage": notice} if notice else {}
    if output:
        body["hookSpecificOutput"] = {"hookEventName": kind, **output}
    # ASCII, because a lone surrogate quoted from a payload cannot be encoded otherwise.
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()


def _encode(text: str) -> bytes:
    # The reason may quote a lone surrogate, too; the words must get out all the same.
    return (text + "\n").encode("utf-8", "backslashreplace")
