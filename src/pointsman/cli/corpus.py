"""Labelled commands, and what becomes of each: by us in this process, or by any hook command."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pointsman.hooks.command_safety import judge
from pointsman.model.errors import ConfigError

_COMMANDS = ("command", "cmd", "bash", "input", "text", "prompt")
_LABELS = (
    "expected", "label", "expect", "verdict", "decision", "should_block", "blocked", "dangerous",
    "malicious", "unsafe", "class",
)  # fmt: skip
_FAMILIES = ("family", "category", "group", "pack", "type", "tag")
_BLOCK = frozenset({
    "block", "blocked", "deny", "denied", "ask", "stop", "stopped", "dangerous", "danger", "unsafe",
    "malicious", "bad", "true", "1", "yes", "destructive", "positive", "reject",
})  # fmt: skip
_ALLOW = frozenset({
    "allow", "allowed", "safe", "pass", "passed", "ok", "benign", "good", "harmless", "none",
    "false", "0", "no", "negative", "accept", "approve",
})  # fmt: skip
STOPPED = ("deny", "ask")


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled command: whether it should be stopped, and the family it is counted in."""

    command: str
    block: bool
    family: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: deny, ask, none (it passes), timeout or failed (both pass, too)."""

    row: Row
    action: str
    rule: str
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether what should be stopped was, and the rest was not."""
        return (self.action in STOPPED) == self.row.block


def read_rows(path: Path) -> list[Row]:
    """Read JSON lines with a command and a label.

    Raises:
        ConfigError: a line is no object, or has no command or no label that is known.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fix = "give a file of JSON lines"
        raise ConfigError(f"{path} cannot be read: {error}", fix=fix) from error
    rows = [_row(line, f"{path}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        fix = 'write lines like {"command": "ls", "expected": "allow"}'
        raise ConfigError(f"{path} has no rows", fix=fix)
    return rows


def _row(line: str, where: str) -> Row:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where} is no JSON: {error}", fix="mend the line") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is no JSON object", fix="write one object a line")
    inner = value.get("tool_input")
    if isinstance(inner, dict):
        value = {**value, **inner}
    command = next((value[key] for key in _COMMANDS if isinstance(value.get(key), str)), None)
    if command is None:
        raise ConfigError(f"{where} has no command", fix=f"name it one of: {', '.join(_COMMANDS)}")
    family = next((value[key] for key in _FAMILIES if isinstance(value.get(key), str)), "")
    return Row(command, _label(value, where), family)


def _label(value: Mapping[str, Any], where: str) -> bool:
    for key in _LABELS:
        said = str(value.get(key, "")).strip().lower()
        if said in _BLOCK or said in _ALLOW:
            return said in _BLOCK
    raise ConfigError(
        f"{where} does not say whether its command should be stopped",
        fix='add "expected": "block" or "allow"',
    )


def payload_of(command: str, cwd: str) -> bytes:
    """Return what Claude Code hands to a PreToolUse hook about this command."""
    payload = {
        "session_id": "bench",
        "transcript_path": f"{cwd}/bench.jsonl",
        "cwd": cwd,
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": command},
        "tool_use_id": "bench",
    }
    return json.dumps(payload).encode()


def by_us(rows: Iterable[Row], cwd: str) -> Iterator[Outcome]:
    """Judge by the rules of command safety as they are shipped, whatever is tuned here."""
    home = os.environ.get("HOME", "/")
    for row in rows:
        started = time.perf_counter()
        decision = judge(row.command, cwd, home, {})
        spent = time.perf_counter() - started
        action = decision.action.value if decision and decision.action else "none"
        rule = decision.rule if decision else ""
        yield Outcome(row, action if action in STOPPED else "none", rule, spent)


def by_hook(
    rows: Sequence[Row], words: Sequence[str], cwd: str, *, within: float, jobs: int
) -> Iterator[Outcome]:
    """Judge by a hook command, started once for each row, ``jobs`` at a time."""
    judge = partial(_start, words=words, cwd=cwd, within=within)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        yield from pool.map(judge, rows)


def _start(row: Row, words: Sequence[str], cwd: str, within: float) -> Outcome:
    started = time.perf_counter()
    process = subprocess.Popen(
        words, cwd=cwd, env={**os.environ, "CLAUDE_PROJECT_DIR": cwd}, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        out, _ = process.communicate(payload_of(row.command, cwd), timeout=within)
        action = _read(process.returncode, out)
    except subprocess.TimeoutExpired:
        action = "timeout"
        _end(process)
    return Outcome(row, action, "", time.perf_counter() - started)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a hook with everything that it started; until it is waited for, its group is its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _read(code: int, out: bytes) -> str:
    """Read an answer as the host does: exit 2 stops, 0 by its JSON, anything else passes."""
    if code == 2:
        return "deny"
    if code != 0:
        return "failed"
    try:
        answer = json.loads(out)
    except ValueError:
        return "none"
    if not isinstance(answer, dict):
        return "none"
    specific = answer.get("hookSpecificOutput")
    said = specific.get("permissionDecision") if isinstance(specific, dict) else None
    if answer.get("decision") == "block" or answer.get("continue") is False:
        said = said or "deny"
    return said if said in STOPPED else "none"
