"""How long calls and agents took, from now on."""

from pathlib import Path

from pointsman.model.event import Identity
from pointsman.model.events import PostToolUseFailure, SessionEnd
from pointsman.relay.tally import Tally
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record
from store.records import record

SECOND = 10**9


def test_calls_and_agents_are_added_up(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    ledger.append([record("old", at=SECOND), record("old", guard=False, at=9 * SECOND)])
    tally = Tally(tmp_path / "ledger.db")
    tally.catch_up()  # What was there before it began is not counted.
    assert [each.samples for each in tally.families()] == [(), ()]
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
    calls, agents = tally.families()
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
