"""One headless session of the real Claude Code in a directory of the test.

The client gets an environment of its own (nothing of ours but ``PATH`` and the language), a
home and a ``CLAUDE_CONFIG_DIR`` under the test's directory, a dummy key and the scripted API.
"""

import json
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from .messages_api import MessagesApi
from .processes import MARK, end_marked, marked
from .unavailable import RigError

KEY = "sk-ant-api03-not-a-key-0000000000000000000000"
"""The client asks for some key; the scripted API takes any."""

_KEPT = ("PATH", "LANG", "LC_ALL")
_MODE = ("-p", "--output-format", "stream-json", "--verbose", "--include-hook-events")
_DRAIN_S = 10.0


@dataclass(frozen=True)
class ToolResult:
    """What the model was told of one call."""

    id: str
    is_error: bool
    text: str


@dataclass(frozen=True)
class HookRun:
    """One finished run of a hook as the client reports it."""

    event: str
    name: str
    outcome: str
    exit_code: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Result:
    """What a session printed, as it printed it (``messages``) and read.

    ``tool_results`` are by tool_use_id, ``denials`` are the ``permission_denials`` of the last
    line, ``terminal_reason`` is empty where the session ended without one.
    """

    returncode: int
    stderr: str
    messages: tuple[Mapping[str, Any], ...]

    @property
    def tool_results(self) -> dict[str, ToolResult]:
        return {result.id: result for result in _tool_results(self.messages)}

    @property
    def hooks(self) -> list[HookRun]:
        runs = (message for message in self.messages if message.get("subtype") == "hook_response")
        return [_hook_run(run) for run in runs]

    @property
    def end(self) -> Mapping[str, Any]:
        """The closing ``result`` line; empty where there was none."""
        ends = [message for message in self.messages if message.get("type") == "result"]
        return ends[-1] if ends else {}

    @property
    def denials(self) -> list[Mapping[str, Any]]:
        return list(self.end.get("permission_denials", ()))

    @property
    def terminal_reason(self) -> str:
        return str(self.end.get("terminal_reason") or "")

    @property
    def session_id(self) -> str:
        return str(self.end.get("session_id", ""))


class Claude:
    """The client in one working directory; a context manager that leaves no process behind.

    What a session leaves running (a daemon that a hook started, say) lives on for the next
    session of this client and ends with the context.

    Args:
        workdir: the project; made where it is missing.
        home: the session's whole home, made where it is missing; ``config`` lies in it.
        api: the scripted model.
        binary: the client's executable, from ``install.claude_code``.
    """

    def __init__(self, workdir: Path, home: Path, api: MessagesApi, binary: Path) -> None:
        self.workdir = workdir
        self.home = home
        self.config = home / ".claude"
        self.api = api
        self.binary = binary
        self._mark = uuid.uuid4().hex
        for directory in (workdir, self.config, home / "tmp"):
            directory.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end_marked(self._mark)

    def leftovers(self) -> list[int]:
        """Return the ids of the processes of this client's sessions that still run."""
        return marked(self._mark)

    def run(
        self,
        prompt: str,
        *,
        mode: str = "bypassPermissions",
        settings: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        extra_args: Sequence[str] = (),
        timeout: float = 90,
    ) -> Result:
        """Run one prompt to its end.

        ``settings`` is written to the project's ``.claude/settings.json`` first.

        Raises:
            RigError: where the session has not ended after ``timeout`` seconds.
        """
        with self.start(
            prompt, mode=mode, settings=settings, env=env, extra_args=extra_args
        ) as session:
            return session.finish(timeout)

    def start(
        self,
        prompt: str,
        *,
        mode: str = "bypassPermissions",
        settings: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        extra_args: Sequence[str] = (),
    ) -> "Session":
        """Begin the same and return at once; leaving the context ends whatever still runs."""
        if settings is not None:
            self.write_settings(settings)
        argv = [str(self.binary), *_MODE, "--permission-mode", mode, *extra_args, "--", prompt]
        return Session(argv, self.workdir, self.environment(env))

    def write_settings(self, settings: Mapping[str, Any], *, scope: str = "project") -> Path:
        """Write the settings of a scope (``project``, ``local`` or ``user``); return the file."""
        path = self.settings_path(scope)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
        return path

    def settings_path(self, scope: str = "project") -> Path:
        """Return the settings file of a scope."""
        return {
            "project": self.workdir / ".claude" / "settings.json",
            "local": self.workdir / ".claude" / "settings.local.json",
            "user": self.config / "settings.json",
        }[scope]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the whole environment of a session, with a mark that no other session has."""
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "CLAUDE_CONFIG_DIR": str(self.config),
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": self.api.url,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "IS_SANDBOX": "1",  # without it the client refuses bypassPermissions to root
            MARK: f"{self._mark}-{uuid.uuid4().hex}",
            **(more or {}),
        }


class Session:
    """A session that runs; leaving the context ends it with all it started, if it still runs."""

    def __init__(self, argv: Sequence[str], workdir: Path, env: Mapping[str, str]) -> None:
        self._mark = env[MARK]
        self._process = subprocess.Popen(
            argv,
            cwd=workdir,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._out = _Drain(self._process.stdout)
        self._err = _Drain(self._process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The client's process id."""
        return self._process.pid

    def finish(self, timeout: float = 90) -> Result:
        """Wait for the end and return what the session printed.

        Raises:
            RigError: where it has not ended after ``timeout`` seconds; it is killed then.
        """
        try:
            returncode = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RigError(
                f"the session did not end within {timeout:g} s; stdout ends with "
                f"{self._out.read()[-1500:]!r}, stderr with {self._err.read()[-500:]!r}"
            ) from None
        return Result(returncode, self._err.read(), tuple(_lines(self._out.read())))

    def kill(self) -> None:
        """End the session at once, as a crash would, where it still runs."""
        if self._process.poll() is None:
            end_marked(self._mark)
            self._process.wait()
        self._out.read()
        self._err.read()


class _Drain:
    """Reads a pipe to its end beside us, so that the session never waits."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        if pipe is None:
            raise RigError("the session was started without its pipes")
        self._pipe = pipe
        self._pieces: list[bytes] = []
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with self._pipe:
            self._pieces.extend(self._pipe)

    def read(self) -> str:
        """Return the whole text, once the session has ended.

        Raises:
            RigError: where something that outlived the session holds the pipe open.
        """
        self._thread.join(_DRAIN_S)
        if self._thread.is_alive():
            raise RigError("the session has ended, but a process still holds its output open")
        return b"".join(self._pieces).decode("utf-8", "replace")


def _lines(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _tool_results(messages: Sequence[Mapping[str, Any]]) -> Iterator[ToolResult]:
    for message in messages:
        content = message.get("message", {}).get("content") if _is_user(message) else None
        for block in content if isinstance(content, list) else ():
            if block.get("type") == "tool_result":
                yield ToolResult(
                    block["tool_use_id"], bool(block.get("is_error")), _flat(block["content"])
                )


def _is_user(message: Mapping[str, Any]) -> bool:
    return message.get("type") == "user"


def _flat(content: str | Sequence[Mapping[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text", "")) for block in content)


def _hook_run(message: Mapping[str, Any]) -> HookRun:
    return HookRun(
        event=message["hook_event"],
        name=message["hook_name"],
        outcome=message["outcome"],
        exit_code=message.get("exit_code"),
        stdout=message.get("stdout", ""),
        stderr=message.get("stderr", ""),
    )
