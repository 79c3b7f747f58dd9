"""The real client sends its own telemetry in: it is counted, and a third source of coverage."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .messages_api import MessagesApi, agent, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host

_SOON = {"OTEL_LOGS_EXPORT_INTERVAL": "500", "OTEL_METRIC_EXPORT_INTERVAL": "500"}


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    with guarded(claude) as project:
        config = claude.home / ".config/pointsman/config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("[telemetry]\nreceive = true\n")
        project.command("init", "--telemetry", "--scope", "user")
        yield project


def coverage(under: Guarded) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(under.command("coverage", "--json"))
    return found


def told(under: Guarded, calls: int) -> dict[str, Any]:
    """Wait until the host's telemetry has told of so many calls."""
    deadline = time.monotonic() + 60
    while True:
        found = coverage(under)
        rows = found["by_session"]
        if rows and (rows[0]["telemetry"] or 0) >= calls:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_three_sources_agree_on_a_guarded_session(under: Guarded, api: MessagesApi) -> None:
    api.script("main", bash("echo one"), agent("work"), bash("rm -rf /"))
    api.script("work", bash("echo two"))
    under.claude.run("Begin. SCRIPT=main", env={**under.env, **_SOON})
    found = told(under, 3)
    assert found["sources"] == ["ledger", "transcript", "telemetry"]
    (row,) = found["by_session"]
    # The ledger has the call that was denied as well.
    assert (row["ledger"], row["transcript"], row["telemetry"]) == (4, 3, 3)
    assert (row["guards_cancelled"], found["unguarded"]) == (0, [])


def test_a_call_that_no_transcript_tells_of(under: Guarded, api: MessagesApi) -> None:
    settings = json.loads(under.claude.settings_path("user").read_text())
    under.claude.settings_path("user").write_text(json.dumps({**settings, "hooks": {}}))
    api.script("main", bash("echo one"))
    under.claude.run("Begin. SCRIPT=main", env={**under.env, **_SOON})
    told(under, 1)
    for file in under.claude.config.glob("projects/**/*.jsonl"):
        file.unlink()
    found = coverage(under)
    assert found["by_session"][0]["transcript"] is None
    assert [row["tool_use_id"] for row in found["unguarded"]] == ["toolu_main_0_0"]


def test_hooks_that_the_client_cancels_are_counted(under: Guarded, api: MessagesApi) -> None:
    settings = json.loads(under.claude.settings_path("user").read_text())
    for group in settings["hooks"]["PreToolUse"]:
        for hook in group["hooks"]:
            # As an older client has it: what fails lets the call run.
            hook.pop("onFailure", None)
            hook |= {"command": "sh", "timeout": 1}
            hook["args"] = ["-c", "exec sleep 30 # pointsman-hook"]
    under.claude.settings_path("user").write_text(json.dumps(settings))
    api.script("main", bash("echo one"))
    under.claude.run("Begin. SCRIPT=main", env={**under.env, **_SOON})
    found = told(under, 1)
    assert found["by_session"][0]["guards_cancelled"] >= 1
    assert "hooks cancelled" in under.command("coverage")


def test_uninstall_takes_it_out(under: Guarded) -> None:
    settings = under.claude.settings_path("user")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in settings.read_text()
    under.command("uninstall", "--scope", "user")
    assert not settings.exists()
