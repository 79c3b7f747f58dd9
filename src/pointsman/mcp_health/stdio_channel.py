"""A server over pipes: a child in a process group of its own, which is killed in the end.

Nothing is waited for without a deadline: a child that hangs is what a probe is there to find.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from pointsman.mcp_health.channel import MOST_ANSWER, Deadline, Reply, Unanswered, message

_LAST_WORDS = 2000
_LIVE: set[subprocess.Popen[bytes]] = set()
"""The children of this process that are being asked."""
_GRACE = 0.3
"""Seconds that a child has to end by itself once its input is closed, as the protocol asks."""


class StdioChannel:
    """One child and its pipes."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
        self._number = 0
        self._name = PurePosixPath(command[0]).name
        self._in = bytearray()
        self._complaints = bytearray()
        try:
            self._child = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=dict(env), cwd=cwd or None, start_new_session=True,
                bufsize=0,
            )  # fmt: skip
        # A NUL in one of the words is a ValueError.
        except (OSError, ValueError) as error:
            what = error.strerror if isinstance(error, OSError) else str(error)
            raise Unanswered(f"{command[0]} cannot be started: {what}") from error
        _LIVE.add(self._child)
        assert self._child.stdout is not None  # noqa: S101 - pipes were asked for
        assert self._child.stderr is not None  # noqa: S101
        os.set_blocking(self._child.stdout.fileno(), False)
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._child.stdout, selectors.EVENT_READ)
        # Unread, a talkative child would fill the pipe and hang by our doing.
        self._listener = threading.Thread(target=self._listen, daemon=True, name="stdio-probe")
        self._listener.start()

    def ask(self, method: str, params: Mapping[str, Any], deadline: Deadline) -> Reply:
        """Write a request, and read lines until its answer comes."""
        self._number += 1
        self._write(message(self._number, method, params), deadline)
        while True:
            line = self._line(deadline)
            with contextlib.suppress(ValueError, RecursionError):
                found = json.loads(line)
                # What else it says is a request of its own, a notification, or no message at all.
                if isinstance(found, Mapping) and found.get("id") == self._number:
                    return Reply(200, {}, found)

    def tell(self, method: str, deadline: Deadline) -> Reply:
        """Write a notification."""
        self._write(message(None, method, {}), deadline)
        return Reply(202)

    def close(self) -> None:
        """Close its input, and kill its whole group whatever it makes of that."""
        with contextlib.suppress(OSError, ValueError):
            if self._child.stdin is not None:
                self._child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(_GRACE)
        _kill(self._child)
        self._child.wait()
        _LIVE.discard(self._child)
        self._ready.close()
        with contextlib.suppress(OSError, ValueError):
            if self._child.stdout is not None:
                self._child.stdout.close()

    def _write(self, said: Mapping[str, Any], deadline: Deadline) -> None:
        # A request fits a pipe's buffer: nothing blocks here, even if nobody reads.
        data = json.dumps(said).encode() + b"\n"
        try:
            assert self._child.stdin is not None  # noqa: S101 - a pipe was asked for
            self._child.stdin.write(data)
        except (OSError, ValueError):
            raise self._ended(deadline) from None

    def _line(self, deadline: Deadline) -> bytes:
        end = self._in.find(b"\n")
        while end < 0:
            if not self._ready.select(deadline.left()):
                name = self._name
                said = self._said()
                raise Unanswered(f"{name} runs and does not answer{said}", late=True)
            assert self._child.stdout is not None  # noqa: S101 - a pipe was asked for
            chunk = self._child.stdout.read(65536)
            if chunk == b"":
                raise self._ended(deadline)
            chunk = chunk or b""
            at = chunk.find(b"\n")
            end = len(self._in) + at if at >= 0 else -1
            self._in += chunk
            if len(self._in) > MOST_ANSWER:
                raise Unanswered(f"it says more than {MOST_ANSWER} bytes in one line")
        line = bytes(self._in[:end])
        del self._in[: end + 1]
        return line

    def _ended(self, deadline: Deadline) -> Unanswered:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(min(_GRACE, deadline.left()))
        self._listener.join(min(_GRACE, deadline.left()))
        code = self._child.poll()
        how = "closed its output" if code is None else f"ended with {code}"
        return Unanswered(f"the child {how}{self._said()}")

    def _said(self) -> str:
        last = bytes(self._complaints).decode("utf-8", "replace").strip().splitlines()
        return f"; its last words: {last[-1].strip()[:200]}" if last else ""

    def _listen(self) -> None:
        stream = self._child.stderr
        assert stream is not None  # noqa: S101 - a pipe was asked for
        with contextlib.suppress(OSError, ValueError), stream:
            while chunk := stream.read(4096):
                self._complaints += chunk
                del self._complaints[:-_LAST_WORDS]


def end_all() -> None:
    """Kill every child that is being asked: the process that asks is at its end."""
    for child in tuple(_LIVE):
        _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
