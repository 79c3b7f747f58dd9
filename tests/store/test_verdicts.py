"""A person's answer: once, in time, and to what still waits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from approving import MINUTE, Clock, question, store_in
from pointsman.model.approval import State, Terms, Timeout
from pointsman.model.errors import ApprovalError
from pointsman.store import verdicts
from pointsman.store.approval_rows import MOST_INPUT
from pointsman.store.approvals import Approvals


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Approvals]:
    made = store_in(tmp_path, clock)
    made.add(question(now=clock.now))
    yield made
    made.close()


def test_yes(store: Approvals, clock: Clock) -> None:
    one = verdicts.approve(store, "aaaa", "me", "fine")
    assert (one.state, one.decided, one.decided_by, one.note) == (
        State.APPROVED, clock.now, "me", "fine",
    )  # fmt: skip
    assert one.binding == question().binding
    assert store.history(one.id)[-1].text == "yes: fine"


def test_yes_in_any_session(store: Approvals) -> None:
    one = verdicts.approve(store, "aaaa2222", "me", any_session=True)
    assert one.binding == question(by="agent").binding
    assert one.session == "s"
    assert store.find(question(by="agent").binding.key) == [one]
    assert store.find(question().binding.key) == []


def test_yes_to_something_else(store: Approvals) -> None:
    with pytest.raises(ApprovalError, match="characters"):
        verdicts.approve(store, "aaaa2222", "me", modified={"command": "x" * MOST_INPUT})
    one = verdicts.approve(store, "aaaa2222", "me", modified={"command": "git status"})
    assert (one.state, one.modified) == (State.APPROVED, {"command": "git status"})
    assert one.input == {"command": "git commit --amend"}


def test_a_long_input_is_kept_whole(store: Approvals) -> None:
    long = {"command": "x" * (MOST_INPUT - 100)}
    verdicts.approve(store, "aaaa2222", "me", modified=long)
    assert store.get("aaaa2222").modified == long


@pytest.mark.parametrize(
    ("changed", "said"),
    [({}, "lacks command"), ({"timeout": 1}, "lacks command"), ({"command": 1}, "lacks command")],
    ids=str,
)
def test_an_input_without_what_the_call_is_about_is_refused(
    store: Approvals, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(ApprovalError, match=said):
        verdicts.approve(store, "aaaa2222", "me", modified=changed)
    assert store.get("aaaa2222").state is State.WAITING


@pytest.mark.parametrize("name", ["", "a", "aaa", "aaab", "AAAA", "%", "aaaa%", "aaaa22223"])
def test_a_wrong_id_answers_nothing(store: Approvals, name: str) -> None:
    with pytest.raises(ApprovalError, match="no approval has the id"):
        verdicts.approve(store, name, "me")
    assert store.get("aaaa2222").state is State.WAITING


def test_no(store: Approvals) -> None:
    one = verdicts.refuse(store, "aaaa2222", "me", "not today")
    assert (one.state, one.note) == (State.REFUSED, "not today")


@pytest.mark.parametrize("state", [state for state in State if state is not State.WAITING])
def test_what_does_not_wait_is_not_answered(store: Approvals, state: State) -> None:
    store.add(question("bbbb2222", state))
    for say in (verdicts.approve, verdicts.refuse):
        with pytest.raises(ApprovalError, match=f"it is {state.value}"):
            say(store, "bbbb2222", "me")
    assert store.get("bbbb2222").state is state


def test_of_two_people_the_first_has_answered(store: Approvals) -> None:
    verdicts.refuse(store, "aaaa2222", "one")
    with pytest.raises(ApprovalError, match="refused by one"):
        verdicts.approve(store, "aaaa2222", "two")


def test_too_late_is_too_late_although_nobody_has_put_it_down(
    store: Approvals, clock: Clock
) -> None:
    clock.pass_by(60 * MINUTE)
    with pytest.raises(ApprovalError, match="it is lapsed"):
        verdicts.approve(store, "aaaa2222", "me")
    assert store.get("aaaa2222").state is State.LAPSED


def test_what_is_to_be_escalated_can_still_be_answered(store: Approvals, clock: Clock) -> None:
    store.add(question("bbbb2222", terms=Terms(on_timeout=Timeout.ESCALATE), now=clock.now))
    clock.pass_by(61 * MINUTE)
    assert verdicts.approve(store, "bbbb2222", "me").state is State.APPROVED
