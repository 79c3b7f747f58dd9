"""Which calls of real sessions ran unguarded: exactly those, with the likely cause."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .messages_api import MessagesApi, Request, Said, ToolUse, agent, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    with guarded(claude) as project:
        project.init()
        yield project


def coverage(under: Guarded) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(under.command("coverage", "--json"))
    return found


def causes(under: Guarded) -> dict[str, str]:
    return {row["tool_use_id"]: row["cause"] for row in coverage(under)["unguarded"]}


def without_veto(under: Guarded) -> None:
    """Take out the guard that would keep emptied settings from being taken over."""
    settings = json.loads(under.claude.settings_path().read_text())
    del settings["hooks"]["ConfigChange"]
    under.claude.settings_path().write_text(json.dumps(settings))


def test_a_guarded_session_with_a_subagent(under: Guarded, api: MessagesApi) -> None:
    api.script("main", bash("echo one"), agent("work"), bash("rm -rf /"))
    api.script("work", bash("echo two"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    found = coverage(under)
    assert (found["ran"], found["refused"], found["unguarded"]) == (3, 1, [])
    assert found["coverage"] == 1.0


def test_settings_that_are_emptied_in_the_session(under: Guarded, api: MessagesApi) -> None:
    without_veto(under)

    def emptied(_request: Request) -> Said:
        under.claude.settings_path().write_text("{}")
        return bash("sleep 3; echo waited")

    api.script("main", bash("echo one"), emptied, bash("echo three"), bash("echo four"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    found = causes(under)
    assert (
        found.pop("toolu_main_1_0", "settings gone") == "settings gone"
    )  # The race is the host's.
    assert found == {"toolu_main_2_0": "settings gone", "toolu_main_3_0": "settings gone"}


def test_no_hooks_at_all(under: Guarded, api: MessagesApi) -> None:
    under.claude.settings_path().write_text("{}")
    api.script("main", bash("echo one"), bash("echo two"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    none = "no hook ran in this session"
    assert causes(under) == {"toolu_main_0_0": none, "toolu_main_1_0": none}
    under.command("coverage")


def test_a_hook_that_the_host_gives_up(under: Guarded, api: MessagesApi) -> None:
    settings = json.loads(under.claude.settings_path().read_text())
    for group in settings["hooks"]["PreToolUse"]:
        for hook in group["hooks"]:
            # As an older client has it: what fails lets the call run.
            hook.pop("onFailure", None)
            hook |= {"command": "sh", "timeout": 1}
            hook["args"] = ["-c", "exec sleep 30 # pointsman-hook"]
    under.claude.settings_path().write_text(json.dumps(settings))
    api.script("main", bash("echo one"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    (cause,) = causes(under).values()
    assert cause.startswith("hook cancelled: timed out after")


def test_a_fork_and_a_resumed_session(under: Guarded, api: MessagesApi) -> None:
    api.script("main", bash("echo one"), agent("work"))
    for name in ("work", "more", "fork"):
        api.script(name, bash(f"echo {name}"))
    first = under.claude.run("Begin. SCRIPT=main", env=under.env).session_id
    for name, words in (("fork", ["--fork-session"]), ("more", [])):
        more = ("--resume", first, *words)
        under.claude.run(f"On. SCRIPT={name}", env=under.env, extra_args=more)
    found = coverage(under)
    assert (found["ran"], found["unguarded"]) == (5, [])


def findings(under: Guarded) -> list[dict[str, Any]]:
    return [row for row in under.rows("--event", "WatchFinding") if "unguarded" in row["rule"]]


def test_the_daemon_finds_it_while_the_session_goes_on(under: Guarded, api: MessagesApi) -> None:
    without_veto(under)

    def emptied(_request: Request) -> Said:
        under.claude.settings_path().write_text("{}")
        return bash("sleep 3; echo waited")

    def found(_request: Request) -> Said:
        deadline = time.monotonic() + 60
        while not findings(under) and time.monotonic() < deadline:
            time.sleep(0.2)
        return bash("echo the session still runs")

    # Of a shell's call the second gate would have told.
    write = ToolUse("Write", {"file_path": str(under.project / "a.txt"), "content": "x"})
    api.script("main", bash("echo one"), emptied, write, found)
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    (row,) = findings(under)
    assert "likely cause: settings gone" in row["reason"]
    alerts = map(json.loads, under.command("alerts", "list", "--json").splitlines())
    (alert,) = [each for each in alerts if each["detector"] == "unguarded"]
    assert (alert["state"], alert["session"]) == ("critical", row["session"])


def test_the_daemon_finds_a_session_that_no_hook_ever_tells_of(
    under: Guarded, api: MessagesApi
) -> None:
    api.script("main", bash("echo one"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert findings(under) == []
    under.claude.settings_path().write_text("{}")
    api.script("bare", bash("echo two"))
    bare = under.claude.run("Begin. SCRIPT=bare", env=under.env).session_id
    deadline = time.monotonic() + 120
    while not findings(under):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    (row,) = findings(under)
    assert (row["session"], "no hook ran" in row["reason"]) == (bare, True)
