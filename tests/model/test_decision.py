"""A decision is a value."""

import dataclasses
from typing import Any

import pytest

from pointsman.model import decision
from pointsman.model.decision import NO_OPINION, Action, Cause, Decision


@pytest.mark.parametrize(
    ("made", "action", "cause"),
    [
        (decision.deny("no", rule="r"), Action.DENY, Cause.VIOLATION),
        (decision.ask("hm", rule="r"), Action.ASK, Cause.VIOLATION),
        (decision.allow("yes", rule="r"), Action.ALLOW, Cause.VIOLATION),
        (decision.modify({"a": 1}, "so", rule="r"), Action.MODIFY, Cause.VIOLATION),
        (decision.inject("text", rule="r"), None, Cause.VIOLATION),
        (decision.unverified("what?", rule="r"), Action.ASK, Cause.UNVERIFIED),
        (decision.failure("broken", rule="r"), Action.DENY, Cause.FAILURE),
    ],
)
def test_what_the_words_make(made: Decision, action: Action | None, cause: Cause) -> None:
    assert (made.action, made.cause, made.rule) == (action, cause, "r")


def test_it_cannot_be_changed_but_signed() -> None:
    made = decision.deny("no")
    assert made.by("guard").hook == "guard"
    assert made.hook == ""
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.reason = "yes"  # type: ignore[misc]


def test_a_new_input_is_a_copy_that_cannot_be_changed() -> None:
    given: dict[str, Any] = {"command": "ls"}
    made = decision.modify(given)
    given["command"] = "rm"
    assert made.updated_input == {"command": "ls"}
    with pytest.raises(TypeError):
        made.updated_input["command"] = "rm"  # type: ignore[index]


def test_no_opinion_says_nothing() -> None:
    assert Decision(action=None) == NO_OPINION
