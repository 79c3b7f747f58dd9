"""The real Claude Code starts afresh after ``/clear``, from the brief alone."""

from collections.abc import Callable

import pytest

from .messages_api import MessagesApi, Request, ToolUse, bash, used
from .pointsman_session import guarded
from .session import Claude
from .terminal import Terminal

pytestmark = pytest.mark.host

HEAD = "Hand-off from session"


def texts(request: Request) -> list[str]:
    found: list[str] = []
    for message in request.body["messages"]:
        content = message["content"]
        blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
        found += [str(block.get("text", block)) for block in blocks]
    return found


def test_the_session_after_clear_starts_from_the_brief_alone(
    claude: Claude, api: MessagesApi, open_terminal: Callable[..., Terminal]
) -> None:
    with guarded(claude) as under:
        under.init()
        write = ToolUse(
            "Write", {"file_path": str(under.project / "cart.py"), "content": "x = 1\n"}
        )
        api.script(
            "work", write, bash("echo broken >&2; exit 3"),
            "The cart works. We chose cents instead of floats. Next: the refunds.",
        )  # fmt: skip
        terminal = open_terminal(mode="bypassPermissions", env=under.env)
        terminal.say("Build the shop, first the cart. SCRIPT=work")
        terminal.wait_for("Next: the refunds.")
        terminal.say("/clear")
        terminal.wait_gone("Next: the refunds.")
        # The brief names the script, so the model plays it from its beginning.
        terminal.say("Go on.")
        terminal.wait_for("Next: the refunds.")
        request = api.answered("work")[3]
        (brief,) = [text for text in texts(request) if HEAD in text]
        for line in (
            "Goal:\n- Build the shop, first the cart. SCRIPT=work",
            "Next step:\n- Next: the refunds.",
            "Decided:\n- We chose cents instead of floats.",
            "Files changed:\n- cart.py",
            "Tried and failed:\n- echo broken >&2; exit 3: Exit code 3",
        ):
            assert line in brief
        # Nothing else of the old session came along.
        assert len([text for text in texts(request) if "x = 1" in text]) == 0
        (session,) = {row["session"] for row in under.rows("--event", "SessionEnd")}
        assert under.command("handoff", session).startswith(f"{HEAD} {session}")


def test_a_full_context_is_named_with_the_command_that_hands_it_off(
    claude: Claude, api: MessagesApi
) -> None:
    with guarded(claude) as under:
        under.init()
        full = used(bash("sleep 4"), (10, 10, 170_000, 0, 0))
        api.script("main", full, used(bash("sleep 1"), (10, 10, 170_000, 0, 0)))
        under.claude.run("Begin. SCRIPT=main", env=under.env)
        found = [row for row in under.rows("--event", "WatchFinding")
                 if row["rule"] == "watch.context"]  # fmt: skip
        assert f"pointsman handoff {found[0]['session']}" in found[0]["reason"]
        text = under.command("handoff", found[0]["session"])
        assert "Why it was ended: its context was 85 % full" in text


def test_a_subagent_starts_from_its_prompt_alone(claude: Claude, api: MessagesApi) -> None:
    with guarded(claude) as under:
        under.init()
        api.script("worker", bash("echo at work"))
        given = {
            "description": "d", "prompt": "Only this. SCRIPT=worker",
            "subagent_type": "general-purpose", "run_in_background": False,
        }  # fmt: skip
        api.script("main", bash("echo a secret of the main thread"), ToolUse("Agent", given))
        under.claude.run("A goal of the main thread. SCRIPT=main", env=under.env)
        found = "\n".join(texts(api.answered("worker")[0]))
        assert "Only this." in found
        assert "main thread" not in found
        assert HEAD not in found
