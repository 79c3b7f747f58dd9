"""The catalogue: 33 events of the host, two of our own."""

import dataclasses

import pytest

from pointsman.model.canonical import event_from_json, event_to_json
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    DERIVED_EVENTS,
    HOST_EVENTS,
    ConfigChange,
    ErrorEscalation,
    FileChanged,
    PreEdit,
)

KINDS = {**HOST_EVENTS, **DERIVED_EVENTS}
WHO = Identity(host="h", session="s", cwd="/r", repository="/r")
COMMON = {entry.name for entry in dataclasses.fields(Event)}


def test_there_are_as_many_as_there_should_be() -> None:
    assert len(HOST_EVENTS) == 33
    assert set(DERIVED_EVENTS) == {"PreEdit", "ErrorEscalation", "WatchFinding"}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind(name: str) -> None:
    kind = KINDS[name]
    event = kind(identity=WHO)
    assert event.kind == kind.KIND == name == kind.__name__
    assert kind.__doc__
    assert event_to_json(event_from_json(event_to_json(event))) == event_to_json(event)


@pytest.mark.parametrize("name", KINDS)
def test_no_field_hides_another_in_our_json(name: str) -> None:
    own = [entry.name for entry in dataclasses.fields(KINDS[name])]
    taken = {"event", *(entry.name for entry in dataclasses.fields(Identity))}
    assert not taken & set(own)
    assert len(event_to_json(KINDS[name](identity=WHO))) == len(taken) + len(own) - 1


@pytest.mark.parametrize("name", KINDS)
def test_every_field_has_a_default_that_says_its_type(name: str) -> None:
    for entry in dataclasses.fields(KINDS[name]):
        if entry.name not in COMMON:
            given = (entry.default, entry.default_factory)
            assert given != (dataclasses.MISSING, dataclasses.MISSING), entry.name


def test_paths() -> None:
    assert PreEdit(identity=WHO, files=("/a", "/b"), tool_input={"path": "x"}).paths == ("/a", "/b")
    assert ConfigChange(identity=WHO, file_path="/s.json").paths == ("/s.json",)
    assert FileChanged(identity=WHO, file_path="/f").paths == ("/f",)
    assert ErrorEscalation(identity=WHO).paths == ()
