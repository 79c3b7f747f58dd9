"""What was answered at the host's own prompt, by what follows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from approving import WHO, Clock, question, store_in
from pointsman.model.approval import Approval, State
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    Notification,
    PermissionDenied,
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    PreToolUse,
    SessionEnd,
    Stop,
    SubagentStop,
    UserPromptSubmit,
)
from pointsman.store.approvals import Approvals
from pointsman.witness import Witness

MADE = replace(WHO, tool_use_id="call")
OTHER = replace(WHO, tool_use_id="other")
SUB = replace(WHO, agent_id="a", agent_type="builder")
ELSEWHERE = Identity(host="claude-code", session="t")
START = Clock().now.wall_ns


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Approvals]:
    made = store_in(tmp_path)
    yield made
    made.close()


def expecting(store: Approvals, **more: Any) -> Witness:
    one = question(state=State.ASKED, **more)
    store.add(one)
    witness = Witness(store)
    witness.expect(one)
    return witness


def batch(*calls: str) -> PostToolBatch:
    return PostToolBatch(identity=WHO, tool_calls=tuple({"tool_use_id": call} for call in calls))


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (PostToolUse(identity=MADE), State.ANSWERED_YES),
        (PostToolUseFailure(identity=MADE), State.ANSWERED_YES),
        (PermissionDenied(identity=MADE), State.ANSWERED_NO),
        (batch("x", "call"), State.ANSWERED_NO),
        (UserPromptSubmit(identity=WHO), State.ANSWERED_NO),
        (SessionEnd(identity=WHO), State.UNKNOWN),
        (PostToolUse(identity=OTHER), State.ASKED),
        (PermissionDenied(identity=OTHER), State.ASKED),
        (batch("x"), State.ASKED),
        (UserPromptSubmit(identity=ELSEWHERE), State.ASKED),
        (SessionEnd(identity=ELSEWHERE), State.ASKED),
        (SubagentStop(identity=SUB), State.ASKED),
        (Stop(identity=WHO), State.ASKED),
        (Notification(identity=WHO), State.ASKED),
        (PreToolUse(identity=MADE), State.ASKED),
    ],
)
def test_what_follows_tells_or_does_not(store: Approvals, event: Event, state: State) -> None:
    expecting(store).follow(event)
    assert store.get("aaaa2222").state is state


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (UserPromptSubmit(identity=WHO), State.ASKED),
        (SubagentStop(identity=SUB), State.UNKNOWN),
        (SessionEnd(identity=WHO), State.UNKNOWN),
    ],
)
def test_a_subagent_s_question_is_its_own(store: Approvals, event: Event, state: State) -> None:
    expecting(store, who=SUB, agent_id="a").follow(event)
    assert store.get("aaaa2222").state is state


def test_the_time_of_the_answer_is_that_before_the_call_ran(store: Approvals) -> None:
    ended = PostToolUse(identity=MADE, received_ns=START + 9 * 10**9, duration_ms=7000)
    expecting(store).follow(ended)
    one = store.get("aaaa2222")
    assert one.decided is not None
    assert one.decided.wall_ns == START + 2 * 10**9


def test_a_call_that_was_made_after_all_corrects_what_was_inferred(store: Approvals) -> None:
    witness = expecting(store)
    witness.follow(UserPromptSubmit(identity=WHO))
    witness.follow(SessionEnd(identity=WHO))
    assert store.get("aaaa2222").state is State.ANSWERED_NO
    witness.follow(PostToolUse(identity=MADE))
    assert store.get("aaaa2222").state is State.ANSWERED_YES
    witness.follow(batch("call"))
    witness.follow(PermissionDenied(identity=MADE))
    assert store.get("aaaa2222").state is State.ANSWERED_YES


def test_a_later_daemon_knows_what_is_open(store: Approvals) -> None:
    store.add(question(state=State.ASKED))
    Witness(store).follow(PostToolUse(identity=MADE))
    assert store.get("aaaa2222").state is State.ANSWERED_YES


def test_memory_is_bounded(store: Approvals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.witness._MOST", 2)
    witness = Witness(store)
    made: list[Approval] = []
    for number in range(3):
        one = question(f"aaaa222{number}", State.ASKED, call=f"call{number}")
        store.add(one)
        witness.expect(one)
        made.append(one)
    for one in made:
        witness.follow(PostToolUse(identity=replace(WHO, tool_use_id=one.call)))
    states = [store.get(one.id).state for one in made]
    assert states == [State.ASKED, State.ANSWERED_YES, State.ANSWERED_YES]
