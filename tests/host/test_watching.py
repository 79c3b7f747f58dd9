"""The real Claude Code, watched: a seeded fault is found before the session ends, work is not."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from .messages_api import MessagesApi, Request, Said, ToolUse, agent, bash, used
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def found(under: Guarded) -> list[dict[str, Any]]:
    return under.rows("--event", "WatchFinding")


def file(under: Guarded, name: str, content: str) -> ToolUse:
    return ToolUse("Write", {"file_path": str(under.project / name), "content": content})


def before_the_end(under: Guarded, rules: Sequence[str]) -> None:
    """Check that each was found before the turn was over."""
    (end,) = [row["seq"] for row in under.rows("--event", "Stop")]
    seqs = {row["rule"]: row["seq"] for row in reversed(found(under))}
    for rule in rules:
        assert seqs[f"watch.{rule}"] < end, rule


def test_an_ordinary_session_gives_none(under: Guarded, api: MessagesApi) -> None:
    api.script("worker", *[bash(f"echo look {number}") for number in range(4)])
    steps: list[Any] = [file(under, "a.txt", "one"), bash("ls"), agent("worker")]
    for number in range(5):
        steps += [file(under, "a.txt", f"version {number}"), bash("cat a.txt"), bash("ls -la")]
    api.script("main", *steps, bash("git status --short"), bash("exit 3"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert len(under.rows("--event", "PreToolUse")) == 24
    assert found(under) == []


def test_loops_errors_and_reverts_are_found_while_it_runs(under: Guarded, api: MessagesApi) -> None:
    loop = [bash("echo same")] * 6
    errors = [bash(f"echo {number} >/dev/null; echo gone >&2; exit 4") for number in range(5)]
    churn = [file(under, "a.txt", str(number % 2)) for number in range(6)]
    api.script("main", *loop, *errors, *churn)
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    before_the_end(under, ["repetition", "cycle", "same-error", "churn"])


def test_a_context_that_fills_up_is_found_while_it_runs(under: Guarded, api: MessagesApi) -> None:
    full = used(bash("sleep 4"), (10, 10, 170_000, 0, 0))
    api.script("main", full, used(bash("sleep 1"), (10, 10, 170_000, 0, 0)))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    before_the_end(under, ["context"])


def test_what_shell_commands_undo_is_found_and_what_is_over_has_recovered(
    under: Guarded, api: MessagesApi
) -> None:
    def alert(detector: str, state: str) -> bool:
        text = under.command("alerts", "list", "--all", "--json")
        each = map(json.loads, text.splitlines())
        return any((one["detector"], one["state"]) == (detector, state) for one in each)

    def recovered(_request: Request) -> Said:
        deadline = time.monotonic() + 60
        while not alert("context", "recovered") and time.monotonic() < deadline:
            time.sleep(0.2)
        return bash("echo the session still runs")

    swap = [
        bash(f"sed -i s/{old}/{new}/ a.txt; echo {number}")
        for number, (old, new) in enumerate([("x", "y"), ("y", "x")] * 3)
    ]
    full = used(bash("sleep 4"), (10, 10, 170_000, 0, 0))
    small = used(bash("sleep 1"), (10, 10, 9_000, 0, 0))
    api.script("main", file(under, "a.txt", "x\n"), *swap, full, small, recovered)
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    before_the_end(under, ["churn", "context"])
    assert alert("context", "recovered")
