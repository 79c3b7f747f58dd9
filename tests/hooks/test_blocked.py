"""Who waits for whom."""

from typing import Any

import pytest

from hooks.crew import Crew, crew, rule

team = pytest.fixture(crew)


@pytest.fixture
def chain(team: Crew) -> Crew:
    team.agent("builder", "outputs: {allowed_modifications: [src/**]}")
    team.agent("deployer", "blocked_by: [builder, tester]")
    team.agent("tester", "blockedBy: builder")
    return team


def done(team: Crew, agent: str, message: str = "Done.") -> None:
    assert rule(team.runs(agent)) == ""
    team.ends(agent, message)


def test_an_agent_waits_for_those_before_it(chain: Crew) -> None:
    reason = chain.start("deployer").decision.reason
    assert "'builder', which has not run in this session" in reason
    assert "'tester'" in reason
    done(chain, "builder")
    assert rule(chain.start("deployer")) == "blocked.start"
    done(chain, "tester")
    assert rule(chain.start("deployer")) == ""


def test_who_waits_for_itself_never_starts(chain: Crew) -> None:
    chain.agent("builder", "blocked_by: deployer")
    handled = chain.start("deployer")
    assert rule(handled) == "blocked.round"
    assert "builder → deployer → builder" in handled.decision.reason


def test_one_that_still_runs_is_not_done(chain: Crew) -> None:
    chain.runs("builder")
    assert "which still runs" in chain.start("tester").decision.reason


@pytest.mark.parametrize(
    "message",
    [
        '{"status": "failed", "summary": "no", "error": "the tests do not run"}',
        'I could not.\n```json\n{"status": "blocked", "summary": "no", "blockedBy": "x"}\n```',
    ],
)
def test_one_that_says_it_failed_is_not_done(chain: Crew, message: str) -> None:
    done(chain, "builder", message)
    handled = chain.start("tester")
    assert rule(handled) == "blocked.start"
    assert "did not end well" in handled.decision.reason
    done(chain, "builder", '{"status": "complete", "summary": "yes"}')
    assert rule(chain.start("tester")) == ""


def test_another_session_knows_nothing_of_it(chain: Crew) -> None:
    done(chain, "builder")
    handled = chain.call("Agent", subagent_type="tester", prompt="p")
    assert rule(handled) == ""
    chain.say("SessionEnd")
    assert rule(chain.start("tester")) == "blocked.start"


WRITES = [
    ("Write", {"file_path": "src/a.py", "content": ""}),
    ("Bash", {"command": "echo x > src/a.py"}),
]


@pytest.mark.parametrize(("tool", "given"), WRITES)
def test_one_that_runs_all_the_same_changes_nothing(
    chain: Crew, tool: str, given: dict[str, str]
) -> None:
    assert rule(chain.call(tool, "tester", **given)) == "blocked.write"
    assert rule(chain.call("Read", "tester", file_path="src/a.py")) == ""
    assert rule(chain.call("Bash", "tester", command="ls")) == ""
    chain.runs("builder")
    chain.ends("builder")
    assert rule(chain.call(tool, "tester", **given)) == ""


def update(team: Crew, task: str, **given: Any) -> str:
    """Change a task as far as it is let; return the rule that stopped it."""
    handled = team.call("TaskUpdate", taskId=task, **given)
    if not rule(handled):
        given["taskId"] = task
        team.say("PostToolUse", tool_name="TaskUpdate", tool_input=given, tool_response={})
    return rule(handled)


def test_a_task_waits_for_those_before_it(team: Crew) -> None:
    assert update(team, "3", addBlockedBy=["1", "2"]) == ""
    assert update(team, "3", status="in_progress") == "blocked.task"
    assert update(team, "3", subject="another name") == ""
    assert update(team, "1", status="completed") == ""
    assert (
        "task 3 waits for 2."
        in team.call("TaskUpdate", taskId="3", status="completed").decision.reason
    )
    team.say("TaskCompleted", task_id="2", task_subject="x")
    assert update(team, "3", status="in_progress") == ""


def test_a_wait_that_is_added_counts_at_once(team: Crew) -> None:
    assert update(team, "2", status="in_progress", addBlockedBy=["1"]) == "blocked.task"
    assert update(team, "2", status="in_progress") == ""
    assert update(team, "1", addBlocks=["4"]) == ""
    assert update(team, "4", status="in_progress") == "blocked.task"
    assert update(team, "1", status="deleted") == ""
    assert update(team, "4", status="in_progress") == ""


def test_no_round_of_tasks_is_closed(team: Crew) -> None:
    assert update(team, "2", addBlockedBy=["1"]) == ""
    assert update(team, "3", addBlockedBy=["2"]) == ""
    handled = team.call("TaskUpdate", taskId="1", addBlockedBy=["3"])
    assert rule(handled) == "blocked.round"
    assert "1 → 3 → 2 → 1" in handled.decision.reason
    assert update(team, "3", addBlocks=["1"]) == "blocked.round"
    assert update(team, "1", addBlockedBy=["1"]) == "blocked.round"
    assert update(team, "1", addBlockedBy=["4"]) == ""


@pytest.mark.parametrize("given", [{}, {"status": 3}, {"addBlockedBy": "1"}, {"addBlocks": [3]}])
def test_an_update_of_another_shape_is_let_through(team: Crew, given: dict[str, Any]) -> None:
    assert update(team, "1", **given) == ""
    assert rule(team.call("TaskUpdate", taskId=7, **given)) == ""
    assert rule(team.call("TaskList")) == ""
