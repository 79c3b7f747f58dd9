"""What is sent is OTLP: it is read back by the published protocol's own classes."""

import json
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from pointsman.model.telemetry import Entry, Family, Sample
from pointsman.model.usage import Amount
from pointsman.telemetry.logs import logs_of
from pointsman.telemetry.metrics import metrics_of
from pointsman.telemetry.otlp import enveloped, resource_of
from pointsman.telemetry.providers import provider_of
from pointsman.telemetry.traces import chats_of, spans_of

from .entries import AT, entry, note, run

RESOURCE = resource_of("1.2.3", "/state")
MESSAGES: dict[str, Any] = {
    "spans": ExportTraceServiceRequest,
    "logRecords": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}


def parsed(name: str, items: list[dict[str, Any]]) -> Any:
    """Read a request back strictly: an unknown field or a wrong type is an error."""
    text = json.dumps(enveloped(name, RESOURCE, "1.2.3", items))
    (outer,) = Parse(text, MESSAGES[name]()).ListFields()[0][1]
    (inner,) = outer.ListFields()[1][1]
    assert {each.key: each.value.string_value for each in outer.resource.attributes} == RESOURCE
    return list(inner.ListFields()[1][1])


def said(item: Any) -> dict[str, Any]:
    """Return the attributes of a span or a record."""
    return {
        each.key: getattr(each.value, each.value.WhichOneof("value")) for each in item.attributes
    }


def test_a_call_is_a_span_with_its_decision_and_the_runs_of_its_hooks() -> None:
    entries = [
        entry(1, run(0), run(1, hook="slow", outcome="timed out", reason="too long")),
        entry(2, event="PostToolUse", started_ns=AT - 5_000_000),
        note(3),
    ]
    decision, first, slow, after, call = parsed("spans", list(spans_of(entries)))
    assert call.name == "execute_tool Bash"
    assert said(call)["gen_ai.operation.name"] == "execute_tool"
    assert said(call)["gen_ai.tool.call.id"] == "c1"
    assert said(call)["gen_ai.conversation.id"] == "s1"
    assert (call.start_time_unix_nano, call.end_time_unix_nano) == (AT - 5_000_000, AT)
    assert decision.parent_span_id == after.parent_span_id == call.span_id
    assert first.parent_span_id == slow.parent_span_id == decision.span_id
    assert decision.end_time_unix_nano - decision.start_time_unix_nano == 1_500_000
    assert (slow.status.code, said(slow)["error.type"]) == (2, "timed out")
    assert said(decision)["pointsman.seq"] == 1
    assert len({each.span_id for each in (decision, first, slow, after, call)}) == 5
    assert len({each.trace_id for each in (decision, first, slow, after, call)}) == 1


@pytest.mark.parametrize(
    ("more", "name", "parent"),
    [
        ({"event": "SessionEnd", "tool": "", "tool_use_id": None}, "invoke_agent main", b""),
        (
            {"event": "SubagentStop", "agent_id": "a1", "agent_type": "reviewer", "parent": "main",
             "tool": "", "tool_use_id": None},
            "invoke_agent reviewer",
            None,
        ),
        ({"event": "PostToolUseFailure"}, "execute_tool Bash", None),
        ({"event": "PostToolUse", "tool": "mcp__x__y"}, "execute_tool mcp__x__y", None),
    ],
)  # fmt: skip
def test_what_ends_is_a_span_of_the_conventions(
    more: dict[str, Any], name: str, parent: bytes | None
) -> None:
    found = parsed("spans", list(spans_of([entry(started_ns=AT - 9, **more)])))
    assert [each.name for each in found][1:] == [name]
    if parent is not None:
        assert found[1].parent_span_id == parent
    else:
        assert found[1].parent_span_id
    # Nobody knows when it began: no span of a guessed length.
    assert spans_count(entry(**more)) == 1


def spans_count(one: Any) -> int:
    return len(list(spans_of([one])))


def test_what_an_agent_has_used_is_told_with_its_end() -> None:
    used = Amount(
        input_tokens=12, output_tokens=60, cache_read_tokens=18000, cache_write_5m_tokens=1000,
        cache_write_1h_tokens=500, usd_nano=12_348_000, calls=1,
    )  # fmt: skip
    end: dict[str, Any] = {"event": "SessionEnd", "started_ns": 1, "tool_use_id": None}
    _, span = parsed("spans", list(spans_of([entry(used=used, **end)])))
    found = said(span)
    # The convention's input has what was read from a cache or written to one in it.
    assert found["gen_ai.usage.input_tokens"] == 12 + 18000 + 1500
    assert found["gen_ai.usage.output_tokens"] == 60
    assert found["gen_ai.usage.cache_read.input_tokens"] == 18000
    assert found["gen_ai.usage.cache_creation.input_tokens"] == 1500
    assert found["pointsman.cost.usd"] == 0.012348
    unpriced = replace(used, unpriced=1)
    _, span = parsed("spans", list(spans_of([entry(used=unpriced, **end)])))
    assert "pointsman.cost.usd" not in said(span)  # Unknown is never a figure.
    _, span = parsed("spans", list(spans_of([entry(**end)])))
    assert "gen_ai.usage.input_tokens" not in said(span)


def test_an_agent_hangs_from_its_parent_and_its_decisions_from_it() -> None:
    stop: dict[str, Any] = {
        "event": "SubagentStop",
        "agent_id": "a1",
        "parent": "main",
        "tool_use_id": None,
    }
    _, agent = parsed("spans", list(spans_of([entry(started_ns=1, **stop)])))
    _, session = parsed(
        "spans", list(spans_of([entry(started_ns=1, event="SessionEnd", tool_use_id=None)]))
    )
    (denied,) = parsed("spans", list(spans_of([entry(agent_id="a1", decision="deny")])))
    assert agent.parent_span_id == session.span_id
    assert denied.parent_span_id == agent.span_id  # A call that was stopped has no span.


def test_sending_again_adds_nothing() -> None:
    entries = [entry(1, run()), entry(2, event="PostToolUse", started_ns=AT)]
    assert list(spans_of(entries)) == list(spans_of(entries))
    other = [entry(1, run(), session="s2")]
    mine = {each["spanId"] for each in spans_of(entries)}
    assert mine.isdisjoint(each["spanId"] for each in spans_of(other))


def test_runs_that_ended_later_are_spans_below_the_same_decision() -> None:
    (decision,) = spans_of([entry(1)])
    (late,) = spans_of([entry(7, run(3, role="observer"), seq=1, late=True)])
    assert late["parentSpanId"] == decision["spanId"]


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({}, "INFO"),
        ({"decision": "deny", "cause": "violation", "reason": "no"}, "WARN"),
        ({"decision": "deny", "cause": "our own failure"}, "ERROR"),
    ],
)
def test_a_log_record(more: dict[str, Any], severity: str) -> None:
    first, second = parsed("logRecords", list(logs_of([entry(4, run(), **more), note(5)])))
    (span,) = parsed("spans", list(spans_of([entry(4, **more)])))
    assert first.severity_text == severity
    assert (first.trace_id, first.span_id) == (span.trace_id, span.span_id)
    assert said(first)["log.record.uid"] == "4"
    assert (second.body.string_value, said(second)["pointsman.note"]) == ("some went", "retention")


def test_metrics() -> None:
    families = [
        Family(name="a.runs", kind="counter", doc="d", samples=(Sample((("hook", "x"),), 3),)),
        Family(name="a.now", kind="gauge", doc="d", unit="s", samples=(Sample((), 1.5),)),
        Family(
            name="a.time", kind="histogram", doc="d", unit="s",
            samples=(Sample((), 6, ((0.1, 2), (1.0, 5)), 4.5),),
        ),
        Family(name="a.none", kind="counter", doc="d"),
    ]  # fmt: skip
    runs, now, time = parsed("metrics", list(metrics_of(families, AT - 10, AT)))
    (point,) = runs.sum.data_points
    assert (runs.sum.is_monotonic, runs.sum.aggregation_temporality) == (True, 2)
    assert (point.as_double, said(point)) == (3.0, {"hook": "x"})
    assert point.start_time_unix_nano == AT - 10
    assert (now.gauge.data_points[0].as_double, now.unit) == (1.5, "s")
    (histogram,) = time.histogram.data_points
    assert list(histogram.bucket_counts) == [2, 3, 1]
    assert (histogram.count, histogram.sum, list(histogram.explicit_bounds)) == (6, 4.5, [0.1, 1.0])


def test_a_message_of_a_model_is_a_span_below_its_agent() -> None:
    used = Amount(input_tokens=1, output_tokens=2, cache_read_tokens=3, usd_nano=5, calls=1)
    message = {
        "host": "claude-code", "session": "s1", "agent_id": None, "agent_type": None,
        "repository": "/repo", "prompt_id": None, "model": "claude-opus-5", "message": "msg_1",
        "key": "claude-code msg_1 r", "role": "orchestrator", "at_ns": AT,
    }  # fmt: skip
    (chat,) = parsed("spans", list(chats_of([Entry(n=1, event=message, used=used)])))
    end: dict[str, Any] = {"event": "SessionEnd", "started_ns": 1, "tool_use_id": None}
    _, session = parsed("spans", list(spans_of([entry(**end)])))
    assert (chat.name, chat.kind) == ("chat claude-opus-5", 3)
    assert (chat.trace_id, chat.parent_span_id) == (session.trace_id, session.span_id)
    # When it was asked for nobody knows: no guessed length.
    assert chat.start_time_unix_nano == chat.end_time_unix_nano == AT
    found = said(chat)
    assert found["gen_ai.operation.name"] == "chat"
    assert found["gen_ai.provider.name"] == "anthropic"
    assert found["gen_ai.response.model"] == "claude-opus-5"
    assert found["gen_ai.usage.input_tokens"] == 4
    assert found["gen_ai.usage.output_tokens"] == 2
    assert found["pointsman.agent.role"] == "orchestrator"


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-opus-5", "anthropic"),
        ("us.anthropic.claude-opus-5-v1:0", "aws.bedrock"),
        ("claude-opus-5@20260101", "gcp.vertex_ai"),
        ("gpt-6", "openai"),
        ("own-model", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_provider_is_what_the_name_tells(model: str, provider: str) -> None:
    assert provider_of(model) == provider
