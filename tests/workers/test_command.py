"""Commands of contracts: ended at their deadline, with the end of what they printed."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from pointsman.model.ran import Ran, run_nothing
from pointsman.workers.command import run_command


def ran(text: str, cwd: str = "/", seconds: float = 30) -> Ran:
    return asyncio.run(run_command(("/bin/sh", "-c", text), cwd, seconds))


@pytest.mark.parametrize(
    ("text", "code", "output"),
    [
        ("echo a; echo b >&2", 0, "a\nb\n"),
        ("exit 7", 7, ""),
        ("kill -TERM $$", -15, ""),
        ("cat", 0, ""),
        ("printf '\\377'", 0, "\ufffd"),
        # What it leaves behind holds its output, and is killed with it.
        ("sleep 60 & echo a", 0, "a\n"),
    ],
)
def test_how_a_command_ends(text: str, code: int, output: str) -> None:
    found = ran(text)
    assert (found.code, found.output, found.problem) == (code, output, "")


def test_the_end_of_a_long_output_is_kept() -> None:
    found = ran("yes abcdefg | head -c 5000000; echo; echo the end")
    assert found.code == 0
    assert found.output.endswith("\nthe end\n")
    assert len(found.output) <= 16 * 1024


def test_past_its_deadline_its_whole_group_is_killed(tmp_path: Path) -> None:
    found = ran("echo $$ > pid; echo begun; trap '' TERM; sleep 60 & wait", str(tmp_path), 0.5)
    assert (found.code, found.output) == (None, "begun\n")
    assert "it was killed after 0.5 s" in found.problem
    group = int((tmp_path / "pid").read_text())
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail(f"the process group {group} is still there")


def test_what_cannot_be_started_is_said(tmp_path: Path) -> None:
    assert "could not be started" in ran("true", str(tmp_path / "nowhere")).problem
    found = asyncio.run(run_command(("/nowhere/x",), "/", 1))
    assert (found.code, "could not be started" in found.problem) == (None, True)


def test_outside_the_daemon_nothing_runs() -> None:
    found = asyncio.run(run_nothing(("/bin/sh", "-c", "exit 1"), "/", 1))
    assert (found.code, "exit 1" in found.problem) == (None, True)
