"""``make demo-claude``: the same session with the real client and a scripted model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.conftest import unavailable
from host.install import claude_code
from host.unavailable import HostUnavailable

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.host


def test_the_real_client_is_decided_about_as_in_the_recorded_session(tmp_path: Path) -> None:
    try:
        claude_code()
    except HostUnavailable as error:
        unavailable(error)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    shown = [
        subprocess.run(
            [sys.executable, "-m", "demo", *words],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=True,
        ).stdout
        for words in ([], ["--claude"])
    ]  # fmt: skip
    recorded, real = (decisions(text) for text in shown)
    assert len(recorded) > 30
    # Calls of one turn run side by side: which comes first is the client's affair.
    # Nobody sits at the real one: what the recorded one asks its person waits for an approval.
    queued = [("deny" if word == "ask" else word, call) for word, call in recorded]
    assert queued != recorded
    assert sorted(real) == sorted(queued)


def decisions(shown: str) -> list[tuple[str, str]]:
    """Return each tool call with what became of it; times differ, so they are left out."""
    found = []
    for line in shown.splitlines():
        word, unit, rest = line.partition(" ms  ")
        if unit and "ErrorEscalation" not in rest and " Subagent" not in rest:
            found.append((word.split()[0], rest.split(maxsplit=1)[1][:58].strip()))
    return found
