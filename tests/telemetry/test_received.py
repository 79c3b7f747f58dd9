"""What a host's message adds: counts by session, calls; nothing of what anybody said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.model.telemetry import HOST_COUNTS, HostCall
from pointsman.telemetry.received import read_message

from .claude_logs import AT, logs, record, session

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3)
    | st.dictionaries(
        st.sampled_from(["resourceLogs", "scopeLogs", "logRecords", "attributes", "key", "value",
                         "stringValue", "body", "resourceMetrics", "sum", "dataPoints"]),
        each, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


def test_a_session_is_counted() -> None:
    found = read_message("logs", session(), 5)
    assert found.counts == {
        "s1": {
            "records": 8, "prompts": 1, "hooks_run": 3, "hooks_blocked": 0, "hooks_failed": 0,
            "hooks_cancelled": 2, "guards_cancelled": 1, "tool_accepted": 1, "tool_rejected": 1,
            "tool_results": 1, "api_requests": 1, "input_tokens": 12, "output_tokens": 60,
            "cache_read_tokens": 18000, "cache_creation_tokens": 1500, "cost_micros": 12348,
        }
    }  # fmt: skip
    assert set(found.counts["s1"]) <= set(HOST_COUNTS)
    ended = HostCall(session="s1", id="t1", at_ns=int(AT), tool="Bash", agent_id="a1", ended=True)
    assert set(found.calls) == {
        ended, HostCall(session="s1", id="t2", at_ns=int(AT), tool="Bash")
    }  # fmt: skip
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "order", [("tool_result", "tool_decision"), ("tool_decision", "tool_result")]
)
def test_a_call_that_has_ended_has_ended_in_whatever_order(order: tuple[str, str]) -> None:
    found = read_message("logs", logs(*(record(name, tool_use_id="t") for name in order)), 5)
    assert [call.ended for call in found.calls] == [True]


def test_metrics_and_spans_are_counted_and_no_more() -> None:
    said = {"attributes": [{"key": "session.id", "value": {"stringValue": "s"}}]}
    points = {"name": "claude_code.token.usage", "sum": {"dataPoints": [said, said, {}]}}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [points]}]}]}
    assert read_message("metrics", metrics, 1).counts == {"s": {"points": 2}}
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [said]}]}]}
    assert read_message("traces", spans, 1).counts == {"s": {"spans": 1}}


@pytest.mark.parametrize("signal", ["logs", "metrics", "traces"])
@given(value=JSON)
def test_whatever_comes_is_read_without_a_fault(signal: str, value: Any) -> None:
    found = read_message(signal, value, 1)
    assert all(name in HOST_COUNTS for counts in found.counts.values() for name in counts)


def test_numbers_that_no_column_holds_are_cut() -> None:
    odd = record("api_request", input_tokens="9" * 19, output_tokens="-4", cost_usd_micros="x")
    assert read_message("logs", logs(odd), 1).counts["s1"]["input_tokens"] == 10**15
