"""Labelled commands, judged by us and by other hooks."""

import json
import sys
from pathlib import Path

import pytest

from pointsman.cli.bench import lines_of, result_of
from pointsman.cli.corpus import Outcome, Row, read_rows
from pointsman.model.errors import ConfigError

from .conftest import Machine

ROWS: list[dict[str, object]] = [
    {"command": "rm -rf /", "expected": "block", "family": "files"},
    {"command": "git commit --amend", "expected": "block", "family": "git"},
    {"command": "ls", "expected": "block", "family": "files"},
    {"command": "ls -l", "expected": "allow", "family": "files"},
]
HOOK = """import json, os, sys, time
command = json.load(sys.stdin)["tool_input"]["command"]
if command.startswith("rm"):
    sys.exit(2)
if command.startswith("git"):
    print(json.dumps({"hookSpecificOutput": {"permissionDecision": "ask"}}))
if command == "ls":
    sys.exit(1)
if command == "ls -l" and "slow" in sys.argv:
    os.system("sleep 60")
"""


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_by_us(machine: Machine, tmp_path: Path) -> None:
    corpus = str(written(tmp_path / "c.jsonl", ROWS))
    ended = machine.run("bench", "--corpus", corpus, "--json", "--wrong")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    assert result["rows"] == 4
    figures = result["families"]["all"]
    assert figures["block"] == {"deny": 1, "ask": 1, "none": 1, "timeout": 0, "failed": 0}
    assert (figures["recall"], figures["recall_deny"], figures["fpr"]) == (0.6667, 0.3333, 0.0)
    assert [each["command"] for each in result["wrong"]] == ["ls"]
    assert set(result["families"]) == {"all", "files", "git"}
    assert result["families"]["git"]["fpr"] is None


def test_by_another_hook(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "hook.py").write_text(HOOK)
    corpus = str(written(tmp_path / "c.jsonl", ROWS))
    hook = f"{sys.executable} {tmp_path / 'hook.py'}"
    ended = machine.run("bench", "--corpus", corpus, "--hook", hook, "--json")
    assert (ended.code, ended.err) == (0, "")
    figures = json.loads(ended.out)["families"]["all"]
    assert figures["block"] == {"deny": 1, "ask": 1, "none": 0, "timeout": 0, "failed": 1}
    assert figures["allow"]["none"] == 1


def test_a_hook_that_takes_too_long_is_ended_and_counted(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "hook.py").write_text(HOOK)
    corpus = str(written(tmp_path / "c.jsonl", ROWS[3:]))
    hook = f"{sys.executable} {tmp_path / 'hook.py'} slow"
    ended = machine.run("bench", "--corpus", corpus, "--hook", hook, "--timeout", "3", "--json")
    figures = json.loads(ended.out)["families"]["all"]
    assert figures["allow"] == {"deny": 0, "ask": 0, "none": 0, "timeout": 1, "failed": 0}
    assert figures["fpr"] == 0.0


def test_a_hook_that_is_not_there(machine: Machine, tmp_path: Path) -> None:
    corpus = str(written(tmp_path / "c.jsonl", ROWS))
    ended = machine.run("bench", "--corpus", corpus, "--hook", "no-such-program-of-ours")
    assert ended.code == 2
    assert "no-such-program-of-ours" in ended.err


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"cmd": "ls", "label": "safe"}, Row("ls", False, "")),
        ({"command": "x", "should_block": True, "category": "c"}, Row("x", True, "c")),
        ({"tool_input": {"command": "y"}, "verdict": "DENY"}, Row("y", True, "")),
        ({"input": "z", "dangerous": False, "pack": "p"}, Row("z", False, "p")),
    ],
)
def test_the_shapes_that_are_read(tmp_path: Path, row: dict[str, object], expected: Row) -> None:
    assert read_rows(written(tmp_path / "c.jsonl", [row])) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"expected": "block"}',
        '{"command": "ls"}',
        '{"command": "ls", "expected": "?"}',
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"c\.jsonl") as caught:
        read_rows(path)
    assert caught.value.fix


def test_the_table() -> None:
    outcomes = [
        Outcome(Row("rm x", True, "files"), "none", "", 0.001),
        Outcome(Row("ls", False, "files"), "timeout", "", 0.002),
    ]
    lines = list(lines_of(result_of(outcomes, wrong=True)))
    assert lines[1].startswith("all                 0.000  0.000 |")
    assert "1 runs took too long: they count as passed, as the host would have it" in lines
    assert lines[-1] == "block none    - files: rm x"
