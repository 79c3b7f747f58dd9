"""A command that a contract declares: run in a group of its own, ended at its deadline."""

import asyncio
import contextlib
import subprocess
import time
from collections import deque
from collections.abc import Sequence

from pointsman.model.errors import HookError
from pointsman.model.ran import Ran
from pointsman.workers import process
from pointsman.workers.executable import base_environ

_KEPT = 16 * 1024
"""Bytes of the end of the output that are kept; a test suite may print without end."""

_LAST_WORDS = 0.2
"""Seconds in which the output of a command that has ended must be read to its end."""


async def run_command(command: Sequence[str], cwd: str, seconds: float) -> Ran:
    """Run a command for so many seconds at the most; its whole group is killed afterwards."""
    started = time.monotonic()
    try:
        group = await process.start(
            command, cwd=cwd, environ=base_environ(), stderr=subprocess.STDOUT
        )
    except HookError as error:
        return Ran(None, problem=str(error))
    tail = _Tail()
    reading = asyncio.ensure_future(tail.read(group.stdout))
    code: int | None = None
    try:
        # It reads nothing: a command that waits for a person must not wait until its deadline.
        group.stdin.close()
        with contextlib.suppress(TimeoutError):
            code = await asyncio.wait_for(group.wait(), seconds)
        group.kill()
        await asyncio.wait([reading], timeout=_LAST_WORDS)
    finally:
        reading.cancel()
        await group.end()
    took = time.monotonic() - started
    problem = "" if code is not None else f"it was killed after {seconds:.1f} s"
    return Ran(code, tail.text(), took, problem)


class _Tail:
    """The end of what a command prints; the rest is read and dropped."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0

    async def read(self, stream: asyncio.StreamReader) -> None:
        """Read to the end."""
        while chunk := await stream.read(65536):
            self._chunks.append(chunk)
            self._size += len(chunk)
            while self._size - len(self._chunks[0]) >= _KEPT:
                self._size -= len(self._chunks.popleft())

    def text(self) -> str:
        """Return the last bytes, as text."""
        return b"".join(self._chunks)[-_KEPT:].decode(errors="replace")
