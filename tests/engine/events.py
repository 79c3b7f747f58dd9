"""Events for the tests of the engine."""

from typing import Any

from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse, PostToolUseFailure, PreToolUse

WHO = Identity(host="claude-code", session="s", cwd="/repo")


def pre(tool: str = "Bash", **given: Any) -> PreToolUse:
    return PreToolUse(identity=WHO, tool_name=tool, tool_input=given, received_ns=10**9)


def post(tool: str = "Bash") -> PostToolUse:
    return PostToolUse(identity=WHO, tool_name=tool, received_ns=10**9)


def failed(error: str, received_ns: int = 10**9, tool: str = "Bash") -> PostToolUseFailure:
    return PostToolUseFailure(identity=WHO, tool_name=tool, error=error, received_ns=received_ns)
