"""A message of OTLP from a host, reduced to counts: Claude Code's events, by session.

Names are those of client 2.1.330, measured. Of what people and models have said nothing is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pointsman.model.telemetry import HostCall, Received

_PREFIX = "claude_code."
_MOST_ITEMS = 20_000
_MOST_TEXT = 200
_MOST_NUMBER = 10**15
Attributes = Mapping[str, str]
Add = Callable[[str, int], None]


def read_message(signal: str, value: object, now_ns: int) -> Received:
    """Return what a message adds; what is not as it should be in it is passed over."""
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    calls: dict[tuple[str, str], HostCall] = {}
    outer, inner, items = _SHAPES[signal]
    found = _items(value, outer, inner, items)
    for number, item in enumerate(found):
        if number >= _MOST_ITEMS:
            break
        for attributes in _attribute_sets(signal, item):
            session = attributes.get("session.id", "")
            if not session:
                continue
            counts[session][_ITEMS[signal]] += 1
            if signal == "logs":
                _read_log(item, attributes, counts[session])
                call = _call(_name(item, attributes), attributes, _time(item) or now_ns)
                if call is not None:
                    known = calls.get((session, call.id))
                    calls[session, call.id] = call if known is None or call.ended else known
    plain = {session: dict(each) for session, each in counts.items()}
    return Received(at_ns=now_ns, counts=plain, calls=tuple(calls.values()))


def _read_log(item: Mapping[str, Any], attributes: Attributes, add: dict[str, int]) -> None:
    reader = _EVENTS.get(_name(item, attributes))
    for name, amount in reader(attributes) if reader else ():
        add[name] += amount


def _tool_result(given: Attributes) -> Iterator[tuple[str, int]]:
    yield "tool_results", 1
    if given.get("success") != "true":
        yield "tool_failures", 1


def _tool_decision(given: Attributes) -> Iterator[tuple[str, int]]:
    yield ("tool_accepted" if given.get("decision") == "accept" else "tool_rejected"), 1


def _hooks(given: Attributes) -> Iterator[tuple[str, int]]:
    yield "hooks_run", _number(given.get("num_hooks"))
    yield "hooks_blocked", _number(given.get("num_blocking"))
    yield "hooks_failed", _number(given.get("num_non_blocking_error"))
    cancelled = _number(given.get("num_cancelled"))
    yield "hooks_cancelled", cancelled
    if given.get("hook_event") == "PreToolUse":
        yield "guards_cancelled", cancelled


def _api_request(given: Attributes) -> Iterator[tuple[str, int]]:
    yield "api_requests", 1
    for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens"):
        yield name, _number(given.get(name))
    yield "cost_micros", _number(given.get("cost_usd_micros"))


_EVENTS: dict[str, Callable[[Attributes], Iterator[tuple[str, int]]]] = {
    "tool_result": _tool_result,
    "tool_decision": _tool_decision,
    "hook_execution_complete": _hooks,
    "api_request": _api_request,
    "api_error": lambda _given: iter([("api_errors", 1)]),
    "user_prompt": lambda _given: iter([("prompts", 1)]),
}


def _call(name: str, given: Attributes, at_ns: int) -> HostCall | None:
    identity = given.get("tool_use_id", "")
    if name not in {"tool_result", "tool_decision"} or not identity:
        return None
    return HostCall(
        session=given["session.id"],
        id=identity,
        at_ns=at_ns,
        tool=given.get("tool_name", ""),
        agent_id=given.get("agent_id", ""),
        ended=name == "tool_result",
    )


def _name(item: Mapping[str, Any], attributes: Attributes) -> str:
    body = item.get("body")
    text = body.get("stringValue") if isinstance(body, Mapping) else None
    said = text if isinstance(text, str) and text.startswith(_PREFIX) else None
    return (said or attributes.get("event.name", "")).removeprefix(_PREFIX)


def _attribute_sets(signal: str, item: Mapping[str, Any]) -> Iterator[Attributes]:
    if signal != "metrics":
        yield _attributes(item.get("attributes"))
        return
    for kind in ("sum", "gauge", "histogram"):
        for point in _list(_mapping(item.get(kind)).get("dataPoints")):
            yield _attributes(_mapping(point).get("attributes"))


def _attributes(given: object) -> Attributes:
    out = {}
    for each in _list(given)[:200]:
        pair = _mapping(each)
        value = next(iter(_mapping(pair.get("value")).values()), None)
        if isinstance(value, bool):
            value = str(value).lower()
        if isinstance(pair.get("key"), str) and isinstance(value, (str, int, float)):
            out[pair["key"]] = str(value)[:_MOST_TEXT]
    return out


def _items(value: object, outer: str, inner: str, name: str) -> Iterator[Mapping[str, Any]]:
    for resource in _list(_mapping(value).get(outer)):
        for scope in _list(_mapping(resource).get(inner)):
            yield from map(_mapping, _list(_mapping(scope).get(name)))


def _time(item: Mapping[str, Any]) -> int:
    return _number(str(item.get("timeUnixNano", "")), 2**62)


def _number(text: str | None, most: int = _MOST_NUMBER) -> int:
    return min(int(text), most) if text and text.isdecimal() and len(text) < 20 else 0


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_SHAPES = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
}
_ITEMS = {"logs": "records", "metrics": "points", "traces": "spans"}
