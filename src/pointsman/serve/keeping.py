"""What the daemon does for its ledger beside the events: signing, sending, taking older rows in."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.model.places import Places
from pointsman.store.anchors import Anchors
from pointsman.store.beside import Beside, beside_file
from pointsman.store.checkpoints import Checkpoint, stored
from pointsman.store.ledger import Ledger
from pointsman.store.query import opened
from pointsman.store.sealing import EVERY, Sealing, key_file
from pointsman.store.signing import Keys

_SECONDS = 60.0
_SLICES = 50
_ROWS = 100
"""Rows in one slice: about two milliseconds in which nobody is answered."""
_BETWEEN = 0.005
_AT_THE_END = 2.0
_MOST_MISSED = 1000

Settings = Callable[[], Mapping[str, Any]]
Report = Callable[[str, str], None]


class Keeping:
    """Keeps one ledger; its settings are read again with each tick, the key's place is not."""

    def __init__(self, places: Places, settings: Settings, held: Callable[[], bool]) -> None:
        self._settings = settings
        self._newest: Checkpoint | None = None
        self._fault = ""
        self._ready = False
        said = settings()
        self.keys = Keys(Path(said.get("key") or key_file(places.ledger)))
        self._anchors = Anchors(places.state / "sinks.json", self.keys, places.ledger)
        self._beside = Beside(beside_file(places.ledger))
        every = said.get("checkpoint_records", EVERY)
        self.sealing = Sealing(self.keys, self._beside.path, every, sent=self._sent)
        self.ledger = Ledger.open(places.ledger, held=held, sealing=self.sealing)

    def _sent(self, checkpoint: Checkpoint) -> None:
        self._newest = checkpoint
        self._beside.write(checkpoint)
        self._anchors.give(checkpoint)

    async def tick(self, report: Report) -> None:
        """Do what is due; a fault is told once until it changes, and stops nothing else."""
        said = self._settings()
        fault = ""
        try:
            if not self._ready:
                # The first time it loads the library: not while somebody waits.
                await asyncio.to_thread(self.keys.signer)
                self._ready = True
            if self.keys.put_back():
                report("ledger key put back", f"{self.keys.path} was gone; it is there again")
            self.sealing.every = said.get("checkpoint_records", EVERY)
            self.ledger.seal_within(said.get("checkpoint_seconds", _SECONDS))
        except LedgerError as error:
            fault = f"{error}; {error.fix}"
        if fault and fault != self._fault:
            report("no checkpoint", fault)
        self._fault = fault
        for kind, text in self._anchors.tend(said.get("sinks", ()), self._since):
            report(kind, text)
        await self._take_in()

    async def _take_in(self) -> None:
        for _ in range(_SLICES):
            if not self.ledger.adopt(_ROWS) and not self.ledger.recount(_ROWS):
                return
            await asyncio.sleep(_BETWEEN)

    def _since(self, seq: int) -> Iterable[Checkpoint]:
        # One that has got none yet begins with the newest: it vouches for all before it.
        if seq:
            with opened(self.ledger.path) as connection:
                return list(deque(stored(connection, seq), _MOST_MISSED))
        return [self._newest] if self._newest else []

    def status(self) -> dict[str, Any]:
        """Return what ``pointsman status`` shows of it."""
        newest = self._newest
        return {
            "checkpoint": newest.seq if newest else None,
            "signed": newest.tree_size if newest else 0,
            "fault": self._fault,
            "sinks": self._anchors.status(),
        }

    def put_back_key(self) -> None:
        """Leave the key where the next daemon looks for it, if none is there."""
        with contextlib.suppress(LedgerError):
            self.keys.put_back()

    def close(self) -> None:
        """Close the ledger, and give the sinks a moment for its last checkpoint."""
        self.ledger.close()
        self._anchors.close(_AT_THE_END)
