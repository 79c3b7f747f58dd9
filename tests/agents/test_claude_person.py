"""Whether somebody sits at a session: by how it was started."""

import os
from collections.abc import Sequence

import pytest

from pointsman.agents.all_agents import is_attended
from pointsman.agents.claude_person import command_line
from pointsman.agents.claude_person import is_attended as claude_attended

_PRINT = ("claude", "-p", "--output-format", "stream-json", "--", "do it", "")
_PROMPTER = ("claude", "-p", "--permission-prompt-tool", "mcp__p__ask", "--", "do it")


@pytest.mark.parametrize(
    ("entrypoint", "words", "attended"),
    [
        ("cli", ("claude", "--permission-mode", "plan", ""), True),
        ("cli", ("claude",), True),
        ("cli", (), True),
        ("claude-vscode", ("claude", "--ide"), True),
        ("", _PRINT, True),
        ("sdk-cli", _PRINT, False),
        ("sdk-cli", (), False),
        ("sdk-cli", _PROMPTER, True),
        ("sdk-cli", ("claude", "-p", "--permission-prompt-tool=mcp__p__ask"), True),
        ("sdk-cli", ("claude", "-p", "--", "--permission-prompt-tool"), False),
        ("cli", ("claude", "--print", "x"), False),
        ("cli", ("claude", "--", "-p"), True),
        ("sdk-py", ("claude", "--input-format", "stream-json"), False),
        ("sdk-py", ("claude", "--permission-prompt-tool", "stdio"), True),
        ("sdk-ts", (), True),
        ("mcp", ("claude", "mcp", "serve"), False),
        ("claude-code-github-action", (), False),
    ],
)
def test_how_it_was_started_tells(entrypoint: str, words: Sequence[str], attended: bool) -> None:
    assert claude_attended(entrypoint, 7, lambda _pid: words) is attended


def test_without_a_process_id_nothing_is_read() -> None:
    def read(_pid: int) -> Sequence[str]:
        raise AssertionError

    assert claude_attended("sdk-cli", 0, read) is False


def test_the_words_of_a_process() -> None:
    assert "python" in " ".join(command_line(os.getpid()))
    assert command_line(2**31 - 1) == ()


def test_an_agent_that_we_do_not_know_is_left_to_itself() -> None:
    assert is_attended("other", "sdk-cli", 0)
    assert not is_attended("claude-code", "sdk-cli", 0)
