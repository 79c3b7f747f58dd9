"""A language server's process: a group of its own that can be ended for good."""

import asyncio
import asyncio.subprocess
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio

from pointsman.lsp.frames import MOST_HEADER
from pointsman.model.errors import ServerError

_MOST_STDERR = 4 * 1024
"""Bytes of the last that a server wrote to stderr, kept to say why it ended."""
_LAST_WORDS = 0.2
"""Seconds in which the stderr of a process that has ended must be read to its end."""

_KEPT = frozenset((
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SHELL",
    "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "GOPATH", "GOROOT", "GOMODCACHE", "GOCACHE", "CARGO_HOME", "RUSTUP_HOME",
))  # fmt: skip
_SET = {
    # Nothing is downloaded because a file was looked at: each tool's own word for it.
    "npm_config_offline": "true",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "GOFLAGS": "-mod=readonly",
    "CARGO_NET_OFFLINE": "true",
    "RUSTUP_AUTO_INSTALL": "0",
    "NO_COLOR": "1",
}


def environ_for(environ: Mapping[str, str]) -> dict[str, str]:
    """Return a server's environment: what programs need, and none of the user's secrets."""
    return {name: value for name, value in environ.items() if name in _KEPT} | _SET


class Guard:
    """Tells the guard's process which groups there are; starts it with the first."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._groups: set[int] = set()

    def add(self, group: int) -> None:
        """Have a group killed when this process is gone."""
        if self._child is None or self._child.poll() is not None:
            self._start()
        self._groups.add(group)
        self._say(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Forget a group, before its number may be another's."""
        self._groups.discard(group)
        self._say(f"-{group}\n")

    def close(self) -> None:
        """End the guard's process, and with it what is left."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(OSError):
                if child.stdin is not None:
                    child.stdin.close()
            child.wait()

    def _start(self) -> None:
        if self._child is not None and self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        # One that was killed is followed by one that knows as much.
        for group in self._groups:
            self._say(f"+{group}\n")

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.write(line.encode())
                self._child.stdin.flush()


class _Protocol(asyncio.subprocess.SubprocessStreamProtocol):
    """Says when the process has ended, though its pipes may be held, or full of what is unread."""

    def __init__(self) -> None:
        super().__init__(limit=MOST_HEADER, loop=asyncio.get_running_loop())
        self.gone = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.gone.set()


class ServerProcess:
    """One started server."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, protocol: _Protocol, guard: Guard
    ) -> None:
        self._transport = transport
        self._protocol = protocol
        self._guard = guard
        self._words = bytearray()
        self.pid = transport.get_pid()
        guard.add(self.pid)
        self._listening = asyncio.ensure_future(self._listen())

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

    def last_words(self) -> str:
        """Return the last line that it wrote to stderr, at most 200 characters."""
        lines = self._words.decode(errors="replace").strip().splitlines()
        return lines[-1].strip()[:200] if lines else ""

    def kill(self) -> None:
        """End every process of the group, if any is left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def end(self, patience: float = 0.0) -> str:
        """Kill the group, and say how its leader ended; not to be cancelled.

        ``patience`` are the seconds in which it may end by itself: a code says more than ours.
        """
        gone = self._protocol.gone
        with anyio.CancelScope(shield=True):
            if patience and not gone.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(gone.wait(), patience)
            by_itself = gone.is_set()
            self.kill()
            await gone.wait()
            self._guard.remove(self.pid)
            # Whoever got away from the group may hold stderr open.
            await asyncio.wait([self._listening], timeout=_LAST_WORDS)
            self._listening.cancel()
            self._transport.close()
        code = self._transport.get_returncode() or 0
        if not by_itself:
            return "it closed its output"
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        said = self.last_words()
        return f"{how}: {said}" if said else how

    async def _listen(self) -> None:
        stream = self._protocol.stderr
        while stream is not None and (data := await stream.read(4096)):
            self._words += data
            del self._words[:-_MOST_STDERR]


async def start(
    command: Sequence[str], root: str, environ: Mapping[str, str], guard: Guard
) -> ServerProcess:
    """Start a server with pipes, in a new session, at the root of a repository.

    Raises:
        ServerError: it cannot be started.
    """
    options: dict[str, Any] = {
        "stdin": asyncio.subprocess.PIPE,
        "stdout": asyncio.subprocess.PIPE,
        "stderr": asyncio.subprocess.PIPE,
        "cwd": root,
        "env": dict(environ),
        "start_new_session": True,
    }
    try:
        transport, protocol = await asyncio.get_running_loop().subprocess_exec(
            _Protocol, *command, **options
        )
    except OSError as error:
        raise ServerError(f"{command[0]} could not be started: {error}") from error
    return ServerProcess(transport, protocol, guard)


def group_memory(groups: Collection[int], proc: str = "/proc") -> dict[int, int]:
    """Return the resident bytes of process groups; of none where there is no /proc."""
    resident: dict[int, int] = {}
    try:
        numbers = [name for name in os.listdir(proc) if name.isdigit()] if groups else []
    except OSError:
        return {}
    for number in numbers:
        try:
            # The name, in parentheses, may itself hold spaces and parentheses (proc(5), stat).
            fields = Path(proc, number, "stat").read_bytes().rpartition(b")")[2].split()
            # After the name: state, parent, group; the resident pages are the 22nd.
            group, pages = int(fields[2]), int(fields[21])
        except (OSError, ValueError, IndexError):
            continue
        if group in groups:
            resident[group] = resident.get(group, 0) + pages * _PAGE
    return resident


_PAGE = os.sysconf("SC_PAGE_SIZE")
