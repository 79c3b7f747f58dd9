"""The real Claude Code asks about itself, and gets what is its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from .messages_api import MessagesApi, ToolUse, agent, bash, used
from .pointsman_session import Guarded, guarded
from .session import Claude, Result

pytestmark = pytest.mark.host
NAMES = ("spent", "limits", "denials", "hooks", "looping", "contract", "subagents")


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings, and our server beside them."""
    with guarded(claude) as project:
        project.init()
        yield project


def ask(name: str, **given: Any) -> ToolUse:
    return ToolUse(f"mcp__pointsman__{name}", given)


def run(under: Guarded, prompt: str) -> Result:
    result = under.claude.run(prompt, env=under.env)
    assert result.returncode == 0, result.stderr
    return result


def told(result: Result, call: str) -> dict[str, Any]:
    """Return the values of an answer: where there are some, the client gives the model those."""
    answer = result.tool_results[call]
    assert not answer.is_error, answer.text
    values: dict[str, Any] = json.loads(answer.text)
    return values


def test_each_question_is_answered_to_the_session_that_asks(
    under: Guarded, api: MessagesApi
) -> None:
    under.write(
        ".pointsman/config.toml",
        '[[limits]]\nper = "session"\nof = "calls"\nat = 50\nthen = "deny"\n',
    )
    api.script("other", *[bash(f"echo {number}") for number in range(5)])
    other = run(under, "Begin. SCRIPT=other").session_id
    denied = bash("rm -rf /")
    api.script("main", denied, agent("child", run_in_background=False), *map(ask, NAMES))
    api.script("child", bash("echo child"), ask("spent"), ask("subagents"))
    result = run(under, "Begin. SCRIPT=main")
    answers = {name: told(result, f"toolu_main_{at}_0") for at, name in enumerate(NAMES, 2)}
    assert {each["you"]["session"] for each in answers.values()} == {result.session_id}
    assert other not in json.dumps(answers)
    # The denied call, the agent, the child's three, and this one's own.
    assert answers["spent"]["session"]["tool_calls"] == 5
    assert answers["spent"]["denied"] == 1
    (limit,) = answers["limits"]["limits"]
    assert (limit["used"], limit["remains"], limit["at"]) == (6, 44, 50)
    (stopped,) = answers["denials"]["denials"]
    assert stopped["tool_use_id"] == "toolu_main_0_0"
    assert stopped["reason"]
    assert answers["hooks"]["failing"] == 0
    assert answers["looping"]["looping"] is False
    (child,) = answers["subagents"]["subagents"]
    assert (child["over"], child["tool_calls"]) == (True, 3)
    theirs = told(result, "toolu_child_1_0")
    assert theirs["you"]["agent"] == "general-purpose"
    assert theirs["mine"]["tool_calls"] == 2
    assert told(result, "toolu_child_2_0")["subagents"] == []


def test_tokens_are_those_of_the_transcript_so_far(under: Guarded, api: MessagesApi) -> None:
    first = (11, 101, 18_001, 707, 303)
    api.script("main", used(bash("echo; sleep 3"), first), bash("sleep 1"), ask("spent"))
    result = run(under, "Begin. SCRIPT=main")
    mine = told(result, "toolu_main_2_0")["mine"]
    assert mine["cache_write_1h_tokens"] >= 303
    assert mine["tokens"] >= sum(first)


def test_uninstall_takes_the_server_out(under: Guarded, api: MessagesApi) -> None:
    under.command("uninstall")
    assert not (under.project / ".mcp.json").exists()
    api.script("main", ask("spent"))
    result = run(under, "Begin. SCRIPT=main")
    assert result.tool_results["toolu_main_0_0"].is_error
