"""The daemon's side of the relay: a process that sends the record out and takes telemetry in.

It is a child, so that no collector, however it behaves, shares an interpreter with what answers
agents. It runs only where the settings name something for it to do; it reads the ledger on a
connection of its own, and what it has to say it says in lines that the daemon puts on record.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pointsman.model.places import Places
from pointsman.model.policy import Policy

_LOOK = 0.5
_AGAIN = 5.0
"""Seconds before a child that failed is followed by another one."""
_ENDS_WITHIN = 1.0
_STEADY = 60.0
"""Seconds after which a child that runs has got over what was wrong with the one before it."""
_MOST_READ = 64 * 1024
_MOST_SAID = 1000
Report = Callable[[str, str], None]


def is_wanted(settings: Mapping[str, Any]) -> bool:
    """Whether there is anything for the relay to do."""
    return any(settings.get(name) for name in ("sinks", "prometheus", "receive"))


class Relay:
    """Starts the relay's process, ends it, and starts it anew when the settings change."""

    def __init__(self, places: Places, policy: Callable[[], Policy], report: Report) -> None:
        self._places = places
        self._policy = policy
        self._report = report
        self._child: subprocess.Popen[bytes] | None = None
        self._given: Mapping[str, Any] = {}
        self._rest = b""
        self._not_before = 0.0
        self._fault = ""
        self._said = ""
        self._started = 0.0

    def described(self) -> dict[str, Any]:
        """Return what ``status`` says: where it listens, and how far each stream has come."""
        found = _read(self._places.telemetry) if is_wanted(self._given) else {}
        known, active = _table(found.get("streams")), found.get("active")
        listening = _table(found.get("listening"))
        return {
            "running": self._child is not None,
            "url": listening.get("url"),
            "reason": self._fault or str(listening.get("fault") or ""),
            "streams": {
                name: {key: each.get(key) for key in _SHOWN}
                for name in (active if isinstance(active, list) else ())
                if isinstance(each := known.get(name), dict)
            },
        }

    async def run(self) -> None:
        """Keep the process that the settings ask for, until cancelled."""
        while True:
            try:
                await self._tend()
            except OSError as error:
                self._failed(str(error))
            await asyncio.sleep(_LOOK)

    async def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            await asyncio.to_thread(_end, child)
            self._take(child)

    async def _tend(self) -> None:
        wanted = dict(self._policy().telemetry)
        if self._child is not None:
            self._take(self._child)
            if time.monotonic() - self._started > _STEADY:
                self._said = ""
            if self._child.poll() is not None:
                self._gone(self._child)
            elif wanted != self._given:
                await self.close()
        due = self._child is None and time.monotonic() >= self._not_before
        if due and is_wanted(wanted):
            self._given, self._rest = wanted, b""
            # In a thread: starting a process must hold up no event.
            await asyncio.to_thread(self._start, wanted)
            self._fault, self._started = "", time.monotonic()
        elif self._child is None:
            self._given = wanted

    def _gone(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = None
        _close(child)
        self._failed(f"its process ended with {child.returncode}: {self._last_words()}")

    def _failed(self, why: str) -> None:
        self._not_before = time.monotonic() + _AGAIN
        if why != self._said:
            self._report("telemetry failed", why)
        self._fault = self._said = why

    def _start(self, wanted: Mapping[str, Any]) -> None:
        environ = {
            **os.environ,
            "POINTSMAN_STATE_DIR": str(self._places.state),
            "POINTSMAN_CONFIG_DIR": str(self._places.config),
        }
        with self._places.telemetry_log.open("wb") as log:
            # Put down here: a cancelled wait for this thread must not lose the process.
            self._child = subprocess.Popen(
                # -P: no module is taken from the state directory that it stands in.
                [sys.executable, "-P", "-m", "pointsman.relay"],
                # Settings first; its end tells the child that the daemon is gone.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._places.state,
                env=environ,
                start_new_session=True,
            )
        assert self._child.stdin is not None  # noqa: S101 - just asked for
        assert self._child.stdout is not None  # noqa: S101
        os.set_blocking(self._child.stdout.fileno(), False)
        self._child.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._child.stdin.flush()

    def _take(self, child: "subprocess.Popen[bytes]") -> None:
        """Put on record what the child has said since the last time."""
        if child.stdout is None or child.stdout.closed:
            return
        try:
            data = self._rest + (os.read(child.stdout.fileno(), _MOST_READ) or b"")
        except BlockingIOError:
            return
        *lines, self._rest = data.split(b"\n")
        self._rest = self._rest[:_MOST_READ]
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                self._report(str(said["kind"])[:60], str(said["text"])[:_MOST_SAID])

    def _last_words(self) -> str:
        try:
            text = self._places.telemetry_log.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return str(error)
        return " / ".join(text.strip().splitlines()[-2:])[:500] or "it said nothing"


_SHOWN = ("sent", "waiting", "lost", "rejected", "fault")


def _read(path: Path) -> dict[str, Any]:
    try:
        return _table(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _close(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        if child.stdin is not None:
            child.stdin.close()
    if child.poll() is not None and child.stdout is not None:
        child.stdout.close()


def _end(child: "subprocess.Popen[bytes]") -> None:
    # At once, whatever it waits for: how far it has come is written down after each batch, and the
    # next daemon, which an agent may wait for, waits for the end of this one.
    _close(child)
    child.terminate()
    try:
        child.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
