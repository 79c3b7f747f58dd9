"""Who waits for whom."""

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
