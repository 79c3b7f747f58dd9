"""Every scope of settings, and the flag: our hooks hold in the real client's session."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pointsman.agents.claude_events import EVENTS, GUARDS, NOT_REGISTERED
from pointsman.agents.claude_settings import our_events
from pointsman.model.budget import HOST_TIMEOUT

from .messages_api import MessagesApi, bash
from .namespace import within, wrap
from .own_install import OwnInstall
from .pointsman_session import Guarded, guarded
from .session import Claude
from .unavailable import HostUnavailable

pytestmark = pytest.mark.host

DENIED = "git reset --hard throws uncommitted work away"


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project without our hooks yet."""
    with guarded(claude) as project:
        yield project


def denied_call(under: Guarded, api: MessagesApi, extra_args: Sequence[str] = ()) -> str:
    """Have the model try what must be denied; return what it was told."""
    api.script("main", bash("touch ran; git reset --hard"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env, extra_args=extra_args)
    assert not (under.project / "ran").exists()
    return result.tool_results["toolu_main_0_0"].text


@pytest.mark.parametrize("scope", ["local", "user"])
def test_installed_in_a_scope_it_holds(under: Guarded, api: MessagesApi, scope: str) -> None:
    under.init(scope)
    assert DENIED in denied_call(under, api)
    assert under.row("toolu_main_0_0")["decision"] == "deny"


def test_given_by_flag_it_holds(under: Guarded, api: MessagesApi, tmp_path: Path) -> None:
    under.init()
    flagged = under.claude.settings_path().rename(tmp_path / "flag.json")
    assert DENIED in denied_call(under, api, ("--settings", str(flagged)))
    assert under.row("toolu_main_0_0")["decision"] == "deny"


def test_in_two_scopes_both_entries_are_asked(under: Guarded, api: MessagesApi) -> None:
    under.init("project")
    under.init("user")
    assert DENIED in denied_call(under, api)
    rows = under.rows("--event", "PreToolUse")
    decisions = [row["decision"] for row in rows if row["tool_use_id"] == "toolu_main_0_0"]
    assert decisions == ["deny", "deny"]


@pytest.mark.parametrize("scope", ["local", "user"])
def test_variables_of_a_repository_lead_to_no_other_daemon(
    under: Guarded, api: MessagesApi, tmp_path: Path, scope: str
) -> None:
    under.init(scope)
    evil = tmp_path / "evil"
    program = evil / "daemon"
    evil.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {evil}/ran\n")
    program.chmod(0o755)
    led = {
        "POINTSMAN_STATE_DIR": str(evil), "POINTSMAN_DAEMON": str(program),
        "XDG_STATE_HOME": str(evil), "XDG_CONFIG_HOME": str(evil), "PYTHONPATH": str(evil),
    }  # fmt: skip
    under.write(".claude/settings.json", json.dumps({"env": led}))
    under.command("down")
    assert DENIED in denied_call(under, api)
    assert under.row("toolu_main_0_0")["decision"] == "deny"
    assert sorted(path.name for path in evil.iterdir()) == ["daemon"]


def test_managed_hooks_survive_what_a_repository_says(
    claude: Claude, api: MessagesApi, tmp_path: Path
) -> None:
    etc = tmp_path / "etc"
    mounts = f"mount --bind '{etc}' /etc"
    subprocess.run(["cp", "-a", "/etc", str(etc)], capture_output=True, check=False)
    try:
        wrap(claude, tmp_path, mounts)
    except HostUnavailable as error:
        pytest.skip(str(error))
    with guarded(claude) as under:
        argv = within(mounts, str(under.command_path), "init", "--scope", "managed")
        env = under.environment()
        subprocess.run(argv, cwd=under.project, env=env, check=True, capture_output=True)
        managed = json.loads((etc / "claude-code" / "managed-settings.json").read_text())
        assert our_events(managed) == frozenset(EVENTS)
        claude.write_settings({"disableAllHooks": True})
        for extra in ((), ("--bare",), ("--setting-sources", "user")):
            assert DENIED in denied_call(under, api, extra)


# --- init and uninstall ---------------------------------------------------------------------------


def test_init_registers_every_event_in_exec_form(under: Guarded) -> None:
    told = json.loads(under.command("init", "--json"))
    assert told["clients"][0]["version"] == "2.1.330"
    assert told["fails_open"] == []
    hooks = json.loads(under.claude.settings_path().read_text())["hooks"]
    assert set(hooks) | set(NOT_REGISTERED) >= set(EVENTS)
    for event, (group,) in hooks.items():
        (entry,) = group["hooks"]
        assert entry["args"][-2:] == ["claude-code", event]
        assert Path(entry["command"]).is_absolute()
        assert entry["timeout"] == HOST_TIMEOUT
        assert entry.get("onFailure") == ("block" if event in GUARDS else None)
        assert entry.get("async", False) is not EVENTS[event].waits
    before = under.claude.settings_path().read_bytes()
    under.init()
    assert under.claude.settings_path().read_bytes() == before


def test_on_an_older_client_it_says_what_fails_open(under: Guarded, tmp_path: Path) -> None:
    old = tmp_path / "old" / "claude"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho '2.1.294 (Claude Code)'\n")
    old.chmod(0o755)
    under.claude.binary = old
    text = under.command("init")
    assert "FAILS OPEN before 2.1.295" in text
    assert "the client program is missing or cannot be started" in text
    assert "onFailure" not in under.claude.settings_path().read_text()


@pytest.mark.parametrize("scope", ["project", "local", "user"])
def test_uninstall_gives_back_every_byte_and_nothing_runs_any_more(
    under: Guarded, api: MessagesApi, scope: str
) -> None:
    file = under.claude.settings_path(scope)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b'{\r\n\t"cleanupPeriodDays" : 20,\r\n\t"env": {"A":"\\u0041"}}')
    before = file.read_bytes()
    under.init(scope)
    assert file.read_bytes() != before
    under.command("uninstall", "--scope", scope)
    assert file.read_bytes() == before
    api.script("main", bash("touch ran"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert (under.project / "ran").exists()
    assert not (under.state / "ledger.db").exists()


def test_a_persons_own_hooks_go_on_running(under: Guarded, api: MessagesApi) -> None:
    seen = under.project / "seen"
    hook = {"type": "command", "command": "/bin/sh", "args": ["-c", 'cat >> "$1"', "sh", str(seen)]}
    under.claude.write_settings({"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [hook]}]}})
    under.init()
    assert DENIED in denied_call(under, api)
    assert json.loads(seen.read_text())["tool_use_id"] == "toolu_main_0_0"


# --- doctor --------------------------------------------------------------------------------------


def diagnosis(under: Guarded) -> tuple[bool, dict[str, str]]:
    """Return doctor's verdict and what it says is wrong, by check."""
    text = under.command("doctor", "--json", check=False)
    told = json.loads(text)
    wrong = {each["check"]: each["text"] for each in told["findings"] if each["ok"] is False}
    return told["ok"], wrong


TAMPERED = {
    "emptied": ("{}", "registered", "PreToolUse"),
    "broken": ("{", "settings", "the client ignores the whole file"),
    "wrong type": ('{"model": 5}', "settings", "model is not a text"),
    "led away": ('{"env": {"POINTSMAN_DAEMON": "/x"}}', "settings", "leads our hooks away"),
    "disabled": ('{"disableAllHooks": true}', "settings", "turns every hook"),
}


def test_doctor_is_content_and_finds_what_was_tampered_with(under: Guarded) -> None:
    under.init()
    settings = under.claude.settings_path()
    assert diagnosis(under) == (True, {})
    assert under.command("doctor")
    good = settings.read_text()
    for text, check, said in TAMPERED.values():
        settings.write_text(text)
        fine, wrong = diagnosis(under)
        assert not fine
        assert said in wrong[check]
    with pytest.raises(AssertionError, match=r"doctor.*: 1:"):
        under.command("doctor")
    weak = json.loads(good)
    del weak["hooks"]["PreToolUse"][0]["hooks"][0]["onFailure"]
    settings.write_text(json.dumps(weak))
    assert "lacks onFailure" in diagnosis(under)[1]["settings"]
    settings.write_text(good)
    assert diagnosis(under)[0]


def test_doctor_finds_a_missing_program(claude: Claude, tmp_path: Path) -> None:
    install = OwnInstall(tmp_path / "own", native=False)
    with guarded(claude, install.command) as under:
        under.init()
        install.twin.rename(install.twin.with_suffix(".away"))
        fine, wrong = diagnosis(under)
        assert not fine
        assert "canary" in wrong


# --- the demo's session --------------------------------------------------------------------------


def test_the_recorded_session_of_the_demo_replays_the_same_to_the_byte(under: Guarded) -> None:
    root = Path(__file__).parents[2]
    recorded = (root / "demo" / "session.jsonl").read_bytes()
    payloads = recorded.replace(b"/demo/sample", str(under.project).encode())
    answers = under.command("decide", "--record", stdin=payloads)
    assert len(answers.splitlines()) == len(payloads.splitlines())
    first = under.command("replay", "--json")
    assert first == under.command("replay", "--json")
    assert len(first.splitlines()) >= len(payloads.splitlines())
    assert '"deny"' in first
