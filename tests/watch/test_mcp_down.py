"""A server that is gone is found by its errors, or by many of any kind."""

import pytest

from pointsman.model.events import PostToolBatch

from .run import Session


@pytest.mark.parametrize(
    "error",
    [
        "MCP error -32000: Connection closed",
        "MCP error -32001: Request timed out",
        "Not connected",
        "connect ECONNREFUSED 127.0.0.1:3000",
        "SSE error: 502 Bad Gateway",
    ],
)
def test_three_errors_that_say_so(error: str) -> None:
    session = Session("mcp-down")
    for _ in range(3):
        session.call("mcp__db__query", error=error)
    (found,) = session.found
    assert found.key == "db"
    assert "'db' has failed 3 calls in a row" in found.summary


def test_a_server_whose_tools_are_gone() -> None:
    session = Session("mcp-down")
    told = "<tool_use_error>Error: No such tool available: mcp__db__query</tool_use_error>"
    for _ in range(3):
        session.event(PostToolBatch, tool_calls=({"tool_name": "mcp__db__query",
                                                  "tool_response": told},))  # fmt: skip
    assert session.found_keys() == ["db"]


def test_other_errors_take_more_of_them() -> None:
    session = Session("mcp-down")
    for number in range(6):
        assert session.found == []
        session.call("mcp__db__query", error=f"column {number} does not exist")
    assert len(session.found) == 1


def test_a_call_that_ends_well_begins_the_count_anew() -> None:
    session = Session("mcp-down")
    for _ in range(9):
        session.call("mcp__db__query", error="Not connected")
        session.call("mcp__db__query", error="Not connected")
        session.call("mcp__db__query", "fine")
        session.call("mcp__other__x", error="Not connected")
        session.call("mcp__other__x", "fine")
        session.call("Bash", error="Not connected")
    assert session.found == []
