"""A child process in a group of its own, which can be ended for good."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pointsman.model.errors import HookError

MOST_OUTPUT = 1024 * 1024
"""Bytes read from a hook's stdout or stderr; more is an unreadable answer."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended. A negative code is the signal that ended it."""

    code: int
    stdout: bytes
    stderr: bytes


async def run(
    command: Sequence[str], stdin: bytes, *, cwd: str, environ: Mapping[str, str]
) -> Finished:
    """Run a command to its end; on cancellation its whole process group is killed.

    Raises:
        HookError: where it cannot be started or prints more than ``MOST_OUTPUT``.
    """
    process = await start(command, cwd=cwd, environ=environ)
    try:
        code, stdout, stderr = await asyncio.gather(
            _feed(process, stdin), _drain(process.stdout), _drain(process.stderr)
        )
        return Finished(code, stdout, stderr)
    finally:
        kill_group(process.pid)
        await asyncio.shield(process.wait())


async def start(
    command: Sequence[str], *, cwd: str, environ: Mapping[str, str], stderr: int | None = None
) -> asyncio.subprocess.Process:
    """Start a command with pipes, in a new session (so that its group can be killed)."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if stderr is None else stderr,
            cwd=cwd or None,
            env=dict(environ),
            start_new_session=True,
            limit=16 * MOST_OUTPUT,
        )
    except (OSError, ValueError) as error:
        raise HookError(
            f"{command[0]!r} could not be started in {cwd!r}: {error}",
            fix="check the hook's command in config.toml",
        ) from error


def kill_group(pid: int) -> None:
    """End every process of the group that this process leads, if any is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> int:
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()
    return await process.wait()


async def _drain(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None  # noqa: S101 - a pipe was asked for
    data = bytearray()
    while chunk := await stream.read(65536):
        data += chunk
        if len(data) > MOST_OUTPUT:
            raise HookError(f"it printed more than {MOST_OUTPUT} bytes")
    return bytes(data)
