"""The life of alerts: a table of steps, and what holds whatever happens in whatever order."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.alerts import book as module
from pointsman.alerts.book import Book
from pointsman.alerts.terms import Terms
from pointsman.model.alert import Finding, Gone, Severity
from pointsman.model.alerting import OPEN, STEPS, UNATTENDED, Change, Rung, State

S = 10**9
MINUTE = 60 * S
TERMS = Terms(
    recover_after_s=1800,
    cool_down_s=600,
    ladder=(
        Rung(300, ("phone",)),
        Rung(900, ("boss",), least=Severity.CRITICAL, does="stop-agent"),
    ),
)


def finding(at: int = 0, severity: str = "warning", key: str = "k", **more: Any) -> Finding:
    return Finding(
        detector="repetition", key=key, severity=Severity(severity), summary=f"{key} at {at}",
        at_ns=at, **{"session": "s", **more},
    )  # fmt: skip


def run(*steps: tuple[str, Any]) -> list[list[Change]]:
    """Carry steps out; return the changes of each."""
    book, out = Book(), []
    for word, given_ in steps:
        out.append(act(book, word, given_, TERMS))
    return out


def act(book: Book, word: str, given_: Any, terms: Terms) -> list[Change]:
    if word == "found":
        return book.found(given_, terms)
    if word == "lasting":
        return book.found(given_, terms, lasting=True)
    if word == "tick":
        return book.ticked(given_, terms)
    if word == "cleared":
        return book.cleared("repetition", "k", given_, "it is gone")
    if word == "ended":
        return book.ended("s", None, given_)
    number, at = given_
    done = (book.acknowledged if word == "ack" else book.resolved)(number, "me", "", at)
    return [done] if done else []


def states(*steps: tuple[str, Any]) -> list[str]:
    """Return the last state after each step, ``-`` where nothing changed."""
    return [str(changes[-1].after) if changes else "-" for changes in run(*steps)]


W, C = finding(), finding(severity="critical")
LIVES = {
    "the whole life": (
        [("found", W), ("found", finding(S, "critical")), ("tick", 6 * MINUTE),
         ("ack", (1, 7 * MINUTE)), ("tick", 31 * MINUTE)],
        ["warning", "critical", "escalated", "acknowledged", "recovered"],
    ),
    "critical from the beginning": ([("found", C)], ["critical"]),
    "the same again is the same": ([("found", W), ("found", finding(S))], ["warning", "-"]),
    "a warning about what is critical": ([("found", C), ("found", finding(S))], ["critical", "-"]),
    "another key is another": (
        [("found", W), ("found", finding(S, key="x"))], ["warning", "warning"]
    ),
    "another agent is another": (
        [("found", W), ("found", finding(S, agent_id="a"))], ["warning", "warning"]
    ),
    "another session is another": (
        [("found", W), ("found", finding(S, session="t"))], ["warning", "warning"]
    ),
    "seen again it does not recover": (
        [("found", W), ("ack", (1, S)), ("found", finding(25 * MINUTE)), ("tick", 31 * MINUTE)],
        ["warning", "acknowledged", "-", "-"],
    ),
    "not seen it recovers": (
        [("found", W), ("ack", (1, S)), ("tick", 29 * MINUTE), ("tick", 30 * MINUTE)],
        ["warning", "acknowledged", "-", "recovered"],
    ),
    "worse than what was taken up": (
        [("found", W), ("ack", (1, S)), ("found", finding(2 * S, "critical"))],
        ["warning", "acknowledged", "critical"],
    ),
    "taken up it climbs no ladder": (
        [("found", W), ("ack", (1, S)), ("tick", 20 * MINUTE)], ["warning", "acknowledged", "-"]
    ),
    "taken up once": (
        [("found", W), ("ack", (1, S)), ("ack", (1, 2 * S))], ["warning", "acknowledged", "-"]
    ),
    "what there is not": ([("ack", (7, S)), ("resolve", (7, S))], ["-", "-"]),
    "a person ends it": ([("found", W), ("resolve", (1, S))], ["warning", "recovered"]),
    "the session ends": ([("found", W), ("ended", S)], ["warning", "recovered"]),
    "the session ends, and it lasts": ([("lasting", W), ("ended", S)], ["warning", "-"]),
    "it lasts until somebody has seen it": (
        [("lasting", replace(W, severity=Severity.CRITICAL)), ("tick", 100 * MINUTE),
         ("ack", (1, 101 * MINUTE)), ("tick", 130 * MINUTE), ("tick", 132 * MINUTE)],
        ["critical", "escalated", "acknowledged", "-", "recovered"],
    ),
    "the detector says it is gone": ([("found", W), ("cleared", S)], ["warning", "recovered"]),
    "back within the cool-down": (
        [("found", W), ("resolve", (1, S)), ("found", finding(9 * MINUTE))],
        ["warning", "recovered", "warning"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("steps", "expected"), LIVES.values(), ids=LIVES)
def test_lives(steps: list[tuple[str, Any]], expected: list[str]) -> None:
    assert states(*steps) == expected


def test_within_the_cool_down_it_is_the_same_alert_and_nobody_is_told_again() -> None:
    *_, back = run(("found", W), ("resolve", (1, S)), ("found", finding(9 * MINUTE)))
    assert (back[0].alert.number, back[0].tell) == (1, False)
    *_, later = run(("found", W), ("resolve", (1, S)), ("found", finding(11 * MINUTE)))
    assert (later[0].alert.number, later[0].tell) == (2, True)
    *_, worse = run(("found", W), ("resolve", (1, S)), ("found", finding(9 * MINUTE, "critical")))
    assert (worse[0].alert.number, worse[0].tell) == (1, True)


def test_each_rung_of_the_ladder_once_for_whom_it_is() -> None:
    _, first, again, second = run(
        ("found", C), ("tick", 5 * MINUTE), ("tick", 6 * MINUTE), ("tick", 15 * MINUTE)
    )
    assert [(each.sinks, each.does, each.alert.level) for each in first] == [(("phone",), "", 1)]
    assert again == []
    assert [(each.before, each.sinks, each.does) for each in second] == [
        (State.ESCALATED, ("boss",), "stop-agent")
    ]
    *_, warning = run(("found", W), ("tick", 5 * MINUTE), ("tick", 15 * MINUTE))
    assert warning == [], "the second rung is for what is critical"


def test_both_rungs_are_climbed_by_one_late_look() -> None:
    _, late = run(("found", C), ("tick", 20 * MINUTE))
    assert [each.sinks for each in late] == [("phone",), ("boss",)]


def test_in_quiet_hours_a_warning_climbs_no_ladder_and_what_is_critical_does() -> None:
    from datetime import time

    from pointsman.alerts.terms import Quiet

    night = replace(TERMS, quiet=(Quiet(time(0, 0), time(0, 0)),))
    for severity, expected in (("warning", []), ("critical", [State.ESCALATED])):
        book = Book()
        book.found(finding(severity=severity), night)
        assert [each.after for each in book.ticked(5 * MINUTE, night)] == expected


def test_how_often_it_was_seen_and_where_is_kept() -> None:
    book = Book()
    for number in range(30):
        book.found(finding(number, seqs=(number,)), TERMS)
    (alert,) = book
    assert (alert.count, alert.seen_ns, alert.summary) == (30, 29, "k at 29")
    assert alert.seqs == tuple(range(10, 30))


def test_where_too_many_are_open_the_oldest_warning_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)
    book = Book()
    book.found(finding(0, "critical", key="a"), TERMS)
    for key in "bc":
        book.found(finding(1, key=key), TERMS)
    gone, new = book.found(finding(2, key="d"), TERMS)
    assert (gone.alert.key, gone.after, new.alert.key) == ("b", State.RECOVERED, "d")
    assert {each.key for each in book} == {"a", "c", "d"}


# --- whatever happens -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """Something that happens, so much later than what was before."""

    word: str
    wait: int
    key: str = "k"
    agent: str | None = None
    session: str = "s"
    severity: str = "warning"
    number: int = 1


STEP = st.builds(
    Step,
    word=st.sampled_from(["found", "lasting", "tick", "cleared", "ended", "ack", "resolve"]),
    wait=st.sampled_from([0, 1, 4 * 60, 11 * 60, 31 * 60]),
    key=st.sampled_from("kx"),
    agent=st.sampled_from([None, "a"]),
    session=st.sampled_from(["s", "t"]),
    severity=st.sampled_from(["warning", "critical"]),
    number=st.integers(1, 5),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEP, max_size=40), st.booleans())
def test_whatever_happens(steps: list[Step], restarts: bool) -> None:
    book, now, changes = Book(), 0, list[Change]()
    for step in steps:
        now += step.wait * S
        at: Any = now
        if step.word in {"found", "lasting"}:
            at = finding(now, step.severity, step.key, agent_id=step.agent, session=step.session)
        elif step.word in {"ack", "resolve"}:
            at = (step.number, now)
        changes += act(book, step.word, at, TERMS)
        check(book, changes)
        if restarts:
            again = Book()
            again.load(list(book._alerts.values()), book.number)
            book = again


def check(book: Book, changes: list[Change]) -> None:
    open_ = list(book)
    assert len({each.identity for each in open_}) == len(open_), "one key, one open alert"
    assert len({each.number for each in open_}) == len(open_)
    at: dict[int, State] = {}
    for change in changes:
        number = change.alert.number
        assert change.before is at.get(number, State.OK), "no step is left out"
        assert change.after in STEPS[change.before]
        at[number] = change.after
    assert list(at) == sorted(at), "numbers only grow"
    assert {each.number for each in open_} == {n for n, state in at.items() if state in OPEN}
    assert {each.number: each.state for each in open_}.items() <= at.items()
    for each in open_:
        assert each.severity is Severity.CRITICAL or each.state is not State.CRITICAL
    told = [each for each in changes if each.does]
    assert all(each.before in UNATTENDED for each in told), "nobody is stopped who was taken up"


@pytest.mark.parametrize(
    ("gone", "after"),
    [({}, "recovered"), ({"session": "t"}, "warning"), ({"agent_id": "a"}, "warning"),
     ({"key": "other"}, "warning"), ({"detector": "cycle"}, "warning")],
)  # fmt: skip
def test_what_is_over_ends_its_own_alert_and_no_other(gone: dict[str, str], after: str) -> None:
    book = Book()
    book.found(finding(S), TERMS)
    over = Gone(**{"detector": "repetition", "key": "k", "session": "s", **gone})
    changes = book.over(over, 2 * S)
    assert [each.tell for each in changes] == [True] * (after == "recovered")
    assert [each.state.value for each in book._alerts.values()] == [after]
    assert book.over(over, 3 * S) == []


def test_what_lasts_is_not_over_by_itself() -> None:
    book = Book()
    book.found(finding(S), TERMS, lasting=True)
    assert book.over(Gone(detector="repetition", key="k", session="s"), 2 * S) == []
