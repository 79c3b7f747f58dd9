import json
import os
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from pointsman.agents.claude_events import EVENTS
from pointsman.agents.claude_settings import our_events
from pointsman.agents.claude_version import installed
from pointsman.cli.init import command
from pointsman.cli.uninstall import command as uninstall
from pointsman.model.errors import HostError, TransportError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a repository to stand in, and a client on the path; none of them the real one."""
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (repository / "deep").mkdir()
    claude(tmp_path, "2.1.330")
    for name in list(os.environ):
        if name.startswith(("CLAUDE", "POINTSMAN", "XDG", "npm_", "NPM_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.chdir(repository / "deep")
    return tmp_path


def claude(machine: Path, version: str) -> None:
    program = machine / "bin/claude"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{version} (Claude Code)'\n")
    program.chmod(0o755)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_writes_the_repositorys_settings_and_says_so(machine: Path) -> None:
    file = machine / "repository/.claude/settings.json"
    file.parent.mkdir()
    file.write_text('{\n    "model": "opus"\n}\n')
    text = run()
    assert our_events(json.loads(file.read_bytes())) == frozenset(EVENTS)
    assert f"Wrote {file} (project settings): {len(EVENTS)} events." in text
    assert f"backup     {file}.pointsman-backup" in text
    assert "guards     PreToolUse, UserPromptSubmit" in text
    assert "left out   WorktreeCreate: " in text
    assert f"client     {machine}/bin/claude, version 2.1.330" in text
    assert "version 2.1.330\nFAILS OPEN" not in text
    assert "next step  pointsman doctor" in text
    assert "has all" in run()


def test_without_a_client_the_hooks_are_written_and_it_says_so(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine / "bin/claude").unlink()
    # A client of the machine's own would be found in /usr/local/bin and the like.
    monkeypatch.setattr("pointsman.cli.init.installed", partial(installed, elsewhere=()))
    text = run()
    file = machine / "repository/.claude/settings.json"
    entry = json.loads(file.read_bytes())["hooks"]["PreToolUse"][0]["hooks"][0]
    assert entry["onFailure"] == "block"
    assert "warning    Claude Code is not installed here" in text
    assert "The hooks hold from version 2.1.295 on" in text


def test_an_old_client_is_told_plainly(machine: Path) -> None:
    claude(machine, "2.1.294")
    text = run()
    assert "FAILS OPEN before 2.1.295" in text
    assert "- the client program is missing or cannot be started" in text
    assert "claude update" in text


def test_a_client_without_a_version(machine: Path) -> None:
    claude(machine, "none")
    text = run()
    assert "version unknown" in text
    assert "FAILS OPEN" in text
    assert "warning    " in text


@pytest.mark.parametrize(
    ("scope", "file"),
    [
        ("project", "repository/.claude/settings.json"),
        ("local", "repository/.claude/settings.local.json"),
        ("user", "home/.claude/settings.json"),
    ],
)
def test_scopes(machine: Path, scope: str, file: str) -> None:
    row = json.loads(run("--scope", scope, "--json"))
    assert row["file"] == str(machine / file)
    assert (row["scope"], row["changed"], row["exists"]) == (scope, True, True)
    assert row["clients"][0]["version"] == "2.1.330"
    assert row["next"] == "pointsman doctor"
    assert (machine / file).exists()
    gone = CliRunner().invoke(uninstall, ["--scope", scope, "--json"], catch_exceptions=False)
    assert json.loads(gone.stdout)["exists"] is False
    assert not (machine / file).exists()


def test_managed_needs_only_be_named(machine: Path) -> None:
    row = json.loads(run("--scope", "managed", "--dry-run", "--json"))
    assert row["file"].endswith("/managed-settings.json")


def test_dry_run_shows_the_difference(machine: Path) -> None:
    text = run("--dry-run")
    assert '+  "hooks": {\n' in text
    assert "Would write" in text
    assert not (machine / "repository/.claude").exists()


def test_warnings_are_shown(machine: Path) -> None:
    local = machine / "repository/.claude/settings.local.json"
    local.parent.mkdir()
    local.write_text('{"disableAllHooks": true}')
    assert f"warning    {local}:1: disableAllHooks = true: turns every hook" in run()


def test_unusable_settings_are_an_expected_error(machine: Path) -> None:
    file = machine / "repository/.claude/settings.json"
    file.parent.mkdir()
    file.write_text("{,}")
    with pytest.raises(HostError, match=r"settings\.json:1: not JSON") as caught:
        run()
    assert caught.value.fix
    assert file.read_text() == "{,}"


def test_telemetry_is_refused_in_settings_that_the_client_does_not_heed(machine: Path) -> None:
    with pytest.raises(HostError, match="user's own settings alone"):
        run("--telemetry")


def test_telemetry_needs_somebody_who_takes_it(machine: Path) -> None:
    with pytest.raises(TransportError, match=r"telemetry\.receive is not true"):
        run("--telemetry", "--scope", "user")
    assert not (machine / "home/.claude/settings.json").exists()


def test_telemetry_that_goes_elsewhere_is_left_alone(machine: Path) -> None:
    file = machine / "home/.claude/settings.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"env": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://theirs"}}')
    with pytest.raises(HostError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        run("--telemetry", "--scope", "user")
    assert "theirs" in file.read_text()
