"""Which role may use which tool."""

from typing import Any

import pytest

from hooks.crew import Crew, crew, rule
from pointsman.model.decision import Cause
from pointsman.model.tools import is_tool

team = pytest.fixture(crew)

ROLES = {
    "reviewer": ["Read", "Grep", "Glob"],
    "test-runner": ["Bash", "Read", "Grep"],
    "builder": ["Read", "Edit", "Write", "Grep", "Glob"],
    "orchestrator": ["Task", "Read", "Glob"],
    "scout": ["Read", "Grep", "Glob", "WebFetch"],
    "librarian": ["Read", "mcp__kotadb__search*", "mcp__memory"],
}
TOOLS = (
    "Read", "Grep", "Glob", "Bash", "Edit", "Write", "MultiEdit", "NotebookEdit", "Agent", "Task",
    "WebFetch", "WebSearch", "TodoWrite", "mcp__kotadb__search_code", "mcp__kotadb__index",
    "mcp__memory__recall", "mcp__memory2__recall",
)  # fmt: skip
GRANTED = {
    "librarian": {"Read", "mcp__kotadb__search_code", "mcp__memory__recall"},
    "orchestrator": {"Task", "Agent", "Read", "Glob"},
}
INPUT: dict[str, Any] = {
    "file_path": "a",
    "notebook_path": "a",
    "edits": [],
    "command": "ls",
    "content": "",
}


@pytest.mark.parametrize("declare", ["frontmatter", "frontmatter list", "settings", "user"])
@pytest.mark.parametrize("role", ROLES)
def test_role_by_tool(team: Crew, role: str, declare: str) -> None:
    tools = ROLES[role]
    if declare.startswith("frontmatter"):
        text = ", ".join(tools)
        team.agent(role, f"tools: [{text}]" if "list" in declare else f"tools: {text}")
    else:
        write = team.settings if declare == "settings" else team.user
        write(f"[roles.{role}]\ntools = {tools}\n")
    granted = GRANTED.get(role, set(tools))
    seen = {tool for tool in TOOLS if rule(team.call(tool, role, **INPUT)) != "roles.tool"}
    assert seen == granted
    assert {
        tool for tool in TOOLS if rule(team.call(tool, "other", **INPUT)) == "roles.tool"
    } == set()


def test_a_denial_names_role_tool_and_what_it_may_use(team: Crew) -> None:
    team.settings('[roles.reviewer]\ntools = ["Read", "Grep"]\nagents = ["*-reviewer"]\n')
    reason = team.call("Write", "api-reviewer", **INPUT).decision.reason
    for said in ("'api-reviewer'", "'reviewer'", "Write", "Read, Grep", ".pointsman/config.toml"):
        assert said in reason
    assert rule(team.call("Write", "reviewer", **INPUT)) == ""


def test_all_that_is_declared_binds(team: Crew) -> None:
    team.agent("reviewer", "tools: Read, Bash")
    team.settings('[roles.reviewer]\ntools = ["Read", "Write"]\n')
    team.user('[roles.all]\nagents = ["*"]\ndisallowed = ["Read"]\n')
    for tool in ("Read", "Bash", "Write"):
        assert rule(team.call(tool, "reviewer", **INPUT)) == "roles.tool"


def test_a_repository_never_gives_what_the_user_takes(team: Crew) -> None:
    team.user('[roles.scout]\ntools = ["Read"]\n')
    team.settings('[roles.scout]\ntools = ["Read", "Bash"]\n')
    assert rule(team.call("Bash", "scout", command="ls")) == "roles.tool"
    assert rule(team.call("Read", "scout", file_path="a")) == ""


def test_what_is_disallowed_is_taken_away(team: Crew) -> None:
    team.agent("a", "disallowedTools: Bash, mcp__db__*")
    assert rule(team.call("Bash", "a", command="ls")) == "roles.tool"
    assert rule(team.call("mcp__db__drop", "a")) == "roles.tool"
    assert rule(team.call("Read", "a", file_path="x")) == ""


def test_the_main_thread_has_a_role_too(team: Crew) -> None:
    team.settings('[roles.main]\ntools = ["Task", "Read"]\n')
    assert rule(team.call("Write", **INPUT)) == "roles.tool"
    assert rule(team.start("builder")) == ""
    assert rule(team.call("PointsmanHarmless")) == ""
    assert rule(team.call("PointsmanCanary")) == "canary"


def test_whom_an_agent_may_start(team: Crew) -> None:
    team.agent("lead", "tools: Agent(builder, tester), Read")
    assert rule(team.start("builder", by="lead")) == ""
    handled = team.start("deployer", by="lead")
    assert rule(handled) == "roles.tool"
    assert "builder, tester" in handled.decision.reason


@pytest.mark.parametrize("tools", ["3", "[1, 2]", "'Read; rm'", "{a: b}"])
def test_a_list_that_cannot_be_read_gives_nothing(team: Crew, tools: str) -> None:
    team.agent("a", f"tools: {tools}")
    decision = team.call("Read", "a", file_path="x").decision
    assert (decision.rule, decision.cause) == ("roles.broken", Cause.UNVERIFIED)
    assert rule(team.call("Read", "b", file_path="x")) == ""


def test_no_tools_are_none_and_no_list_is_all(team: Crew) -> None:
    team.agent("none", "tools: []")
    team.agent("all", "tools:")
    team.agent("star", "tools: '*'")
    assert rule(team.call("Read", "none", file_path="x")) == "roles.tool"
    assert rule(team.call("Bash", "all", command="ls")) == ""
    assert rule(team.call("Bash", "star", command="ls")) == ""


@pytest.mark.parametrize("declared", ["readOnly: true", "council: true"])
def test_who_only_reads_writes_by_no_mcp_tool(team: Crew, declared: str) -> None:
    team.agent("elder", declared)
    assert rule(team.call("mcp__notes__delete_page", "elder", id=1)) == "roles.read-only"
    assert rule(team.call("mcp__notes__read_page", "elder", id=1)) == ""
    assert rule(team.call("mcp__notes__delete_page", "free", id=1)) == ""
    assert rule(team.call("Write", "elder", **INPUT)) == "scope.read-only"
    assert rule(team.call("Bash", "elder", command="echo x > f")) != ""
    assert rule(team.call("Bash", "elder", command="cat f")) == ""


@pytest.mark.parametrize(
    ("pattern", "tool", "meant"),
    [
        ("mcp__a", "mcp__a__b", True),
        ("mcp__a", "mcp__ab__b", False),
        ("mcp__a__b", "mcp__a__b", True),
        ("mcp__a__b", "mcp__a__bc", False),
        ("mcp__a__*", "mcp__a__b", True),
        ("mcp__*", "mcp__a__b", True),
        ("Task", "Agent", True),
        ("Agent", "Task", True),
        ("Task", "TaskCreate", False),
        ("read", "Read", False),
        ("*Edit", "NotebookEdit", True),
    ],
)
def test_what_a_pattern_means(pattern: str, tool: str, meant: bool) -> None:
    assert is_tool(pattern, tool) is meant
