"""The real Claude Code is told what is known: its session, a subagent, each once."""

from collections.abc import Iterator

import pytest

from .messages_api import MessagesApi, Request, ToolUse, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host

SHEET = """\
overview:
  description: The HTTP layer of the shop.
core_implementation:
  primary_files:
    - path: src/api/routes.py
      purpose: every route and its limits
  key_conventions:
    - name: errors
      summary: raise ApiError; the middleware makes the answer
safety_protocols:
  - protocol: Never log a request body
    description: it holds card numbers
known_issues:
  - issue: a retried POST /pay charges twice
    workaround: send the Idempotency-Key header
    status: open
"""
HEAD = "Expertise on this project"


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings, and two sheets."""
    with guarded(claude) as project:
        project.init()
        project.write("src/api/routes.py", "")
        project.write(".claude/agents/experts/api/expertise.yaml", SHEET)
        project.write(
            ".claude/agents/experts/billing/expertise.yaml", "overview: {description: Invoices.}\n"
        )
        yield project


def told(request: Request) -> list[str]:
    """Return the texts of a request that speak of expertise."""
    found: list[str] = []
    for message in request.body["messages"]:
        content = message["content"]
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        found += [block["text"] for block in blocks if HEAD in str(block.get("text", ""))]
    return found


def test_a_session_is_told_once(under: Guarded, api: MessagesApi) -> None:
    api.script("main", bash("echo one"), bash("echo two"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    for request in api.answered("main"):
        (text,) = told(request)
        assert "- Safety: Never log a request body: it holds card numbers" in text
        assert "- Known issue: a retried POST /pay charges twice" in text
        assert "EXPERTISE_PATH: .claude/agents/experts/billing/expertise.yaml (1 lines)" in text
    assert len(api.answered("main")) == 3


def test_a_subagent_is_told_of_what_its_prompt_is_about(under: Guarded, api: MessagesApi) -> None:
    api.script("worker", bash("echo at work"))
    api.script("other", bash("echo elsewhere"))
    api.script(
        "main",
        *[
            ToolUse(
                "Agent",
                {
                    "description": "d",
                    "prompt": f"Look at {path}. SCRIPT={name}",
                    "subagent_type": "general-purpose",
                    "run_in_background": False,
                },
            )
            for path, name in (("src/api/routes.py", "worker"), ("docs/readme.md", "other"))
        ],
    )
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    (text,) = told(api.answered("worker")[0])
    assert "## api" in text
    assert "## billing" not in text
    assert told(api.answered("other")[0]) == []


def test_a_worker_may_not_write_it_and_an_improve_step_may(
    under: Guarded, api: MessagesApi
) -> None:
    path = under.project / ".claude/agents/experts/api/expertise.yaml"
    under.write(
        ".claude/agents/api-improve-agent.md",
        "---\nname: api-improve-agent\ndescription: writes down what was learnt\n---\nImprove.\n",
    )
    more = f"{SHEET}best_practices:\n  - category: http\n"
    write = ToolUse("Write", {"file_path": str(path), "content": more})
    read = ToolUse("Read", {"file_path": str(path)})
    api.script("worker", read, write, bash(f"echo x >> {path}"))
    api.script("improve", read, write)
    api.script(
        "main",
        *[
            ToolUse(
                "Agent",
                {
                    "description": "d", "prompt": f"Go. SCRIPT={name}", "subagent_type": kind,
                    "run_in_background": False,
                },
            )
            for name, kind in (("worker", "general-purpose"), ("improve", "api-improve-agent"))
        ],
    )  # fmt: skip
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    for call in ("toolu_worker_1_0", "toolu_worker_2_0"):
        row = under.row(call)
        assert (row["decision"], row["rule"]) == ("deny", "self.expertise")
    row = under.row("toolu_improve_1_0")
    assert row["decision"] == "none", row["reason"]
    assert path.read_text() == more
