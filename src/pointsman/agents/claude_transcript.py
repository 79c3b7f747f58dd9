"""Claude Code's transcripts: what each message of the model has used, line by line.

Measured with client 2.1.330. A message is written as one line per content block, each of which
repeats the usage and the message's id; tool results may stand between them. A fork
(``--fork-session``) begins with a copy of its parent's lines under the new session's id, with the
same message ids and ``requestRef``. Subagents have files of their own. An error of the service is
a message of the model ``<synthetic>``, which nobody has asked. The calls that compact a
conversation stand in no transcript; the ``cost-state`` line at a session's end counts them.
"""

import contextlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from pointsman.agents.claude_code import NAME
from pointsman.model.usage import HostTotal, Usage
from pointsman.paths.content import read_regular
from pointsman.paths.repository import anchored_root, main_repository

MOST_TOKENS = 10**8
"""Tokens of one kind that a message is believed to have used; more is no message."""
_MOST_TEXT = 512
_LATEST_NS = 2**62
"""Somewhere in the year 2116: a later time is none, and no record could hold the latest."""
_MOST_CALLS = 1024
_MOST_FILES = 4096
_MOST_META = 64 * 1024
_HEAD = 4096
"""Bytes at the beginning of a line in which the host names the prompt, before its text."""
_SYNTHETIC = "<synthetic>"
_AGENT_FILE = re.compile(r"agent-([\w.-]{1,128})\.jsonl")
_SESSION = re.compile(rb'"sessionId":\s*"([\w-]{1,128})"')
_LEAST = 64
"""Bytes of a file in which a session may be named."""
_PROMPT = re.compile(rb'"promptId":\s*"([\w-]{1,64})"')
_UNDER_WAY = "in_progress"
_BATCH = "batch"
"""The service tier at which a message costs less, whatever its speed."""


@dataclass(slots=True)
class Thread:
    """What the lines of one file so far say of those to come."""

    project: str = ""
    """The directory that the first message was asked for in."""
    prompt: str = ""
    task: str = ""
    """The number on the host's list of the task that is under way."""
    agent: str = ""
    """The agent that the main thread itself runs as."""
    at: str = ""
    """When the newest message was written, as the host spells it."""

    def as_dict(self) -> dict[str, str]:
        """Return it to be kept."""
        return asdict(self)


@dataclass(slots=True)
class Transcript:
    """The reader of one transcript file; it is given the lines in their order.

    ``thread`` is what an earlier reader of the same file has kept (``Thread.as_dict``).
    """

    path: str
    kept: Mapping[str, str] = field(default_factory=dict)
    thread: Thread = field(init=False)
    _agent_id: str | None = field(init=False)
    _agent_type: str | None = field(init=False, default=None)
    _places: dict[str, str | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        known = {name: self.kept[name] for name in ("project", "prompt", "task", "agent", "at")
                 if isinstance(self.kept.get(name), str)}  # fmt: skip
        self.thread = Thread(**known)
        found = _AGENT_FILE.fullmatch(PurePath(self.path).name)
        self._agent_id = found[1] if found else None

    def read(self, line: bytes) -> Iterator[Usage | HostTotal]:
        """Yield what a line says was used; most lines say nothing of that."""
        if b'"assistant"' in line and b'"usage"' in line:
            native = _object(line)
            usage = self._usage(native) if native else None
            if usage is not None:
                yield usage
        elif b'"cost-state"' in line[:_HEAD]:
            yield from _totals(_object(line) or {})
        elif b'"agent-setting"' in line[:_HEAD]:
            self.thread.agent = _text((_object(line) or {}).get("agentSetting"))
        elif found := _PROMPT.search(line[:_HEAD]):
            self.thread.prompt = found[1].decode()

    def _usage(self, native: Mapping[str, Any]) -> Usage | None:
        message, used = native.get("message"), None
        if native.get("type") == "assistant" and isinstance(message, dict):
            used = message.get("usage")
        if not isinstance(message, dict) or not isinstance(used, dict):
            return None
        model = _text(message.get("model"))
        if model == _SYNTHETIC or native.get("isApiErrorMessage") is True:
            return None
        calls = _calls(message.get("content"))
        self._follow_task(calls)
        agent_id = _text(native.get("agentId")) or self._agent_id
        if agent_id is None and native.get("isSidechain") is True:
            agent_id = "sidechain"  # Of a client that did not say whose.
        whole, hour = _cache_writes(used)
        session = _text(native.get("sessionId")) or PurePath(self.path).stem
        searches = used.get("server_tool_use")
        return Usage(
            host=NAME,
            session=session,
            message_id=_text(message.get("id")) or _text(native.get("uuid")),
            request=_text(native.get("requestRef")) or _text(native.get("requestId")),
            model=model,
            at_ns=self._time(native.get("timestamp")),
            agent_id=agent_id,
            agent_type=self._type_of(native, agent_id),
            task=self._task(session),
            repository=self._repository(_text(native.get("cwd"))),
            branch=_text(native.get("gitBranch")),
            speed=_BATCH if used.get("service_tier") == _BATCH else _text(used.get("speed")),
            final=isinstance(message.get("stop_reason"), str),
            input_tokens=_count(used.get("input_tokens")),
            output_tokens=_count(used.get("output_tokens")),
            cache_read_tokens=_count(used.get("cache_read_input_tokens")),
            cache_write_5m_tokens=whole - hour,
            cache_write_1h_tokens=hour,
            web_searches=_count(searches.get("web_search_requests"))
            if isinstance(searches, dict)
            else 0,
            calls=tuple(call for call, _, _ in calls),
            tools=tuple(tool for _, tool, _ in calls),
        )

    def _time(self, value: object) -> int:
        """Return when a message was written; one that does not say, when the one before it was."""
        if found := _time(value):
            self.thread.at = _text(value)
        return found or _time(self.thread.at)

    def _type_of(self, native: Mapping[str, Any], agent_id: str | None) -> str | None:
        if agent_id is None:
            return self.thread.agent or None
        if named := _text(native.get("attributionAgent")):
            return named
        if self._agent_type is None:
            self._agent_type = _text(_beside(self.path).get("agentType"))
        return self._agent_type or None

    def _follow_task(self, calls: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
        for _, tool, given in calls:
            task = given.get("taskId")
            if tool != "TaskUpdate" or not isinstance(task, str):
                continue
            if given.get("status") == _UNDER_WAY:
                self.thread.task = _text(task)
            elif "status" in given and self.thread.task == task:
                self.thread.task = ""

    def _task(self, session: str) -> str:
        """Return the task under way on the host's list, or else the prompt that is answered."""
        if self.thread.task:
            return f"{session}#{self.thread.task}"
        return self.thread.prompt

    def _repository(self, cwd: str) -> str | None:
        """Return the repository that the session is held to; a worktree belongs to its own."""
        self.thread.project = self.thread.project or cwd
        if cwd not in self._places:
            root = anchored_root(self.thread.project, cwd) if cwd else None
            if len(self._places) >= _MOST_CALLS:
                self._places.clear()
            self._places[cwd] = main_repository(root) if root else None
        return self._places[cwd]


def files_of(path: str) -> list[str]:
    """Return a session's transcript files: the one of this name, then those of its subagents."""
    found = [path, *_beside_it(path)]
    for folder, _, names in os.walk(f"{path.removesuffix('.jsonl')}/"):
        agents = sorted(name for name in names if _AGENT_FILE.fullmatch(name))
        whole = (os.path.join(folder, name) for name in agents)  # noqa: PTH118
        found += filter(is_transcript, whole)
        if len(found) >= _MOST_FILES:
            break
    return found[:_MOST_FILES]


def _beside_it(path: str) -> list[str]:
    """Return the subagents' files of older clients, which lie beside their session's."""
    folder, session = os.path.split(path)
    if _AGENT_FILE.fullmatch(session):
        return []
    try:
        names = sorted(name for name in os.listdir(folder) if _AGENT_FILE.fullmatch(name))  # noqa: PTH208
    except OSError:
        return []
    whole = (os.path.join(folder, name) for name in names[:_MOST_FILES])  # noqa: PTH118
    stem = session.removesuffix(".jsonl")
    return [each for each in whole if is_transcript(each) and _session_in(each) == stem]


@lru_cache(maxsize=_MOST_FILES)
def _told_in(path: str, _inode: int) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - by its name, as all here
        found = _SESSION.search(file.read(_HEAD * 4))
    if found is None:
        raise LookupError(path)  # It is being written: what is raised is not kept.
    return found[1].decode()


def _session_in(path: str) -> str:
    """Return the session that a file's first line names; it never changes once it is there."""
    with contextlib.suppress(OSError, LookupError):
        found = os.stat(path)  # noqa: PTH116 - as above
        if stat.S_ISREG(found.st_mode) and found.st_size >= _LEAST:
            return _told_in(path, found.st_ino)
    return ""


def main_file(path: str) -> str:
    """Return the transcript of the session that a subagent's transcript belongs to."""
    # The name first, by itself: nearly every path is a session's own, and this is for each event.
    if not _AGENT_FILE.fullmatch(path.rpartition("/")[2]):
        return path
    for folder in PurePath(path).parents:
        if folder.name == "subagents":
            return f"{folder.parent}.jsonl"
    return path


def is_transcript(path: str) -> bool:
    """Whether a path may be one: what a payload names is opened for no other reason."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False  # No name of a file, or none that a record can hold.
    return path.startswith("/") and path.endswith(".jsonl") and "\0" not in path


def _beside(path: str) -> Mapping[str, Any]:
    """Return what the host says of a subagent in a file beside its transcript."""
    with contextlib.suppress(OSError):
        return _object(read_regular(f"{path.removesuffix('.jsonl')}.meta.json", _MOST_META)) or {}
    return {}


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        native = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return native if isinstance(native, dict) else None


def _calls(content: object) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return the tool calls of a message's blocks: id, tool, input."""
    calls: list[tuple[str, str, Mapping[str, Any]]] = []
    for block in content if isinstance(content, list) else ():
        if not isinstance(block, dict) or block.get("type") != "tool_use":
            continue
        given, call = block.get("input"), _text(block.get("id"))
        if call and len(calls) < _MOST_CALLS:
            tool = _text(block.get("name"))
            calls.append((call, tool, given if isinstance(given, dict) else {}))
    return calls


def _cache_writes(used: Mapping[str, Any]) -> tuple[int, int]:
    """Return all tokens written to the cache, and those of them that are kept for an hour."""
    split = used.get("cache_creation")
    split = split if isinstance(split, dict) else {}
    hour = _count(split.get("ephemeral_1h_input_tokens"))
    minutes = _count(split.get("ephemeral_5m_input_tokens"))
    return max(_count(used.get("cache_creation_input_tokens")), hour + minutes), hour


def _totals(native: Mapping[str, Any]) -> Iterator[HostTotal]:
    models, session = native.get("modelUsage"), _text(native.get("sessionId"))
    if native.get("type") != "cost-state" or not isinstance(models, dict) or not session:
        return
    for model, used in list(models.items())[:_MOST_CALLS]:
        if not isinstance(used, dict):
            continue
        usd = used.get("costUSD")
        hour = _count(used.get("cacheCreationEphemeral1hInputTokens"))
        minutes = _count(used.get("cacheCreationEphemeral5mInputTokens"))
        whole = max(_count(used.get("cacheCreationInputTokens")), hour + minutes)
        yield HostTotal(
            host=NAME,
            session=session,
            model=_text(model),
            usd=float(usd) if isinstance(usd, (int, float)) and 0 <= usd < MOST_TOKENS else 0.0,
            input_tokens=_count(used.get("inputTokens")),
            output_tokens=_count(used.get("outputTokens")),
            cache_read_tokens=_count(used.get("cacheReadInputTokens")),
            cache_write_5m_tokens=whole - hour,
            cache_write_1h_tokens=hour,
        )


def _count(value: object) -> int:
    """Return a number of tokens; what cannot be one is none."""
    # To Python True is an int.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return 0
    return min(value, MOST_TOKENS)


def _text(value: object) -> str:
    """Return a text that a record can hold: no lone surrogates, no NUL, not long."""
    if not isinstance(value, str):
        return ""
    return value[:_MOST_TEXT].replace("\0", "").encode("utf-8", "backslashreplace").decode()


def _time(value: object) -> int:
    """Return an ISO time in ns since the epoch; 0 where it is none."""
    if not isinstance(value, str) or len(value) > 64:
        return 0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 0
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        found = round(zoned.timestamp() * 1000) * 10**6
    except (OverflowError, OSError):
        return 0
    return found if 0 <= found < _LATEST_NS else 0
