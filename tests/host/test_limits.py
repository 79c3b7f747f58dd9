"""The real Claude Code under limits: a denied call, an ended run, a subagent."""

from collections.abc import Iterator

import pytest

from .messages_api import MessagesApi, ToolUse, agent, bash, used
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def limited(under: Guarded, then: str, at: float = 2, per: str = "session") -> None:
    under.write(
        ".pointsman/config.toml",
        f'[[limits]]\nper = "{per}"\nof = "calls"\nat = {at}\nthen = "{then}"\n',
    )


def test_the_very_next_call_is_denied_and_the_agent_goes_on(
    under: Guarded, api: MessagesApi
) -> None:
    limited(under, "deny")
    api.script("main", *[bash(f"echo {number}") for number in range(4)])
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    told = [result.tool_results[f"toolu_main_{number}_0"] for number in range(4)]
    assert [each.is_error for each in told] == [False, False, True, True], told
    assert "limit of 2 calls for this session is reached" in told[2].text
    assert under.row("toolu_main_2_0")["rule"] == "limit.session-calls"


def test_parallel_calls_of_one_message_share_what_is_left(under: Guarded, api: MessagesApi) -> None:
    limited(under, "deny")
    api.script("main", tuple(bash(f"echo {number}") for number in range(4)))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    told = [result.tool_results[f"toolu_main_0_{number}"] for number in range(4)]
    assert sum(not each.is_error for each in told) == 2


def test_the_run_ends_at_the_limit_and_the_model_is_not_asked_again(
    under: Guarded, api: MessagesApi
) -> None:
    limited(under, "end")
    api.script("main", *[bash(f"touch {under.project}/{number}") for number in range(6)])
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.terminal_reason == "hook_stopped"
    assert sorted(each.name for each in under.project.glob("[0-9]")) == ["0", "1"]
    assert {row["tool_use_id"] for row in under.rows("--event", "PreToolUse")} == {
        "toolu_main_0_0", "toolu_main_1_0",
    }  # fmt: skip
    (ended,) = [row for row in under.rows() if row["rule"] == "limit.session-calls"]
    assert ended["event"] == "PostToolUse"


def test_calls_that_came_together_end_the_run_before_the_one_too_many_runs(
    under: Guarded, api: MessagesApi
) -> None:
    limited(under, "end", at=1)
    first = bash(f"touch {under.project}/first; sleep 1")
    second = bash(f"touch {under.project}/second")
    api.script("main", (first, second), bash(f"touch {under.project}/third"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.terminal_reason == "hook_stopped"
    assert len(list(under.project.glob("[ft][ih]*"))) + len(list(under.project.glob("second"))) == 1
    denied = [row for row in under.rows("--event", "PreToolUse") if row["decision"] == "deny"]
    assert [row["rule"] for row in denied] == ["limit.session-calls"]


def test_a_subagent_is_denied_and_its_starter_goes_on(under: Guarded, api: MessagesApi) -> None:
    limited(under, "end", at=1, per="agent")
    api.script("worker", bash("echo one"), bash("echo two"))
    api.script("main", agent("worker", run_in_background=False))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert under.row("toolu_worker_0_0")["decision"] == "none"
    second = under.row("toolu_worker_1_0")
    assert (second["decision"], second["rule"]) == ("deny", "limit.agent-calls")


def spending(under: Guarded, of: str, at: float, then: str, **more: str) -> None:
    extra = "".join(f'{key} = "{value}"\n' for key, value in more.items())
    under.write(
        ".pointsman/config.toml",
        f'[[limits]]\nper = "session"\nof = "{of}"\nat = {at}\nthen = "{then}"\n{extra}',
    )


def slow(number: int) -> ToolUse:
    """Return a call that lasts longer than it takes to read a transcript."""
    return bash(f"echo {number}; sleep 2")


@pytest.mark.parametrize(("of", "at"), [("tokens", 25_000), ("usd", 0.01)])
def test_a_limit_of_what_messages_use_ends_the_run(
    under: Guarded, api: MessagesApi, of: str, at: float
) -> None:
    spending(under, of, at, "end")
    said = [used(slow(number), (10, 1000, 9000, 0, 0)) for number in range(6)]
    api.script("main", *said)
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.terminal_reason == "hook_stopped"
    (ended,) = [row for row in under.rows() if row["rule"] == f"limit.session-{of}"]
    assert ended["event"] in {"PostToolUse", "PostToolBatch"}
    assert "as far as the transcript has been read" in ended["reason"]
    # Three messages of 10,010 tokens pass 25,000; what was asked for meanwhile may come to it.
    calls = {row["tool_use_id"] for row in under.rows("--event", "PreToolUse")}
    assert len(calls) <= 4


def test_a_model_without_a_price_could_not_be_verified(under: Guarded, api: MessagesApi) -> None:
    spending(under, "usd", 100, "deny")
    api.script("main", used(slow(0), (10, 10, 0, 0, 0)), bash("echo after"))
    result = under.claude.run(
        "Begin. SCRIPT=main", env=under.env, extra_args=("--model", "claude-nobody-9")
    )
    row = under.row("toolu_main_1_0")
    # Nobody sits at it: the question is put into the queue.
    assert (row["rule"], row["cause"]) == ("approval.waiting", "could not verify")
    assert "a model without a price" in row["reason"]
    assert result.tool_results["toolu_main_1_0"].is_error
