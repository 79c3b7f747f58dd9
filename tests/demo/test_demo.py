"""``make demo``: the recorded session through the real client and the real daemon."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SESSION = ROOT / "demo/session.jsonl"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demo prints, run as the Makefile runs it, with temporary files of its own."""
    folder = tmp_path_factory.mktemp("demo")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(folder.iterdir()) == []
    deadline = time.monotonic() + 30
    while list(processes_in(folder)):  # The daemon's last one waits for it and goes behind it.
        assert time.monotonic() < deadline, "the demo left processes behind"
        time.sleep(0.02)
    return done.stdout


def processes_in(folder: Path) -> Iterator[str]:
    """Yield the processes that work in a folder or have it in their environment."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in text and process.name != str(os.getpid()):
            yield process.name


def events() -> list[dict[str, object]]:
    return [json.loads(line) for line in SESSION.read_text(encoding="utf-8").splitlines()]


def test_every_tool_call_of_the_session_is_decided(shown: str) -> None:
    calls = [event for event in events() if event["hook_event_name"] == "PreToolUse"]
    assert len(calls) > 30
    assert f"{len(calls)} tool calls decided" in shown


@pytest.mark.parametrize(
    ("word", "call", "hook"),
    [
        ("pass", "Bash ls -la", "command-safety"),
        ("context", "Read README.md", "repo:hanging (degraded)"),
        ("pass", "Edit src/store.py", "scope"),
        ("deny", "Bash rm -rf ~/", "command-safety"),
        ("deny", "Bash timeout 60 sh -c 'git reset --hard HEAD~3'", "command-safety"),
        ("deny", "Bash ./deploy.sh production", "repo:no_deploys"),
        ("deny", "Write docs/guide.md", "scope"),
        ("deny", "Write docs/legal/terms.md", "scope"),
        ("deny", "Write .claude/settings.json", "self-protection"),
        ("deny", "Bash pointsman down", "self-protection"),
        ("ask", "Bash $RUNNER build", "command-safety"),
    ],
)
def test_a_decision_is_shown_with_hook_and_time(
    shown: str, word: str, call: str, hook: str
) -> None:
    lines = [line for line in shown.splitlines() if f" {call} " in f"{line} "]
    assert any(line.startswith(word) and " ms " in line and hook in line for line in lines), (
        lines,
        shown,
    )


def test_what_goes_wrong_is_escalated(shown: str) -> None:
    assert "ErrorEscalation: enricher 'repo:hanging' on PreToolUse" in shown
    assert "ErrorEscalation: Bash failed: Exit code 3" in shown
    assert "ErrorEscalation: 5 denials within 60 s" in shown


def test_it_ends_with_a_summary_and_the_next_step(shown: str) -> None:
    tail = shown[shown.index("events on record") :]
    assert "stopped or asked, by rule:" in tail
    assert "1 degraded" in tail
    assert tail.rstrip().endswith(".venv/bin/pointsman init && .venv/bin/pointsman doctor")
