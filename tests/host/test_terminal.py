"""The interactive client under Pointsman: what a person sees, what ran, what is on record."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import unavailable
from .messages_api import MessagesApi, ToolUse, bash
from .pointsman_session import Guarded, guarded
from .session import Claude
from .terminal import Terminal
from .unavailable import HostUnavailable

pytestmark = pytest.mark.host

DIALOG = "Do you want to proceed?"
INTERRUPTED = "Interrupted"
ASK = "$UNKNOWN_PROGRAM"
"""A command that cannot be read, so that a person is asked."""

SLOW_HOOK = """\
import asyncio

from pointsman import deny, guard


@guard("PreToolUse", tools="Bash", budget=15)
async def slow(event, ctx):
    command = event.tool_input["command"]
    if "take-your-time" in command:
        await asyncio.sleep(3)
    if "no-end-in-sight" in command:
        await asyncio.sleep(6)
    return None
"""


@dataclass(frozen=True)
class Desk:
    """A person's terminal in a guarded project."""

    under: Guarded
    terminal: Terminal
    api: MessagesApi

    def path(self, name: str) -> Path:
        return self.under.project / name

    def prompt(self, script: str, *calls: ToolUse) -> None:
        """Have the model make these calls, and then say that it is done."""
        self.api.script(script, *calls, f"the end of {script}")
        self.terminal.say(f"Begin. SCRIPT={script}")

    def finished(self, script: str) -> str:
        return self.terminal.wait_for(f"the end of {script}")

    def interrupted(self, script: str) -> str:
        """Wait until the client says so below this prompt."""
        return self.terminal.wait_until(
            lambda screen: INTERRUPTED in screen.rpartition(f"SCRIPT={script}")[2],
            f"{script} was not interrupted",
            30,
        )

    def events(self, call: str) -> list[tuple[str, str]]:
        """Return what is on record of a call, in order: event and decision; no derived edit."""
        rows = [row for row in self.under.rows() if row["event"] != "PreEdit"]
        return [(row["event"], row["decision"]) for row in rows if row["tool_use_id"] == call]

    def wait_for_event(self, call: str, event: str) -> None:
        end = time.monotonic() + 30
        while event not in dict(self.events(call)):
            assert time.monotonic() < end, f"no {event} of {call} on record"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, claude_binary: Path) -> Iterator[Desk]:
    """One terminal for every prompt of this file."""
    root = tmp_path_factory.mktemp("desk")
    with (
        MessagesApi() as api,
        Claude(root / "project", root / "home", api, claude_binary) as claude,
        guarded(claude) as under,
    ):
        under.init()
        under.write(".pointsman/hooks/slow.py", SLOW_HOOK)
        under.command("trust")
        under.command("up")
        try:
            terminal = Terminal(claude, mode="bypassPermissions", env=under.env)
        except HostUnavailable as error:
            unavailable(error)
        with terminal:
            yield Desk(under, terminal, api)


def flat(screen: str) -> str:
    """Return the screen's words without its line breaks and borders."""
    return re.sub(r"[\s│]+", " ", screen)


def test_a_denial_is_shown_with_its_reason_and_the_turn_goes_on(desk: Desk) -> None:
    desk.prompt("deny", bash(f"touch {desk.path('denied')}; git reset --hard"))
    screen = flat(desk.finished("deny"))
    assert "Pointsman stopped this: git reset --hard throws uncommitted work away" in screen
    assert "pointsman-hook" not in screen
    assert not desk.path("denied").exists()
    assert desk.events("toolu_deny_0_0") == [("PreToolUse", "deny")]


def test_a_harmless_call_runs_and_is_on_record(desk: Desk) -> None:
    desk.prompt("harmless", bash(f"touch {desk.path('harmless')}"))
    desk.finished("harmless")
    assert desk.path("harmless").exists()
    found = desk.events("toolu_harmless_0_0")
    assert found == [("PreToolUse", "none"), ("PostToolUse", "none")]


def test_a_question_answered_yes_runs(desk: Desk) -> None:
    desk.prompt("yes", bash(f"touch {desk.path('yes')}; {ASK} x"))
    asked = flat(desk.terminal.wait_for(DIALOG))
    assert "Pointsman could not verify this" in asked
    assert not desk.path("yes").exists()
    desk.terminal.answer(DIALOG, "Enter")
    desk.finished("yes")
    assert desk.path("yes").exists()
    found = desk.events("toolu_yes_0_0")
    assert found[0] == ("PreToolUse", "ask")
    assert found[1][0] in {"PostToolUse", "PostToolUseFailure"}
    assert [row["event"] for row in desk.under.rows("--event", "PermissionRequest")]


@pytest.mark.parametrize(("script", "key"), [("no", "2"), ("esc", "Escape")])
def test_a_question_answered_no_does_not_run(desk: Desk, script: str, key: str) -> None:
    desk.prompt(script, bash(f"touch {desk.path(script)}; {ASK} x"))
    desk.terminal.answer(DIALOG, key)
    desk.interrupted(script)
    assert not desk.path(script).exists()
    assert desk.events(f"toolu_{script}_0_0") == [("PreToolUse", "ask")]
    assert len(desk.api.answered(script)) == 1


def test_a_slow_hook_is_waited_for(desk: Desk) -> None:
    desk.prompt("slow", bash(f"touch {desk.path('slow')}; : take-your-time"))
    desk.terminal.wait_for("running PreToolUse hook")
    assert not desk.path("slow").exists()
    desk.finished("slow")
    assert desk.path("slow").exists()
    (row,) = [
        row for row in desk.under.rows("--event", "PreToolUse")
        if row["tool_use_id"] == "toolu_slow_0_0"
    ]  # fmt: skip
    assert row["decision"] == "none"
    assert row["ms"] >= 3000


def test_escape_during_a_slow_hook_stops_the_call(desk: Desk) -> None:
    desk.prompt("gone", bash(f"touch {desk.path('gone')}; : no-end-in-sight"))
    desk.terminal.wait_for("running PreToolUse hook")
    desk.terminal.keys("Escape")
    desk.interrupted("gone")
    assert not desk.path("gone").exists()
    desk.wait_for_event("toolu_gone_0_0", "PreToolUse")
    assert len(desk.events("toolu_gone_0_0")) == 1


def test_every_call_that_was_made_is_on_record(desk: Desk) -> None:
    """Stands last: what the transcript holds is what the ledger holds."""
    calls = desk.under.transcript_calls()
    recorded = {row["tool_use_id"] for row in desk.under.rows("--event", "PreToolUse")}
    assert calls
    assert calls <= recorded
