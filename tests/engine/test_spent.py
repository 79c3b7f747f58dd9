"""What is counted of a run, to the call and to the second, and after a restart the same."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.engine.spent import Spending, day_begins, local_day
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    Notification,
    PostToolUse,
    PreToolUse,
    SessionEnd,
    SessionStart,
    Stop,
    SubagentStop,
    TaskCompleted,
    UserPromptSubmit,
)
from pointsman.model.limit import Deed, Limit, NoPast, Spend
from pointsman.model.usage import Cost, Usage

MINUTE = 60 * 10**9
REPO = "/repo"


def limit(per: str = "session", of: str = "calls", **more: Any) -> Limit:
    return Limit(per=per, of=of, at=1, then="deny", **more)


class Run:
    """A session that goes on, minute by minute."""

    def __init__(self, spending: Spending | None = None, start: int = 10) -> None:
        self.spending = spending or Spending(day_of=lambda ns: f"{ns // (1440 * MINUTE):05}")
        self.at = start * MINUTE
        self.number = 0

    def event(self, kind: type[Event], agent: str = "", minutes: float = 0, **more: Any) -> Event:
        self.at += int(minutes * MINUTE)
        self.number += 1
        who: dict[str, Any] = {
            "session": "s", "repository": REPO, "prompt_id": "p1",
            "tool_use_id": f"t{self.number}", "agent_id": f"{agent}-id" if agent else None,
            "agent_type": agent or None,
        }  # fmt: skip
        for name in tuple(more):
            if name in who or name == "agent_id":
                who[name] = more.pop(name)
        return kind(identity=Identity(host="h", **who), received_ns=self.at, **more)

    def note(self, kind: type[Event], agent: str = "", **more: Any) -> Event:
        stopped = more.pop("stopped", False)
        event = self.event(kind, agent, **more)
        self.spending.note(event, stopped=stopped)
        return event

    def used(self, per: str = "session", of: str = "calls", agent: str = "", **more: Any) -> float:
        asked = self.event(PreToolUse, agent, **more)
        return self.spending.used(asked, limit(per, of)).amount


def used(
    message: str, tokens: int = 10, usd: float | None = 0.5, **more: Any
) -> tuple[Usage, Cost]:
    values = {"host": "h", "session": "s", "model": "m", "at_ns": 10 * MINUTE, **more}
    usage = Usage(message_id=message, output_tokens=tokens, **values)
    return usage, Cost(usd=usd, prices="1")


def test_calls_are_counted_for_whom_they_are_made() -> None:
    run = Run()
    for agent in ("", "", "worker", "worker", "worker"):
        run.note(PreToolUse, agent)
    run.note(PreToolUse, "worker", agent_id="another")
    assert run.used() == 6
    assert run.used("agent") == 2
    assert run.used("agent", agent="worker") == 3
    assert run.used("agent", agent="worker", agent_id="another") == 1
    assert run.used("type", agent="worker") == 4
    assert run.used("type") == 2
    assert run.used("day") == 6
    assert run.used(session="other") == 0
    assert run.used("day", session="other") == 6


def test_a_call_counts_once_and_not_where_it_is_stopped() -> None:
    run = Run()
    call = run.event(PreToolUse)
    run.spending.begin(call)
    run.spending.begin(call)
    assert run.spending.used(call, limit()).amount == 0, "the call itself is not in its own way"
    assert run.used() == 1, "a call beside it sees that it is under way"
    run.spending.note(call, stopped=False)
    assert run.used() == 1
    denied = run.event(PreToolUse)
    run.spending.begin(denied)
    assert run.used() == 2
    run.spending.note(denied, stopped=True)
    assert run.used() == 1
    run.note(PreToolUse, stopped=True)
    assert run.used() == 1, "stopped by another guard, and never begun"
    run.note(PostToolUse)
    assert run.used() == 1


def test_what_is_only_asked_about_does_not_count() -> None:
    run = Run()
    call = run.event(PreToolUse)
    run.spending.begin(call, [(limit(), "r")])
    run.spending.note(call, stopped=False, real=False)
    assert run.used() == 0
    assert not run.spending.used(run.event(PreToolUse), limit()).told


def test_each_agent_is_told_for_itself_and_a_denied_call_tells_nobody() -> None:
    run = Run()
    for stopped in (True, False):
        call = run.event(PreToolUse)
        run.spending.begin(call, [(limit(), "r")])
        run.spending.note(call, stopped=stopped)
        told = run.spending.used(run.event(PreToolUse), limit()).told
        assert told == (frozenset() if stopped else {"r"})
    assert run.spending.used(run.event(PreToolUse, "worker"), limit()).told == frozenset()
    assert run.spending.used(run.event(PreToolUse), limit("day")).told == frozenset()


def test_minutes_are_those_in_which_it_works() -> None:
    run = Run()
    run.note(UserPromptSubmit)
    run.note(PreToolUse, minutes=1)
    run.note(PostToolUse, minutes=30)
    assert run.used("session", "minutes", minutes=2) == 33, "what is under way counts at once"
    run.note(Stop, minutes=1)
    assert run.used("session", "minutes", minutes=500) == 34, "a person thinks"
    run.note(UserPromptSubmit)
    run.note(PreToolUse, minutes=1)
    assert run.used("session", "minutes") == 35
    assert run.used("agent", "minutes") == 35
    assert run.used("day", "minutes") == 35


@pytest.mark.parametrize(
    ("kind", "more", "rests"),
    [
        (Stop, {}, True),
        (Stop, {"native": {"background_tasks": [{"id": "x"}]}}, False),
        (SessionEnd, {}, True),
        (Notification, {"notification_type": "idle_prompt"}, True),
        (Notification, {"notification_type": "permission_prompt"}, False),
        (PostToolUse, {}, False),
    ],
)
def test_when_nothing_goes_on(kind: type[Event], more: dict[str, Any], rests: bool) -> None:
    run = Run()
    run.note(UserPromptSubmit)
    run.note(kind, minutes=1, **more)
    assert run.used("session", "minutes", minutes=10) == (1 if rests else 11)


def test_an_interrupted_turn_ends_with_the_next_prompt() -> None:
    run = Run()
    run.note(UserPromptSubmit)
    run.note(PreToolUse, minutes=1)
    run.note(UserPromptSubmit, minutes=600)
    assert run.used("session", "minutes") == 1


def test_a_subagent_has_minutes_of_its_own_and_its_end_is_not_the_session_s() -> None:
    run = Run()
    run.note(UserPromptSubmit)
    run.note(PreToolUse, "worker", minutes=2)
    run.note(SubagentStop, "worker", minutes=3)
    assert run.used("agent", "minutes", "worker", minutes=10) == 3
    assert run.used("session", "minutes") == 15


def test_a_task_is_the_one_in_progress_else_the_prompt() -> None:
    run = Run()
    run.note(PreToolUse)
    run.note(PostToolUse, tool_name="TaskUpdate",
             tool_input={"taskId": "7", "status": "in_progress"})  # fmt: skip
    run.note(PreToolUse)
    run.note(PreToolUse, "worker")
    assert run.used("task") == 2, "a subagent works for its session's task"
    run.note(TaskCompleted, task_id="7")
    assert run.used("task") == 1
    assert run.used("task", prompt_id="p2") == 0, "the next prompt is the next task"
    assert run.used() == 3


def test_tokens_and_money_go_where_they_belong_and_count_once() -> None:
    run = Run()
    run.note(SessionStart)
    run.spending.usage(*used("a", 100, 1.0))
    run.spending.usage(*used("b", 50, 0.25, agent_id="worker-id", agent_type="worker"))
    run.spending.usage(*used("a", 100, 1.0))
    assert run.used("session", "tokens") == 150
    run.spending.usage(*used("a", 120, 1.5))
    assert run.used("session", "tokens") == 170, "the last word on a message counts"
    assert run.used("session", "usd") == 1.75
    assert run.used("agent", "tokens", "worker") == 50
    assert run.used("type", "usd", "worker") == 0.25
    assert run.used("agent", "usd") == 1.5
    assert run.used("day", "tokens") == 170


def test_what_a_message_grows_by_comes_to_it() -> None:
    run = Run()
    run.note(SessionStart)
    run.spending.usage(*used("a", 100, 1.0))
    run.spending.usage(*used("a", 20, 0.25, growth=True))
    assert run.used("session", "tokens") == 120
    assert run.used("session", "usd") == 1.25


def test_what_has_got_its_price_later_is_counted_wherever_it_was_unpriced() -> None:
    past = Past([], [spend("a", 100, 0.0, unpriced=1)])
    for asked_before in (True, False):
        run = Run(Spending(past, day_of=lambda _ns: "d", begins=lambda _ns: 0, since_ns=9 * MINUTE))
        money, day = limit(of="usd"), limit("day", of="usd")
        if asked_before:
            assert run.spending.used(run.event(PreToolUse), money).unpriced == 1
        run.spending.usage(*used("a", 0, 2.0, growth=True, repriced=True))
        for each in (money, day):
            found = run.spending.used(run.event(PreToolUse), each)
            assert (found.amount, found.unpriced) == (2.0, 0)
        assert run.used("session", "tokens") == 100


def test_what_is_missing_is_read_apart_and_taken_in_once() -> None:
    past = Past([*done(), *done(session="t")], [spend("a", 100, 1.0)])
    spending = Spending(past, day_of=lambda _ns: "d", begins=lambda _ns: 0, since_ns=9 * MINUTE)
    run = Run(spending)
    event, limits = run.event(PreToolUse), [limit(), limit("day")]
    missing = spending.missing(event, limits)
    assert [name for name, _ in missing] == ["session s", "day d"]
    assert past.asked == []
    taking = [read() for _, read in missing] + [read() for _, read in missing]
    assert [name for name, _ in spending.missing(event, limits)] == ["session s", "day d"]
    run.note(PreToolUse)
    for take in taking:
        take()
    assert spending.missing(event, limits) == []
    past.broken = True
    assert (run.used(), run.used("day"), run.used("day", "usd")) == (4, 7, 1.0)


def test_nothing_is_missing_where_there_are_no_limits_or_no_past() -> None:
    run = Run(Spending(Past(done()), since_ns=9 * MINUTE))
    event = run.event(PreToolUse)
    assert run.spending.missing(event, []) == []
    assert [name for name, _ in run.spending.missing(event, [limit()])] == ["session s"]
    assert Run(Spending()).spending.missing(event, [limit(), limit("day")]) == []


def test_of_a_day_that_has_ended_meanwhile_nothing_is_taken_in() -> None:
    past = Past(done())
    spending = Spending(past, day_of=lambda ns: f"{ns // (100 * MINUTE)}", begins=lambda _ns: 0,
                        since_ns=9 * MINUTE)  # fmt: skip
    run = Run(spending)
    ((_, _), (_, read)) = spending.missing(run.event(PreToolUse), [limit("day")])
    take = read()
    run.note(PreToolUse, minutes=200)
    take()
    assert run.used("day") == 1


def test_what_has_no_price_is_counted_apart_until_it_has_one() -> None:
    run = Run()
    asked = run.event(PreToolUse)
    run.spending.usage(*used("a", 100, None))
    assert run.spending.used(asked, limit(of="usd")).unpriced == 1
    run.spending.usage(*used("a", 100, 2.0))
    found = run.spending.used(asked, limit(of="usd"))
    assert (found.unpriced, found.amount) == (0, 2.0)


def test_a_day_ends() -> None:
    run = Run(start=0)
    run.note(PreToolUse)
    assert run.used("day") == 1
    assert run.used("day", minutes=1440) == 0
    assert run.used("session") == 1
    run.spending.usage(*used("late", 100, 1.0, at_ns=MINUTE))
    assert run.used("day", "tokens") == 0, "a late message is of yesterday"
    assert run.used("session", "tokens") == 100


def test_a_repository_s_own_day_is_its_own() -> None:
    run = Run()
    run.note(PreToolUse)
    run.note(PreToolUse, session="t", repository="/other")
    mine = limit("day", own=True)
    assert run.spending.used(run.event(PreToolUse), mine).amount == 1
    assert run.spending.used(run.event(PreToolUse), limit("day")).amount == 2


class Past(NoPast):
    """A record of one session, which can also be out of reach."""

    def __init__(self, deeds: Sequence[Deed] = (), spends: Sequence[Spend] = ()) -> None:
        self.done, self.used, self.broken = deeds, spends, False
        self.asked: list[str | None] = []

    def deeds(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Deed]:
        if self.broken:
            raise LedgerError("it is broken", fix="mend it")
        self.asked.append(session)
        return [
            each
            for each in self.done
            if since_ns <= each.at_ns < before_ns and session in {None, each.session}
        ]

    def spends(self, since_ns: int, before_ns: int, session: str | None = None) -> Sequence[Spend]:
        if self.broken:
            raise LedgerError("it is broken", fix="mend it")
        return [each for each in self.used if session in {None, each.session}]


def spend(message: str, tokens: int, usd: float, **more: Any) -> Spend:
    values = {"at_ns": 5 * MINUTE, "session": "s", "repository": REPO, **more}
    return Spend(message=f"h {message} ", tokens=tokens, usd=usd, **values)


def done(start: int = 1, calls: int = 3, session: str = "s") -> list[Deed]:
    return [
        Deed(at_ns=(start + n) * MINUTE, session=session, repository=REPO, is_call=True)
        for n in range(calls)
    ]


def test_what_was_before_a_restart_counts_on() -> None:
    past = Past([*done(), *done(session="t")], [spend("a", 100, 1.0)])
    spending = Spending(past, day_of=lambda _ns: "d", begins=lambda _ns: 0, since_ns=9 * MINUTE)
    run = Run(spending)
    assert run.used() == 3
    assert run.used("day") == 6
    assert run.used("session", "tokens") == 100
    assert run.used("day", "usd") == 1.0
    run.spending.usage(*used("a", 100, 1.0))
    assert run.used("session", "tokens") == 100, "told again, it does not count twice"
    assert run.used("day", "tokens") == 100
    run.note(PreToolUse)
    assert run.used() == 4
    assert past.asked == ["s", None], "it is read once"


def test_what_comes_in_before_anybody_asks_is_not_lost() -> None:
    past = Past(done(), [spend("a", 100, 1.0)])
    spending = Spending(past, day_of=lambda _ns: "d", begins=lambda _ns: 0, since_ns=9 * MINUTE)
    run = Run(spending)
    run.note(PreToolUse)
    run.spending.usage(*used("b", 50, 0.5))
    assert past.asked == [], "nothing is read where nobody wants to know"
    assert run.used() == 4
    assert run.used("session", "tokens") == 150
    assert run.used("day", "usd") == 1.5
    assert run.used("day") == 4


def test_a_late_message_of_yesterday_does_not_hide_this_morning() -> None:
    day = 1440 * MINUTE
    past = Past(done(start=1441))
    spending = Spending(
        past,
        day_of=lambda ns: f"{ns // day:05}",
        begins=lambda ns: ns // day * day,
        since_ns=1500 * MINUTE,
    )
    spending.usage(*used("late", 100, 1.0, at_ns=MINUTE))
    run = Run(spending, start=1510)
    assert run.used("day") == 3
    assert run.used("day", "tokens") == 0


def test_a_session_that_was_dropped_comes_back_whole() -> None:
    past = Past(done())
    spending = Spending(past, day_of=lambda _ns: "d", begins=lambda _ns: 0, since_ns=9 * MINUTE)
    run = Run(spending)
    run.note(PreToolUse)
    run.note(PreToolUse, session="other")
    for number in range(600):
        run.note(PreToolUse, session=f"s{number}", minutes=0.001)
    past.done = [*past.done, Deed(at_ns=10 * MINUTE, session="s", is_call=True)]
    assert run.used() == 4
    kept = run.used(session="s599")
    assert kept == 1


def test_a_record_that_cannot_be_read_is_no_zero() -> None:
    past = Past(done())
    past.broken = True
    run = Run(Spending(past, day_of=lambda _ns: "d", begins=lambda _ns: 0, since_ns=9 * MINUTE))
    with pytest.raises(LedgerError, match="it is broken"):
        run.used()
    past.broken = False
    assert run.used() == 3
    assert run.used("day") == 3


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.booleans()), max_size=40))
def test_the_parts_add_up(calls: list[tuple[str, bool]]) -> None:
    run = Run()
    for agent, stopped in calls:
        event = run.event(PreToolUse, agent)
        run.spending.begin(event)
        run.spending.note(event, stopped=stopped)
    passed = [agent for agent, stopped in calls if not stopped]
    assert run.used() == len(passed) == run.used("day") == run.used("task")
    for agent in ("", "a", "b"):
        assert run.used("agent", agent=agent) == passed.count(agent)


def test_memory_does_not_grow_with_what_is_counted() -> None:
    run = Run()
    for number in range(3000):
        run.note(PreToolUse, agent_id=f"a{number}", agent_type=f"t{number}", prompt_id=f"p{number}")
        run.spending.begin(run.event(PreToolUse))
        run.spending.usage(*used(f"m{number}"))
        run.note(PreToolUse, session=f"s{number}", repository=f"/r{number}")
    sizes = []
    for session in run.spending._sessions.values():
        tables = (
            session.tallies, session.paces, session.types, session.begun, session.messages,
            session.tasks,
        )  # fmt: skip
        sizes += [len(table) for table in tables]
    assert max(sizes) <= 1024
    assert len(run.spending._sessions) <= 512
    assert len(run.spending._days) <= 257
    assert run.used("day") > 6000


def test_the_day_of_a_time_begins_at_its_midnight() -> None:
    now = 1_790_000_000 * 10**9
    begun = day_begins(now)
    assert local_day(begun) == local_day(now)
    assert local_day(begun - 1) < local_day(now)
    assert 0 <= now - begun < 26 * 3600 * 10**9
