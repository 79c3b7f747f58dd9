"""An answer from the dashboard, as the daemon carries it out."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from approving import question
from pointsman.model.places import Places
from pointsman.serve import verdict
from pointsman.store.approvals import Approvals, moment

NOBODY = 1


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, tmp_path)


@pytest.fixture
def store(places: Places) -> Iterator[Approvals]:
    made = Approvals(places.approvals)
    made.add(question(now=moment()))
    yield made
    made.close()


def say(places: Places, word: str, given: object, pid: int = NOBODY) -> dict[str, Any]:
    answer = verdict.answer(places, f"approvals.{word}", json.dumps(given).encode(), pid)
    assert answer.code == 0
    value: dict[str, Any] = json.loads(answer.stdout)
    return value


@pytest.mark.parametrize(
    ("word", "more", "state"),
    [
        ("approve", {}, "approved"),
        ("approve", {"any_session": True}, "approved"),
        ("deny", {}, "refused"),
        ("modify", {"input": {"command": "git commit"}}, "approved"),
    ],
)
def test_each_answer(
    places: Places, store: Approvals, word: str, more: dict[str, Any], state: str
) -> None:
    given = {"id": "aaaa2222", "by": "me, dashboard", "note": "so", **more}
    assert say(places, word, given)["state"] == state
    one = store.get("aaaa2222")
    assert (one.state.value, one.decided_by, one.note) == (state, "me, dashboard", "so")
    assert one.modified == more.get("input")
    assert (one.binding.session == "") is ("any_session" in more)
    # A second one finds it settled.
    assert "does not wait" in say(places, word, given)["error"]


@pytest.mark.parametrize(
    ("word", "given", "why"),
    [
        ("approve", {"id": "none2222", "by": "me"}, "no approval has the id"),
        ("approve", {"id": 7, "by": "me"}, "as short texts"),
        ("approve", {"id": "aaaa2222", "by": "x" * 5000}, "as short texts"),
        ("approve", [], "as short texts"),
        ("modify", {"id": "aaaa2222", "by": "me"}, "no JSON object"),
        ("modify", {"id": "aaaa2222", "by": "me", "input": "ls"}, "no JSON object"),
        ("modify", {"id": "aaaa2222", "by": "me", "input": {"command": "x" * 300_000}}, "at most"),
    ],
)
def test_what_is_no_answer_changes_nothing(
    places: Places, store: Approvals, word: str, given: object, why: str
) -> None:
    assert why in say(places, word, given)["error"]
    assert store.get("aaaa2222").state.value == "waiting"


def test_bytes_that_are_no_json(places: Places, store: Approvals) -> None:
    for body in (b"", b"{", b"[" * 100_000, b"\xff"):
        answer = verdict.answer(places, "approvals.approve", body, NOBODY)
        assert "no JSON" in json.loads(answer.stdout)["error"]
    assert store.get("aaaa2222").state.value == "waiting"


def test_an_agents_own_process_answers_nothing(places: Places, store: Approvals) -> None:
    # This process stands for the host whose agent has asked; what it starts belongs to it.
    store.add(question("bbbb2222", now=moment(), host_pid=os.getpid()))
    said = say(places, "approve", {"id": "bbbb2222", "by": "me"}, os.getpid())
    assert "an agent's session" in said["error"]
    assert store.get("bbbb2222").state.value == "waiting"
    assert say(places, "approve", {"id": "bbbb2222", "by": "me"})["state"] == "approved"
