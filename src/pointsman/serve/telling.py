"""Sends what is in the outbox: one process for each sink at a time, killed when it is late.

Nothing here is on an agent's way, and a sink that fails costs no alert: it waits on disk.
"""

import asyncio
import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.alerts.sinks.message import message_of
from pointsman.model.alert import Severity
from pointsman.model.alerting import Change, State
from pointsman.model.errors import AlertError
from pointsman.store.outbox import Outbox, Parcel

WITHIN = 30.0
"""Seconds that one process has for its messages."""
_AT_ONCE = 10
_MOST_SECRET = 64 * 1024
_SWEEP = 60.0
_DROPPED = ("ANTHROPIC_", "OPENAI_", "AWS_SECRET", "GITHUB_TOKEN", "CLAUDE_CODE_MESSAGING")

Report = Callable[[str, str], None]
Sinks = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _State:
    fault: str = ""
    sent: int = 0
    task: asyncio.Task[None] | None = None
    process: subprocess.Popen[bytes] | None = None


class Telling:
    """Every sink of the settings."""

    def __init__(
        self,
        outbox: Outbox,
        report: Report,
        cover: Callable[[str], str],
        within: float = WITHIN,
    ) -> None:
        self._outbox = outbox
        self._report = report
        self._cover = cover
        self._within = within
        self._states: dict[str, _State] = {}
        self._swept = 0.0
        self._closed = False

    def put(self, change: Change, sinks: Sinks) -> None:
        """Take a change to whom it concerns."""
        alert = change.alert
        # Good news and warnings wait for the morning.
        quiet = alert.severity is Severity.WARNING or alert.state is State.RECOVERED
        message = message_of(change)
        for sink in sinks:
            name = sink["name"]
            asked = name in change.sinks if change.sinks else not sink.get("only_ladder")
            serious = alert.severity is Severity.CRITICAL or sink.get("least") != "critical"
            if asked and (serious or change.sinks):
                self._outbox.put(name, change.number, message, change.ns, quiet=quiet)

    def tick(self, sinks: Sinks, *, quiet: bool) -> None:
        """Start what is due."""
        now = time.time_ns()
        if time.monotonic() - self._swept > _SWEEP or not self._swept:
            self._swept = time.monotonic()
            lost = self._outbox.sweep(tuple(sink["name"] for sink in sinks), now)
            if lost:
                self._report("alerts untold", f"{lost} messages were a day old and are given up")
        for sink in sinks:
            state = self._states.setdefault(sink["name"], _State())
            if state.task is not None:
                continue
            parcels = self._outbox.due(sink["name"], now, _AT_ONCE, quiet=quiet)
            if parcels:
                state.task = asyncio.ensure_future(self._send(sink, state, parcels))

    async def _send(self, sink: Mapping[str, Any], state: _State, parcels: list[Parcel]) -> None:
        try:
            sent, fault = await asyncio.to_thread(self._carry, sink, state, parcels)
            for parcel in parcels[:sent]:
                self._outbox.sent(parcel.number)
            state.sent += sent
            if fault and self._closed:
                return  # It was ended by us; the next daemon tries again.
            if fault:
                self._outbox.failed(parcels[min(sent, len(parcels) - 1)], time.time_ns())
            self._say(sink["name"], state, fault)
        except AlertError as error:
            self._say(sink["name"], state, str(error))
        finally:
            state.task = None

    def _say(self, name: str, state: _State, fault: str) -> None:
        """Note a fault once until it changes, and that it is over."""
        fault = self._cover(fault)[:500]
        if fault and fault != state.fault:
            self._report("alert sink failed", f"{name}: {fault}; what it was to be told waits")
        elif state.fault and not fault:
            self._report("alert sink works", f"{name} takes what it is told again")
        state.fault = fault

    def _carry(
        self, sink: Mapping[str, Any], state: _State, parcels: list[Parcel]
    ) -> tuple[int, str]:
        """Let a process send some messages; return how many arrived, and why the next did not."""
        given, fault = _given(sink)
        if fault:
            return 0, fault
        job = json.dumps({"sink": given, "messages": [dict(each.body) for each in parcels]})
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-m", "pointsman.alerts.courier"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=_environ(), cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return 0, f"no process could be started: {error}"
        state.process = process
        if self._closed:
            _kill(process)  # It was started while the daemon began to end.
        late = ""
        try:
            out, _ = process.communicate(job.encode(), timeout=self._within)
        except subprocess.TimeoutExpired:
            late = f"not done within {self._within:g} seconds"
            _kill(process)
            out, _ = process.communicate()
        finally:
            # Whatever it has left behind in its group goes with it.
            _kill(process)
            state.process = None
        return _read(out, late or f"its process ended with {process.returncode}", len(parcels))

    def status(self, sinks: Sinks) -> list[dict[str, Any]]:
        """Return what ``pointsman status`` shows of each sink."""
        rows = []
        for sink in sinks:
            state = self._states.get(sink["name"], _State())
            name = sink["name"]
            rows.append({
                "name": name, "kind": sink["kind"], "sent": state.sent, "fault": state.fault,
                "waiting": self._outbox.waiting(name), "lost": self._outbox.lost(name),
            })  # fmt: skip
        return rows

    async def close(self) -> None:
        """End what is under way; what has not arrived waits for the next daemon."""
        self._closed = True
        tasks = [state.task for state in self._states.values() if state.task is not None]
        for state in self._states.values():
            if state.process is not None:
                _kill(state.process)
        if tasks:
            await asyncio.wait(tasks, timeout=5)


def _given(sink: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return what a sender is given, its files read, and what is wrong with them."""
    given = {key: value for key, value in sink.items() if isinstance(value, str)}
    for key, name in (("secret_file", "secret"), ("to_file", "to")):
        if key not in given:
            continue
        try:
            given[name] = _secret(Path(given[key]))
        except (OSError, ValueError) as error:
            return {}, f"{key} {given[key]}: {getattr(error, 'strerror', None) or error}"
    return given, ""


def _secret(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - of what was opened, not of the name
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no file")
        if found.st_mode & 0o077:
            raise ValueError("others may read it: chmod 600")
        return file.read(_MOST_SECRET).decode("utf-8", "replace").strip()


def _environ() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(_DROPPED)}


def _read(out: bytes, otherwise: str, count: int) -> tuple[int, str]:
    sent, fault = 0, ""
    for line in out.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # Something that foreign code has printed.
        if isinstance(said, dict):
            sent += "sent" in said
            fault = str(said.get("fault", fault))
    sent = min(sent, count)
    return sent, fault or ("" if sent == count else otherwise)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
