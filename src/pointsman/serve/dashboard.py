"""The dashboard's door: a listening socket, and a process that serves it while somebody looks.

The daemon answers no page: it holds the socket, starts a child of its own (``pointsman.web``) when
the first browser knocks, and takes the door back when that child has had nothing to do for a while.
So nothing is loaded where nobody looks, and no page can delay an agent's answer.
"""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pointsman.model.places import Places
from pointsman.model.policy import Policy

_HOST = "127.0.0.1"
_TRIES, _BETWEEN = 20, 0.1
"""How often the port of last time is tried: the child of an older daemon may still let go of it."""
_AGAIN = 5.0
"""Seconds before a child that failed is followed by another one."""
_LOOK = 0.2
_ENDS_WITHIN = 3.0
Report = Callable[[str, str], None]


class Dashboard:
    """Holds the port, and starts and ends the process that serves it."""

    def __init__(self, places: Places, policy: Callable[[], Policy], report: Report) -> None:
        self._places = places
        self._policy = policy
        self._report = report
        self._listener: socket.socket | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._fault = ""

    def described(self) -> dict[str, Any]:
        """Return what ``status`` says: the address (null where there is none), and why."""
        port = self._listener.getsockname()[1] if self._listener else None
        return {
            "url": f"http://{_HOST}:{port}/" if port else None,
            "open": self._child is not None,
            "reason": self._fault,
        }

    async def run(self) -> None:
        """Hold the door until cancelled; a fault is reported and ends nothing else."""
        try:
            wanted = self._policy().dashboard
            if not wanted.get("enabled", True):
                self._fault = "the setting dashboard.enabled is false"
                return
            self._listener = await self._bound(int(wanted.get("port", 0)))
            self._remember()
            while True:
                await self._knock()
                await self._serve()
        except OSError as error:
            self._fault = str(error)
            self._report("dashboard failed", f"{error}; next step: pointsman up --restart")

    async def close(self) -> None:
        """End the child and let go of the port."""
        if self._listener is not None:
            self._listener.close()
        self._listener = None
        child, self._child = self._child, None
        if child is not None:
            await asyncio.to_thread(_end, child)

    async def _bound(self, port: int) -> socket.socket:
        """Return the listening socket: on the port that is set, that of last time, or a free one.

        Raises:
            OSError: the port that is set is taken, or none can be had.
        """
        tried = port or self._remembered()
        for left in reversed(range(_TRIES)):
            try:
                return _listening(tried)
            except OSError as error:
                if not left and port:
                    raise OSError(error.errno, f"port {port}: {error.strerror}") from error
            await asyncio.sleep(_BETWEEN)
        return _listening(0)

    async def _knock(self) -> None:
        """Wait until somebody connects; who does is left for the child to accept."""
        loop, knocked = asyncio.get_running_loop(), asyncio.Event()
        assert self._listener is not None  # noqa: S101 - `run` has just made it
        loop.add_reader(self._listener.fileno(), knocked.set)
        try:
            await knocked.wait()
        finally:
            if self._listener is not None:
                loop.remove_reader(self._listener.fileno())

    async def _serve(self) -> None:
        """Let a child serve until it ends."""
        # In a thread: starting a process must hold up no event.
        child = await asyncio.to_thread(self._start)
        # Looked at now and then: its end is no hurry, and needs no handler of signals.
        while child.poll() is None:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK)
        self._child = None
        _close(child)
        if child.returncode:
            words = f"its process ended with {child.returncode}: {self._last_words()}"
            self._report("dashboard failed", words)
            await asyncio.sleep(_AGAIN)

    def _start(self) -> subprocess.Popen[bytes]:
        assert self._listener is not None  # noqa: S101 - called with the door open only
        descriptor = self._listener.fileno()
        environ = {
            **os.environ,
            "POINTSMAN_STATE_DIR": str(self._places.state),
            "POINTSMAN_CONFIG_DIR": str(self._places.config),
        }
        with self._places.dashboard_log.open("wb") as log:
            # Put down here: a cancelled wait for this thread must not lose the process.
            self._child = subprocess.Popen(
                # -P: no module is taken from the state directory that it stands in.
                [sys.executable, "-P", "-m", "pointsman.web", str(descriptor)],
                # Its end tells the child that the daemon is gone, however that came about.
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=[descriptor],
                cwd=self._places.state,
                env=environ,
                start_new_session=True,
            )
        return self._child

    def _last_words(self) -> str:
        try:
            text = self._places.dashboard_log.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return str(error)
        return " / ".join(text.strip().splitlines()[-2:])[:500] or "it said nothing"

    def _remember(self) -> None:
        """Write the address down, for people, and for the next daemon to take the same one."""
        text = json.dumps({**self.described(), "pid": os.getpid()})
        with contextlib.suppress(OSError):
            self._places.dashboard.write_text(text, encoding="utf-8")

    def _remembered(self) -> int:
        return port_in(self._places.dashboard)


def port_in(path: Path) -> int:
    """Return the port that a daemon wrote down, 0 where none did."""
    try:
        url = json.loads(path.read_text(encoding="utf-8"))["url"]
        return int(url.rstrip("/").rpartition(":")[2])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(64)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _close(child: "subprocess.Popen[bytes]") -> None:
    if child.stdin is not None:
        child.stdin.close()


def _end(child: "subprocess.Popen[bytes]") -> None:
    _close(child)
    child.terminate()
    try:
        child.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
