"""Which subagents are at work, by the files that the client keeps of them."""

import os
import time
from pathlib import Path

import pytest

from pointsman.agents.claude_live import LATELY, lately_at_work


def keep(config: Path, name: str, text: str, age: float = 0.0, session: str = "s") -> None:
    folder = config / "projects" / "-a-b" / session / "subagents"
    folder.mkdir(parents=True, exist_ok=True)
    meta = folder / f"agent-{name}.meta.json"
    meta.write_text(text)
    transcript = folder / f"agent-{name}.jsonl"
    transcript.write_text("{}\n")
    then = time.time() - age
    for file in (meta, transcript):
        os.utime(file, (then, then))


def test_who_has_said_something_lately(tmp_path: Path) -> None:
    keep(tmp_path, "1", '{"agentType": "worker"}')
    keep(tmp_path, "2", '{"agentType": "gone"}', age=LATELY + 60)
    keep(tmp_path, "3", '{"agentType": "other"}', session="another")
    assert lately_at_work("s", str(tmp_path), "/nowhere") == ("worker",)


def test_a_transcript_that_grows_counts(tmp_path: Path) -> None:
    keep(tmp_path, "1", '{"agentType": "worker"}', age=LATELY + 60)
    transcript = next(tmp_path.rglob("agent-1.jsonl"))
    os.utime(transcript)
    assert lately_at_work("s", str(tmp_path), "/nowhere") == ("worker",)


def test_the_home_is_looked_into_where_no_directory_is_named(tmp_path: Path) -> None:
    keep(tmp_path / ".claude", "1", '{"agentType": "worker"}')
    assert lately_at_work("s", "", str(tmp_path)) == ("worker",)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"agentType": 3}', '{"agentType": ""}', "[" * 9000]
)
def test_what_cannot_be_read_names_nobody(tmp_path: Path, text: str) -> None:
    keep(tmp_path, "1", text)
    assert lately_at_work("s", str(tmp_path), "/nowhere") == ()


@pytest.mark.parametrize("session", ["", ".", "..", "../another", "/etc", "unknown"])
def test_a_session_of_no_such_name(tmp_path: Path, session: str) -> None:
    keep(tmp_path, "1", '{"agentType": "worker"}', session="another")
    assert lately_at_work(session, str(tmp_path), "/nowhere") == ()


def test_no_files_at_all(tmp_path: Path) -> None:
    assert lately_at_work("s", str(tmp_path / "none"), "/nowhere") == ()
