"""How long calls and agents took, from now on."""

from pathlib import Path
from typing import Any

from pointsman.model.event import Identity
from pointsman.model.events import PostToolUseFailure, SessionEnd
from pointsman.model.usage import Usage
from pointsman.relay.tally import Tally
from pointsman.relay.usage_tally import MOST_MODELS
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record
from pointsman.telemetry.metrics import metrics_of
from pointsman.telemetry.prometheus import text_of
from store.records import record
from store.usages import add
from telemetry.test_encoders import parsed, said

SECOND = 10**9


def test_calls_and_agents_are_added_up(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([record("old", at=SECOND), record("old", guard=False, at=9 * SECOND)])
    tally = Tally(tmp_path / "ledger.db")
    tally.catch_up()  # What was there before it began is not counted.
    assert [each.samples for each in tally.families()] == [(), (), ()]
    for call, tool, took in (("a", "Bash", 0.02), ("b", "Bash", 0.5), ("c", "mcp__x__y", 100.0)):
        ledger.append([
            record(call, tool=tool, at=20 * SECOND),
            record(call, tool=tool, guard=False, at=20 * SECOND + int(took * SECOND)),
        ])  # fmt: skip
    who = Identity(host="claude-code", session="s1", tool_use_id="d")
    failed = PostToolUseFailure(identity=who, received_ns=SECOND, tool_name="Odd", tool_input={})
    ended = SessionEnd(identity=who, received_ns=61 * SECOND)
    ledger.append([Record(event=failed), Record(event=ended)])
    tally.catch_up()
    tally.catch_up()
    calls, agents, _ = tally.families()
    found = {tuple(value for _, value in each.labels): each for each in calls.samples}
    # Of the one that failed nobody knows when it began.
    assert {labels: each.value for labels, each in found.items()} == {("Bash",): 2, ("mcp",): 1}
    bash = dict(found["Bash",].buckets)
    assert (bash[0.01], bash[0.02], bash[0.32], bash[0.64]) == (0, 1, 1, 2)
    assert dict(found["mcp",].buckets)[81.92] == 0
    assert abs(found["Bash",].total - 0.52) < 1e-6
    assert [(each.value, each.total) for each in agents.samples] == [(1, 60.0)]
    assert calls.since_ns > 0
    ledger.close()


def message(number: int, **more: Any) -> Usage:
    given: dict[str, Any] = {"model": "claude-opus-5", "final": True, **more}
    return Usage(host="h", session="s", message_id=f"m{number}", at_ns=SECOND, **given)


def test_each_message_is_counted_once_when_it_is_whole(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    add(ledger, message(0, output_tokens=9))
    tally = Tally(tmp_path / "ledger.db")
    tally.catch_up()  # What was there before it began is not counted.
    add(ledger, message(1, output_tokens=3, final=False))
    tally.catch_up()
    assert tally.families()[-1].samples == ()
    add(ledger, message(1, input_tokens=5, cache_read_tokens=100, output_tokens=20))
    add(ledger, message(1, input_tokens=5, cache_read_tokens=100, output_tokens=21))
    add(ledger, *(message(10 + n, model=f"gpt-{n:02}", output_tokens=1) for n in range(40)))
    tally.catch_up()
    tally.catch_up()
    (family,) = parsed("metrics", list(metrics_of(tally.families()[-1:], 1, SECOND)))
    assert (family.name, family.unit) == ("gen_ai.client.token.usage", "{token}")
    points = {
        (found["gen_ai.response.model"], found["gen_ai.token.type"]): (found, point)
        for point in family.histogram.data_points
        for found in (said(point),)
    }
    found, point = points["claude-opus-5", "input"]
    assert (found["gen_ai.provider.name"], found["gen_ai.operation.name"]) == ("anthropic", "chat")
    assert (point.count, point.sum) == (1, 105)
    assert list(point.bucket_counts)[4] == 1  # More than 64, not more than 256.
    assert points["claude-opus-5", "output"][1].count == 1
    assert points["other", "output"][1].count == 40 - (MOST_MODELS - 1)
    assert len(points) == 2 * (MOST_MODELS + 1)
    assert "gen_ai_client_token_usage_bucket{" in text_of(tally.families()[-1:])
    ledger.close()
