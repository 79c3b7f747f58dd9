"""A child process in a group of its own, which can be ended for good."""

import asyncio
import asyncio.subprocess
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from pointsman.model.errors import HookError

MOST_OUTPUT = 1024 * 1024
"""Bytes read from a hook's stdout or stderr; more is an unreadable answer."""

_LAST_WORDS = 0.2
"""Seconds in which the pipes of a process that has ended must be read to their end."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended. A negative code is the signal that ended it."""

    code: int
    stdout: bytes
    stderr: bytes


class _Protocol(asyncio.subprocess.SubprocessStreamProtocol):
    """Says when the process has ended, though somebody may still hold its pipes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit, loop=asyncio.get_running_loop())
        self.gone = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.gone.set()


class Group:
    """A process that leads a group of its own, with pipes to all three of its streams."""

    def __init__(self, transport: asyncio.SubprocessTransport, protocol: _Protocol) -> None:
        self._transport = transport
        self._protocol = protocol
        self.pid = transport.get_pid()

    @property
    def stdin(self) -> asyncio.StreamWriter:
        """Where it reads."""
        assert self._protocol.stdin is not None  # noqa: S101 - a pipe was asked for
        return self._protocol.stdin

    @property
    def stdout(self) -> asyncio.StreamReader:
        """What it writes."""
        assert self._protocol.stdout is not None  # noqa: S101 - a pipe was asked for
        return self._protocol.stdout

    @property
    def stderr(self) -> asyncio.StreamReader | None:
        """What it complains."""
        return self._protocol.stderr

    @property
    def ended(self) -> bool:
        """Whether the process itself has ended."""
        return self._protocol.gone.is_set()

    async def wait(self) -> int:
        """Wait until the process itself has ended, and return its code."""
        await self._protocol.gone.wait()
        code = self._transport.get_returncode()
        return 0 if code is None else code

    def kill(self) -> None:
        """End every process of the group, if any is left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill the group, wait for its leader and let go of the pipes; not to be cancelled."""
        with anyio.CancelScope(shield=True):
            self.kill()
            await self.wait()
            self._transport.close()


async def run(
    command: Sequence[str], stdin: bytes, *, cwd: str, environ: Mapping[str, str]
) -> Finished:
    """Run a command to its end; then, and on cancellation, its whole process group is killed.

    Raises:
        HookError: where it cannot be started, prints more than ``MOST_OUTPUT``, or leaves a
            process behind that got away from its group and holds the pipes.
    """
    group = await start(command, cwd=cwd, environ=environ)
    out, err = _Output(group), _Output(group)
    tasks = [
        asyncio.ensure_future(work)
        for work in (out.read(group.stdout), err.read(group.stderr), _feed(group, stdin))
    ]
    try:
        code = await group.wait()
        # What it left behind in its group may hold the pipes: reading would not come to an end.
        group.kill()
        # Not for the feeding: a hook may answer without having read its input.
        _, reading = await asyncio.wait(tasks[:2], timeout=_LAST_WORDS)
        if out.too_much or err.too_much:
            raise HookError(f"it printed more than {MOST_OUTPUT} bytes")
        if reading:
            raise HookError("it ended, but left a process behind that holds its output open")
        return Finished(code, bytes(out.data), bytes(err.data))
    finally:
        for task in tasks:
            task.cancel()
        await group.end()


async def start(
    command: Sequence[str], *, cwd: str, environ: Mapping[str, str], stderr: int | None = None
) -> Group:
    """Start a command with pipes, in a new session (so that its group can be killed)."""
    options: dict[str, Any] = {
        "stdin": asyncio.subprocess.PIPE,
        "stdout": asyncio.subprocess.PIPE,
        "stderr": asyncio.subprocess.PIPE if stderr is None else stderr,
        "cwd": cwd or None,
        "env": dict(environ),
        "start_new_session": True,
    }
    try:
        transport, protocol = await asyncio.get_running_loop().subprocess_exec(
            lambda: _Protocol(2 * MOST_OUTPUT), *command, **options
        )
    # A NUL in one of the words is a ValueError.
    except (OSError, ValueError) as error:
        raise HookError(
            f"{command[0]!r} could not be started in {cwd!r}: {error}",
            fix="check the hook's command in config.toml",
        ) from error
    return Group(transport, protocol)


class _Output:
    """One stream's bytes; a process that writes too many of them is ended."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self.data = bytearray()
        self.too_much = False

    async def read(self, stream: asyncio.StreamReader | None) -> None:
        """Read to the end, or to the limit."""
        while stream is not None and (chunk := await stream.read(65536)):
            self.data += chunk
            if len(self.data) > MOST_OUTPUT:
                self.too_much = True
                # Unread, its pipe fills up, and it would never end.
                self._group.kill()
                return


async def _feed(group: Group, stdin: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        group.stdin.write(stdin)
        await group.stdin.drain()
    group.stdin.close()
