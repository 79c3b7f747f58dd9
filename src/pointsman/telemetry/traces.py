"""Entries of the ledger as spans: sessions, agents, tool calls, decisions, hook runs.

A session is a trace. Each event is a span ``pointsman.decision``, each hook run one below it.
What ends with an event is a span of the conventions: a call ``execute_tool``, an agent or a
session ``invoke_agent``. A message of a model is a
span ``chat``. Ids are made of what a span is of, so that sending it again adds nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pointsman.model.decision import Cause
from pointsman.model.hook import Outcome
from pointsman.model.telemetry import Entry
from pointsman.model.usage import Amount
from pointsman.telemetry import names
from pointsman.telemetry.otlp import Json, attributes, span_id, trace_id
from pointsman.telemetry.providers import provider_of

MAIN = "main"
_INTERNAL, _CLIENT = 1, 3
_ERROR = 2
_FAILED_CALL = "PostToolUseFailure"
_ENDS_CALL = ("PostToolUse", _FAILED_CALL)
_STOPPED = ("deny", "ask")
_FAILED_RUNS = frozenset({Outcome.TIMED_OUT, Outcome.CRASHED, Outcome.DEGRADED})
Row = Mapping[str, Any]


def spans_of(entries: Iterable[Entry]) -> Iterator[Json]:
    """Yield the spans of entries; a note is none."""
    for entry in entries:
        if not entry.event:
            continue
        if not entry.late:
            yield _decision(entry.event)
            yield from _ended(entry.event, entry.started_ns, entry.used)
        for run in entry.runs:
            yield _hook(entry.event, run)


def chats_of(entries: Iterable[Entry]) -> Iterator[Json]:
    """Yield the spans of messages of models, whose columns are the entries' events.

    A transcript tells when a message came and not when it was asked for: a span is a point in
    time there, and of no guessed length.
    """
    for entry in entries:
        message = entry.event
        said = {
            **about(message),
            names.OPERATION: names.CHAT,
            names.PROVIDER: provider_of(message["model"]),
            names.RESPONSE_MODEL: message["model"],
            names.RESPONSE_ID: message["message"],
            names.ROLE: message["role"],
            **(_usage(entry.used) if entry.used else {}),
        }
        own = span_id(message["host"], message["session"], "chat", message["key"])
        times = (message["at_ns"], message["at_ns"])
        name = f"{names.CHAT} {message['model']}"
        ids = (own, agent_span(message))
        yield _span(message, ids, name, times, said=said, kind=_CLIENT)


def about(event: Row) -> dict[str, Any]:
    """Return the attributes that say whose an event is."""
    return {
        names.CONVERSATION: event["session"],
        names.AGENT_ID: event["agent_id"],
        names.AGENT_NAME: event["agent_type"] or (MAIN if event["agent_id"] is None else None),
        names.HOST: event["host"],
        names.REPOSITORY: event["repository"],
        names.PROMPT: event["prompt_id"],
    }


def decided(event: Row) -> dict[str, Any]:
    """Return the attributes of what was decided about an event."""
    return {
        names.SEQ: event["seq"],
        names.EVENT: event["event"],
        names.DECISION: event["decision"],
        names.RULE: event["rule"],
        names.REASON: event["reason"],
        names.CAUSE: event["cause"],
        names.DECIDED_BY: event["hook"],
        names.TRANSPORT: event["transport"],
        names.TOOL_NAME: event["tool"],
        names.TOOL_CALL: event["tool_use_id"],
        names.DERIVED_FROM: event["derived_from"],
        names.PERMISSION_MODE: event["permission_mode"],
    }


def _span(event: Row, ids: tuple[str, str], name: str, times: tuple[int, int], **more: Any) -> Json:
    own, parent = ids
    started, ended = times
    return {
        "traceId": trace_id(event["host"], event["session"]),
        "spanId": own,
        **({"parentSpanId": parent} if parent else {}),
        "name": name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(started),
        "endTimeUnixNano": str(max(started, ended)),
        "attributes": attributes(more.pop("said")),
        **more,
    }


def agent_span(event: Row, agent: str | None = None) -> str:
    """Return the span of an agent of the event's session, by default that of its own agent."""
    name = event["agent_id"] or MAIN if agent is None else agent
    return span_id(event["host"], event["session"], "agent", name)


def decision_span(event: Row) -> str:
    """Return the span of the decision about an event."""
    return span_id(event["host"], event["session"], "event", event["seq"])


def _call_span(event: Row) -> str:
    return span_id(event["host"], event["session"], "call", event["tool_use_id"])


def _decision(event: Row) -> Json:
    # What was stopped has no span of its own call, and hangs from its agent.
    inside = event["tool_use_id"] and event["decision"] not in _STOPPED
    parent = _call_span(event) if inside else agent_span(event)
    started = event["received_ns"]
    failed = event["cause"] == Cause.FAILURE
    return _span(
        event,
        (decision_span(event), parent),
        f"pointsman.decision {event['event']}",
        (started, started + event["duration_ns"]),
        said={
            **about(event),
            **decided(event),
            names.ERROR_TYPE: "pointsman_failure" if failed else None,
        },
        **({"status": {"code": _ERROR, "message": event["reason"]}} if failed else {}),
    )


def _hook(event: Row, run: Row) -> Json:
    failed = run["outcome"] in _FAILED_RUNS
    key = f"{event['seq']}.{run['n']}"
    return _span(
        event,
        (span_id(event["host"], event["session"], "run", key), decision_span(event)),
        f"pointsman.hook {run['hook']}",
        (run["started_ns"], run["started_ns"] + run["duration_ns"]),
        said={
            names.CONVERSATION: event["session"],
            names.SEQ: event["seq"],
            names.EVENT: run["event"],
            names.HOOK: run["hook"],
            names.HOOK_ROLE: run["role"],
            names.HOOK_OUTCOME: run["outcome"],
            names.HOOK_BUDGET: run["budget_ms"],
            names.HOOK_REASON: run["reason"],
            names.DECISION: run["decision"],
            names.RULE: run["rule"],
            names.ERROR_TYPE: run["outcome"] if failed else None,
        },
        **({"status": {"code": _ERROR, "message": run["reason"]}} if failed else {}),
    )


def _ended(event: Row, started_ns: int, used: Amount | None) -> Iterator[Json]:
    kind = event["event"]
    if not started_ns:
        return
    times = (started_ns, event["received_ns"])
    if kind in _ENDS_CALL and event["tool_use_id"] and event["derived_from"] is None:
        yield _call(event, times)
    elif kind == "SubagentStop" and event["agent_id"]:
        parent = agent_span(event, event["parent"] or MAIN)
        yield _agent(event, (agent_span(event), parent), times, used)
    elif kind == "SessionEnd":
        yield _agent(event, (agent_span(event, MAIN), ""), times, used)


def _call(event: Row, times: tuple[int, int]) -> Json:
    failed = event["event"] == _FAILED_CALL
    tool = event["tool"]
    kind = names.TOOL_EXTENSION if tool.startswith("mcp__") else names.TOOL_FUNCTION
    return _span(
        event,
        (_call_span(event), agent_span(event)),
        f"{names.EXECUTE_TOOL} {tool}",
        times,
        said={
            **about(event),
            names.OPERATION: names.EXECUTE_TOOL,
            names.TOOL_NAME: tool,
            names.TOOL_CALL: event["tool_use_id"],
            names.TOOL_TYPE: kind,
            names.ERROR_TYPE: "tool_error" if failed else None,
        },
        **({"status": {"code": _ERROR}} if failed else {}),
    )


def _agent(event: Row, ids: tuple[str, str], times: tuple[int, int], used: Amount | None) -> Json:
    name = event["agent_type"] or MAIN
    said = {
        **about(event),
        names.OPERATION: names.INVOKE_AGENT,
        names.PARENT_AGENT: event["parent"],
        **(_usage(used) if used else {}),
    }
    return _span(event, ids, f"{names.INVOKE_AGENT} {name}", times, said=said)


def _usage(used: Amount) -> dict[str, Any]:
    written = used.cache_write_5m_tokens + used.cache_write_1h_tokens
    return {
        names.INPUT_TOKENS: used.input_tokens + used.cache_read_tokens + written,
        names.OUTPUT_TOKENS: used.output_tokens,
        names.CACHE_READ_TOKENS: used.cache_read_tokens,
        names.CACHE_CREATION_TOKENS: written,
        names.COST: used.usd,
    }
