"""The ledger tells of calls and minutes what the events themselves had told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.cost.posting import Posting
from pointsman.engine.deeds import deed_of
from pointsman.engine.spent import Spending
from pointsman.model.decision import NO_OPINION, deny
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    Notification,
    PostToolUse,
    PreToolUse,
    SessionStart,
    Stop,
    SubagentStop,
    TaskCompleted,
    UserPromptSubmit,
)
from pointsman.model.limit import OF, PER, Limit
from pointsman.model.usage import Amount, Cost, Usage
from pointsman.store import usage_rows
from pointsman.store.ledger import Ledger
from pointsman.store.past_spent import PastSpent
from pointsman.store.record import Record

MINUTE = 60 * 10**9
NOW = 1_790_000_000 * 10**9
STEPS: list[tuple[type[Event], dict[str, Any]]] = [
    (SessionStart, {}),
    (UserPromptSubmit, {"prompt_id": "p1"}),
    (PreToolUse, {}),
    (PostToolUse, {"tool_name": "TaskUpdate",
                   "tool_input": {"taskId": "1", "status": "in_progress"}}),
    (PreToolUse, {"agent": "worker"}),
    (SubagentStop, {"agent": "worker"}),
    (PreToolUse, {"denied": True}),
    (PreToolUse, {}),
    (TaskCompleted, {"task_id": "1"}),
    (Stop, {"native": {"background_tasks": [{"id": "b"}]}}),
    (Notification, {"notification_type": "idle_prompt"}),
    (UserPromptSubmit, {"prompt_id": "p2"}),
    (PreToolUse, {}),
]  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(tmp_path / "ledger.db")
    yield opened
    opened.close()


def event(kind: type[Event], at: int, agent: str = "", **more: Any) -> Event:
    who = Identity(
        host="h", session="s", agent_id=agent or None, agent_type=agent or None,
        repository="/r", prompt_id=more.pop("prompt_id", None), tool_use_id=f"t{at}",
    )  # fmt: skip
    return kind(identity=who, received_ns=at, **more)


def payload(one: Event) -> bytes:
    names = ("tool_input", "task_id", "notification_type")
    said = {name: getattr(one, name) for name in names if hasattr(one, name)}
    return json.dumps({**said, **one.native}).encode()


def lived(ledger: Ledger) -> Spending:
    """Live through the steps, and put them on record."""
    spending = Spending(since_ns=NOW)
    for number, (kind, more) in enumerate(STEPS):
        denied = more.get("denied", False)
        given = {key: value for key, value in more.items() if key != "denied"}
        one = event(kind, NOW + number * MINUTE, **given)
        spending.note(one, stopped=denied)
        said = deny("no") if denied else NO_OPINION
        ledger.append([Record(event=one, payload=payload(one), decision=said)])
    return spending


@pytest.mark.parametrize("per", PER)
@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize("agent", ["", "worker"])
def test_after_a_restart_the_same_is_used(ledger: Ledger, per: str, of: str, agent: str) -> None:
    before = lived(ledger)
    after = Spending(PastSpent(ledger.path), since_ns=NOW + 15 * MINUTE)
    asked = event(PreToolUse, NOW + 20 * MINUTE, agent, prompt_id="p2")
    wanted = Limit(per=per, of=of, at=1, then="deny")
    assert after.used(asked, wanted) == before.used(asked, wanted)
    if of == "calls" and per == "session":
        assert after.used(asked, wanted).amount == 4


def test_events_are_read_as_they_were(ledger: Ledger) -> None:
    lived(ledger)
    deeds = PastSpent(ledger.path).deeds(0, NOW + 60 * MINUTE, "s")
    for deed, (kind, more) in zip(deeds, STEPS, strict=True):
        given = {key: value for key, value in more.items() if key != "denied"}
        live = deed_of(event(kind, deed.at_ns, **given))
        assert (deed.task, deed.rests, deed.opens) == (live.task, live.rests, live.opens), kind
        assert deed.is_call == (live.is_call and not more.get("denied"))


def test_only_what_has_happened_and_only_before_counts(ledger: Ledger) -> None:
    for number, transport in enumerate(("hook", "exec", "decide", "spooled", "derived")):
        one = event(PreToolUse, NOW + number)
        ledger.append([Record(event=one, transport=transport)])
    past = PastSpent(ledger.path)
    assert len(past.deeds(0, NOW + 99)) == 2
    assert len(past.deeds(0, NOW + 1)) == 1
    assert len(past.deeds(NOW + 1, NOW + 99)) == 1
    assert len(past.deeds(0, NOW + 99, "other")) == 0


def test_what_was_used_is_read_posting_by_posting(ledger: Ledger) -> None:
    def posted(message: str, tokens: int, nano: int, unpriced: int = 0, at: int = NOW) -> Posting:
        usage = Usage(
            host="h", session="s", message_id=message, model="m", at_ns=at, repository="/r",
            output_tokens=tokens,
        )  # fmt: skip
        figures = Amount(output_tokens=tokens, usd_nano=nano, unpriced=unpriced, calls=1)
        return Posting(usage=usage, amount=figures, cost=Cost(usd=None, prices="1"))

    rows = [posted("a", 100, 0, 1), posted("b", 50, 10**9), posted("a", 0, 2 * 10**9, -1)]
    with ledger.writing() as connection:
        usage_rows.write(connection, [*rows, posted("c", 7, 0, at=NOW + MINUTE)], NOW)
    past = PastSpent(ledger.path)
    found = past.spends(0, NOW + 1, "s")
    assert [(each.tokens, each.usd, each.unpriced) for each in found] == [
        (100, 0.0, 1), (50, 1.0, 0), (0, 2.0, -1), (7, 0.0, 0),
    ]  # fmt: skip
    assert found[0].message == found[2].message == rows[0].usage.key
    assert len(found) == 4
    assert len(past.spends(NOW + 1, NOW + 1)) == 1, "since a time at which it was used"
    assert past.spends(0, NOW) == [], "put on record before"
    assert past.spends(0, NOW + 1, "other") == []
    asked = event(PreToolUse, NOW + 2 * MINUTE)
    spending = Spending(past, since_ns=NOW + 1)
    money = spending.used(asked, Limit(per="session", of="usd", at=1, then="deny"))
    assert (money.amount, money.unpriced) == (3.0, 0)


def test_without_a_ledger_nothing_was_and_a_broken_one_says_so(tmp_path: Path) -> None:
    assert PastSpent(tmp_path / "none.db").deeds(0, NOW, "s") == []
    broken = tmp_path / "ledger.db"
    broken.write_bytes(b"no database at all" * 100)
    with pytest.raises(LedgerError):
        PastSpent(broken).deeds(0, NOW, "s")


@pytest.mark.parametrize(("session", "index"), [("s", "session"), (None, "time")])
def test_what_is_looked_for_is_found_by_an_index(
    ledger: Ledger, session: str | None, index: str
) -> None:
    plans: list[str] = []

    class Explaining(PastSpent):
        """Looks at the plan in the place of the rows."""

        def _rows(self, sql: str, times: Any, values: Any) -> list[Any]:
            plans.extend(
                str(row["detail"])
                for row in super()._rows(f"EXPLAIN QUERY PLAN {sql}", times, values)
            )
            return []

    past = Explaining(ledger.path)
    assert past.deeds(0, NOW, session) == []
    assert past.spends(0, NOW, session) == []
    used = [plan for plan in plans if " USING INDEX " in plan]
    assert [plan.split(" USING INDEX ")[1].split()[0] for plan in used] == [
        f"events_by_{index}", f"usage_by_{index}",
    ]  # fmt: skip
