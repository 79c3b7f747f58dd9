"""Sending checkpoints off: one thread for each sink, none of which anybody waits for."""

import contextlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.store.checkpoints import Checkpoint
from pointsman.store.signing import Keys
from pointsman.store.sinks import send

_MOST_WAITING = 1000
_LONGEST_PAUSE = 300.0
_AT_ONCE = 200


class Anchor:
    """One sink: what waits for it, and what became of what was sent."""

    def __init__(
        self, sink: Mapping[str, str], keys: Keys, synced: Callable[[], None], sent: int = 0
    ) -> None:
        self.name = f"{sink['kind']} {sink['to']}"
        self.sent = sent
        """The number of the newest checkpoint that is there."""
        self.fault = ""
        self.left_out = 0
        self._said: list[tuple[str, str]] = []
        self._sink, self._keys, self._synced = sink, keys, synced
        self._waiting: deque[Checkpoint] = deque()
        self._failures = self._size = 0
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=self.name)
        self._thread.start()

    def give(self, checkpoint: Checkpoint) -> None:
        """Take one to be sent; where too many wait the oldest goes: a newer one vouches for it."""
        # A commit for each quiet minute would bury the others.
        if self._sink["kind"] == "git-note" and checkpoint.tree_size == self._size:
            return
        self._size = checkpoint.tree_size
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            self.left_out += 1
        self._waiting.append(checkpoint)
        self._wake.set()

    def drain(self) -> list[tuple[str, str]]:
        """Return what there is to report since the last time: kind and text."""
        said, self._said = self._said, []
        return said

    def status(self) -> dict[str, Any]:
        """Return what ``pointsman status`` shows."""
        return {
            "sink": self.name,
            "sent": self.sent,
            "waiting": len(self._waiting),
            "left_out": self.left_out,
            "fault": self.fault,
        }

    def close(self, within: float) -> None:
        """End, once what waits is sent or this many seconds have passed."""
        self._ended.set()
        self._wake.set()
        self._thread.join(within)

    def _run(self) -> None:
        while True:
            if self._failures:
                self._ended.wait(min(2.0**self._failures, _LONGEST_PAUSE))
            else:
                self._wake.wait()
            self._wake.clear()
            self._send_all()
            if self._ended.is_set():
                return

    def _send_all(self) -> None:
        while self._waiting:
            batch = tuple(self._waiting.copy())[:_AT_ONCE]
            fault = self._sent_off(batch)
            if fault:
                self._failures += 1
                if fault != self.fault:
                    self._said.append(("checkpoints not sent", f"{self.name}: {fault}"))
                self.fault = fault
                return
            # By number: some may have been left out meanwhile to make room.
            while self._waiting and self._waiting[0].seq <= batch[-1].seq:
                self._waiting.popleft()
            if self.fault:
                self._said.append(("checkpoints sent again", f"{self.name} takes them again"))
            self.sent, self.fault, self._failures = batch[-1].seq, "", 0

    def _sent_off(self, batch: Sequence[Checkpoint]) -> str:
        try:
            # First to our own disk: what was vouched for elsewhere must not be lost here.
            self._synced()
            return send(self._sink, batch, self._keys.signer())
        except (OSError, LedgerError) as error:
            return str(error)


class Anchors:
    """All sinks of a ledger; which have got how far is kept in a file."""

    def __init__(self, file: Path, keys: Keys, ledger: Path) -> None:
        self._file, self._keys, self._ledger = file, keys, ledger
        self._anchors: list[Anchor] = []
        self._sinks: list[Mapping[str, str]] = []
        self._kept: dict[str, int] = {}

    def give(self, checkpoint: Checkpoint) -> None:
        """Hand a checkpoint to every sink; returns at once."""
        for anchor in self._anchors:
            anchor.give(checkpoint)

    def tend(
        self, sinks: Sequence[Mapping[str, str]], since: Callable[[int], Iterable[Checkpoint]]
    ) -> list[tuple[str, str]]:
        """Go by the settings, keep how far each sink is; return what there is to report.

        ``since`` gives the checkpoints behind a number, for a sink that has missed some.
        """
        if list(sinks) != self._sinks:
            self.close(0.0)
            self._sinks = list(sinks)
            known = self._read()
            self._anchors = [self._begun(sink, known, since) for sink in sinks]
        self._keep()
        return [said for anchor in self._anchors for said in anchor.drain()]

    def status(self) -> list[dict[str, Any]]:
        """Return what ``pointsman status`` shows."""
        return [anchor.status() for anchor in self._anchors]

    def close(self, within: float) -> None:
        """End all threads; together they have this many seconds for what still waits."""
        deadline = time.monotonic() + within
        for anchor in self._anchors:
            anchor.close(max(deadline - time.monotonic(), 0.0))
        self._keep()

    def _begun(
        self,
        sink: Mapping[str, str],
        known: Mapping[str, Any],
        since: Callable[[int], Iterable[Checkpoint]],
    ) -> Anchor:
        name = f"{sink['kind']} {sink['to']}"
        sent = known.get(name, 0)
        anchor = Anchor(sink, self._keys, self._synced, sent if type(sent) is int else 0)
        for checkpoint in deque(since(anchor.sent), _MOST_WAITING):
            anchor.give(checkpoint)
        return anchor

    def _synced(self) -> None:
        for file in (self._ledger, Path(f"{self._ledger}-wal")):
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _keep(self) -> None:
        now = {anchor.name: anchor.sent for anchor in self._anchors}
        if not now or now == self._kept:
            return
        temporary = self._file.with_name(f".{self._file.name}.new")
        with contextlib.suppress(OSError):  # What is sent twice does no harm.
            temporary.write_text(json.dumps(now), encoding="utf-8")
            temporary.replace(self._file)
            self._kept = now
