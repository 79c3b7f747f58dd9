"""Events and decisions as JSON, and back, and what is no answer."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.model.canonical import (
    decision_from_json,
    decision_to_json,
    event_from_json,
    event_to_json,
)
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.errors import HookError
from pointsman.model.event import Event, Identity, UnknownEvent
from pointsman.model.events import (
    DERIVED_EVENTS,
    HOST_EVENTS,
    FileChanged,
    PostToolUse,
    PreEdit,
    PreToolUse,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Time is no part of a property: the machine may be busy."""

WHO = Identity(host="claude-code", session="s", agent_id="a", agent_type="builder", cwd="/r")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECT = st.dictionaries(st.text(max_size=5), JSON, max_size=3)


def there_and_back(event: Event) -> Event:
    return event_from_json(json.loads(json.dumps(event_to_json(event))))


@pytest.mark.parametrize("kind", [*HOST_EVENTS.values(), *DERIVED_EVENTS.values()])
def test_every_kind_comes_back(kind: type[Event]) -> None:
    event = kind(identity=WHO, unknown=("x",), native={"a": [1]})
    assert there_and_back(event) == event
    assert event_to_json(event)["event"] == kind.KIND


@UNHURRIED
@given(OBJECT, JSON)
def test_a_tool_event_comes_back_whatever_the_tool_said(
    tool_input: dict[str, Any], response: Any
) -> None:
    event = PostToolUse(identity=WHO, tool_name="X", tool_input=tool_input, tool_response=response)
    assert there_and_back(event) == event


def test_lists_that_are_fields_come_back_as_they_were() -> None:
    event = PreEdit(identity=WHO, files=("/a", "/b"))
    assert there_and_back(event) == event


@pytest.mark.parametrize("name", ["Brandnew", "PreToolUse", ""])
def test_an_unknown_event_comes_back_whatever_its_name(name: str) -> None:
    event = UnknownEvent(identity=WHO, name=name, problems=("odd",))
    assert there_and_back(event) == event


def test_the_shape_that_a_hook_reads() -> None:
    event = PreToolUse(identity=WHO, tool_name="Bash", tool_input={"command": "ls"})
    assert list(event_to_json(event))[:3] == ["event", "host", "session"]
    assert event_to_json(event)["agent_type"] == "builder"


@pytest.mark.parametrize("value", [None, {}])
def test_no_opinion(value: object) -> None:
    assert decision_from_json(value) is None


@UNHURRIED
@given(st.sampled_from([Action.DENY, Action.ASK, Action.ALLOW]), st.text(), st.sampled_from(Cause))
def test_a_decision_comes_back(action: Action, text: str, cause: Cause) -> None:
    decision = Decision(action=action, reason=text, rule=text, context=text, cause=cause)
    assert decision_from_json(json.loads(json.dumps(decision_to_json(decision)))) == decision


@UNHURRIED
@given(OBJECT)
def test_a_new_input_comes_back(updated: dict[str, Any]) -> None:
    decision = Decision(action=Action.MODIFY, updated_input=updated)
    assert decision_from_json(decision_to_json(decision)) == decision


NO_ANSWERS: list[object] = [
    True, 0, "deny", [], [{}], {"decision": "block"}, {"decision": "DENY"}, {"decision": True},
    {"decision": ["deny"]}, {"decision": "deny", "reason": 1}, {"context": []},
    {"permissionDecision": "deny"}, {"decision": "modify"}, {"decision": "modify",
    "updated_input": []}, {"updated_input": {}}, {"decision": "allow", "updated_input": {}},
    {"decision": "deny", "updated_input": {}}, {"reason": "no"}, {"cause": "mine"},
    {"decision": "deny", "cause": "x"}, {"hookSpecificOutput": {}},
]  # fmt: skip


@pytest.mark.parametrize("value", NO_ANSWERS, ids=repr)
def test_what_is_no_answer_is_never_read_as_one(value: object) -> None:
    with pytest.raises(HookError):
        decision_from_json(value)


@UNHURRIED
@given(JSON)
def test_anything_else_is_an_answer_or_an_error(value: Any) -> None:
    decision: object = None
    with contextlib.suppress(HookError):
        decision = decision_from_json(value)
    assert decision is None or isinstance(decision, Decision)


def test_a_field_called_event_does_not_hide_the_kind() -> None:
    event = FileChanged(identity=WHO, file_path="/a", change="modified")
    assert event_to_json(event)["event"] == "FileChanged"
    assert event_to_json(event)["change"] == "modified"
