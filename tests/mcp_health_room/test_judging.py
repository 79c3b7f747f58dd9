"""What errors say of a server; those of Claude Code 2.1.330 as they were recorded."""

import pytest

from pointsman.mcp_health.judging import Says, judge

RECORDED = "ECONNREFUSED: Unable to connect. Is the computer able to access the url?"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RECORDED, Says.OUTAGE),
        ('MCP server "one" is not connected', Says.OUTAGE),
        ("MCP error -32000: Connection closed", Says.OUTAGE),
        ("McpError: MCP error -32001: Request timed out", Says.OUTAGE),
        ("Connection closed", Says.OUTAGE),
        ("Not connected", Says.OUTAGE),
        ("Streamable HTTP error: Error POSTing to endpoint (HTTP 404): no session", Says.OUTAGE),
        # A tool's own errors, however they sound.
        ("Error executing tool boom: connect ECONNREFUSED 127.0.0.1:5432", Says.UNCLEAR),
        ("connect ECONNREFUSED 10.0.0.7:5432", Says.UNCLEAR),
        ("fetch failed", Says.UNCLEAR),
        ("Session not found: chat 17", Says.UNCLEAR),
        ("upstream answered 503", Says.UNCLEAR),
        ("not connected, perhaps: No such tool available: mcp__dead__echo", Says.UNCLEAR),
        ("mcp tool failed", Says.ANSWER),
        ("MCP error -32602: Invalid arguments for tool add", Says.ANSWER),
        ("Connection closed accounts are not listed", Says.UNCLEAR),
        ("the issue 503x does not exist", Says.ANSWER),
        ("", Says.ANSWER),
    ],
)
def test_judge(error: str, says: Says) -> None:
    assert judge(error) is says


def test_a_long_error_is_judged_by_its_beginning() -> None:
    assert judge(RECORDED + "x" * 10**6) is Says.OUTAGE
    assert judge("x" * 10**6 + RECORDED) is Says.ANSWER
