"""The real Claude Code hears of a convention that its edit breaks, and of files that clash."""

from collections.abc import Iterator

import pytest

from .messages_api import MessagesApi, Request, ToolUse
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings, and confirmed conventions."""
    with guarded(claude) as project:
        project.init()
        project.write(
            "CLAUDE.md", "# Code\n\n- Never use `eval`; use `ast`.\n- Use `pnpm` instead of npm.\n"
        )
        project.command("conventions", "confirm", "--all")
        yield project


def said(request: Request, word: str) -> list[str]:
    """Return the texts of a request that say a word, also those in the results of tools."""
    found: list[str] = []
    for message in request.body["messages"]:
        content = message["content"]
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        found += [str(block) for block in blocks if word in str(block)]
    return found


def write(under: Guarded, name: str, content: str) -> ToolUse:
    return ToolUse("Write", {"file_path": str(under.project / name), "content": content})


def test_the_agent_is_told_file_and_line(under: Guarded, api: MessagesApi) -> None:
    api.script("main", write(under, "a.py", "x = eval('1')\n"), write(under, "b.py", "x = 1\n"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    first, second, third = api.answered("main")
    word = "a.py:1 has `x = eval('1')`; CLAUDE.md:3 says"
    assert said(first, "CLAUDE.md:3 says") == []
    assert len(said(second, "CLAUDE.md:3 says")) == 1
    assert len(said(third, "b.py:1 has")) == 0
    assert (under.project / "a.py").exists()
    (row,) = [row for row in under.rows("--event", "PreEdit") if word in row["context"]]
    assert row["rule"].startswith("convention.")


def test_where_the_settings_say_so_the_edit_is_stopped(under: Guarded, api: MessagesApi) -> None:
    under.write(".pointsman/config.toml", '[conventions]\nviolation = "deny"\n')
    api.script("main", write(under, "a.py", "x = eval('1')\n"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    told = result.tool_results["toolu_main_0_0"]
    assert told.is_error
    assert "CLAUDE.md:3 says" in told.text
    assert not (under.project / "a.py").exists()


def test_a_contradiction_is_told_at_the_start(under: Guarded, api: MessagesApi) -> None:
    under.write("AGENTS.md", "Use npm instead of `pnpm`.\n")
    api.script("main", write(under, "b.py", "x = 1\n"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    (text,) = said(api.answered("main")[0], "contradict one another")
    assert "contradicts AGENTS.md:1" in text
