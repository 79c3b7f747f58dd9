"""Claude Code's transcripts: which tool calls ran, and what became of the hooks on them.

Measured with client 2.1.330. A call is a ``tool_use`` block of the model, its end a
``tool_result`` of the user. Between the two stand attachments of hooks that failed or were
cancelled; one that let the call pass in silence leaves none. A call that was refused carries
``toolDenialKind``, and its ``permissionDecision`` says ``reject``; of a malformed one the result
begins with ``<tool_use_error>``: no hook is started for it, and nothing runs.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pointsman.model.coverage import Call, Fate, HostHook

MOST_LINE = 8 * 1024 * 1024
"""Bytes of a line that is read; longer ones hold what a tool has given, not whose it was."""
_MOST_OPEN = 1024
_MOST_TEXT = 4096
_MOST_FILES = 4096
_FATES = {
    "hook_success": Fate.ANSWERED,
    "hook_blocking_error": Fate.ANSWERED,
    "hook_non_blocking_error": Fate.FAILED,
    "hook_error_during_execution": Fate.FAILED,
    "hook_cancelled": Fate.CANCELLED,
}


@dataclass(slots=True)
class _Open:
    """A call whose result has not been read yet."""

    tool: str
    given: Mapping[str, Any]
    native: Mapping[str, Any]
    hooks: list[HostHook] = field(default_factory=list)


class CallReader:
    """Reads the lines of one transcript file in their order; in constant memory."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def read(self, line: bytes) -> Iterator[Call]:
        """Yield the calls that have their result with this line.

        What is no line of a transcript is passed over, a torn last one too.
        """
        native = _object(line)
        kind = native.get("type")
        if kind == "assistant":
            for block in _blocks(native, "tool_use"):
                call = _Open(_text(block.get("name")), _mapping(block.get("input")), native)
                self._open[_text(block.get("id"))] = call
                if len(self._open) > _MOST_OPEN:
                    self._open.popitem(last=False)
        elif kind == "attachment":
            attached = _mapping(native.get("attachment"))
            waiting = self._open.get(_text(attached.get("toolUseID")))
            if waiting is not None and attached.get("type") in _FATES:
                waiting.hooks.append(_hook(attached))
        elif kind == "user":
            for block in _blocks(native, "tool_result"):
                identity = _text(block.get("tool_use_id"))
                ended = self._open.pop(identity, None)
                if ended is not None:
                    yield _call(identity, ended, native, block)


def calls_of(lines: Iterable[bytes]) -> Iterator[Call]:
    """Yield the calls of one transcript file, each when its result is read; in constant memory."""
    reader = CallReader()
    for line in lines:
        yield from reader.read(line)


def transcripts(config: Path, since_ns: int = 0) -> list[Path]:
    """Return the transcript files below a configuration directory, subagents' among them.

    Only those that were written to since; the newest first, a bounded number.
    """
    found = []
    for pattern in ("projects/*/*.jsonl", "projects/*/*/subagents/**/*.jsonl"):
        for path in config.glob(pattern):
            try:
                changed = path.stat().st_mtime_ns
            except OSError:
                continue
            if changed >= since_ns:
                found.append((changed, path))
    return [path for _, path in sorted(found, reverse=True)[:_MOST_FILES]]


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a file that are not too long; nothing where it is gone."""
    try:
        with path.open("rb") as file:
            while line := file.readline(MOST_LINE):
                whole = line.endswith(b"\n")
                if whole:
                    yield line
                while not whole and (rest := file.readline(MOST_LINE)):
                    whole = rest.endswith(b"\n")
    except OSError:
        return


def is_trusted(config: Path, home: Path, folder: str) -> bool | None:
    """Whether somebody has trusted this folder or one above it; ``None`` where nothing says.

    Before that an interactive client runs no hook at all, a user's own neither.
    """
    for file in (config / ".claude.json", home / ".claude.json"):
        try:
            projects = _mapping(_object(file.read_bytes()).get("projects"))
        except OSError:
            continue
        above = (folder, *map(str, Path(folder).parents))
        said = (_mapping(projects.get(one)).get("hasTrustDialogAccepted") for one in above)
        return any(answer is True for answer in said)
    return None


def _call(identity: str, ended: _Open, result: Mapping[str, Any], block: Mapping[str, Any]) -> Call:
    decision = _mapping(result.get("permissionDecision")).get("decision")
    refused = "toolDenialKind" in result or decision == "reject"
    malformed = _said(block.get("content")).startswith("<tool_use_error>")
    return Call(
        id=identity,
        tool=ended.tool,
        session=_text(ended.native.get("sessionId")),
        at_ns=_time(ended.native.get("timestamp")),
        ran=not refused and not malformed,
        agent_id=_text(ended.native.get("agentId")) or None,
        cwd=_text(ended.native.get("cwd")),
        terminal=ended.native.get("entrypoint") == "cli",
        command=_text(ended.given.get("command")),
        hooks=tuple(ended.hooks),
    )


def _hook(attached: Mapping[str, Any]) -> HostHook:
    ms = attached.get("durationMs")
    code = attached.get("exitCode")
    return HostHook(
        event=_text(attached.get("hookEvent")),
        command=_text(attached.get("command")),
        fate=_FATES[str(attached.get("type"))],
        timed_out=attached.get("timedOut") is True,
        ms=ms if isinstance(ms, int) else 0,
        detail="" if code is None else f"exit code {code}",
    )


def _blocks(native: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    content = _mapping(native.get("message")).get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == kind:
            yield block


def _said(content: object) -> str:
    """Return the beginning of what a result says, whose content is a text or a list of blocks."""
    if isinstance(content, list):
        content = _mapping(content[0] if content else None).get("text")
    return content[:64] if isinstance(content, str) else ""


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(line))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value[:_MOST_TEXT] if isinstance(value, str) else ""


def _time(value: object) -> int:
    try:
        moment = datetime.fromisoformat(_text(value))
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0, round(zoned.timestamp() * 1000) * 10**6)
    except (ValueError, OverflowError, OSError):
        return 0
