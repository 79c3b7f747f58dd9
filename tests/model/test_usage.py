"""Whose role a message is told by."""

import pytest

from pointsman.model.usage import Usage, role_of


@pytest.mark.parametrize(
    ("agent_id", "agent_type", "declared", "role"),
    [
        (None, None, "", "orchestrator"),
        (None, "planner", "", "orchestrator"),  # A main thread that runs as an agent.
        ("a1", "tester", "", "subagent"),
        ("a1", None, "", "subagent"),
        ("a1", "tester", "checker", "checker"),
        (None, None, "lead+owner", "lead+owner"),
    ],
)
def test_a_declared_role_goes_before_what_an_agent_is(
    agent_id: str | None, agent_type: str | None, declared: str, role: str
) -> None:
    usage = Usage(
        host="h", session="s", message_id="m", model="x", at_ns=1, agent_id=agent_id,
        agent_type=agent_type,
    )  # fmt: skip
    assert role_of(usage, declared) == role
