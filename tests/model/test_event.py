"""Who acts, where, and what every event has."""

import dataclasses

import pytest

from pointsman.model.event import MAIN_THREAD, Event, Identity, ToolEvent, UnknownEvent


def test_an_identity_has_everything_that_says_who_and_where() -> None:
    names = [entry.name for entry in dataclasses.fields(Identity)]
    assert names == [
        "host", "session", "agent_id", "agent_type", "parent", "prompt_id", "tool_use_id", "cwd",
        "repository",
    ]  # fmt: skip


def test_the_main_thread_has_a_name() -> None:
    assert Identity(host="h").agent == MAIN_THREAD == "main"
    assert Identity(host="h", agent_type="builder").agent == "builder"
    assert Identity(host="h", agent_type="").agent == "main"


def test_an_event_cannot_be_changed() -> None:
    event = Event(identity=Identity(host="h"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.received_ns = 1  # type: ignore[misc]
    assert (event.tool, event.paths) == ("", ())


def test_an_unknown_event_is_called_what_the_host_calls_it() -> None:
    assert UnknownEvent(identity=Identity(host="h"), name="New").kind == "New"


@pytest.mark.parametrize(
    ("tool_input", "paths"),
    [
        ({"file_path": "/a"}, ("/a",)),
        ({"notebook_path": "/n.ipynb"}, ("/n.ipynb",)),
        ({"path": "/p", "file_path": "/f"}, ("/f",)),
        ({"file_path": 5}, ()),
        ({}, ()),
    ],
)
def test_the_file_that_a_call_names(tool_input: dict[str, object], paths: tuple[str]) -> None:
    assert ToolEvent(identity=Identity(host="h"), tool_input=tool_input).paths == paths
