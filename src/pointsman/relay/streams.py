"""Streams: one thread for each signal of each sink, none of which waits for another.

A stream reads the ledger from where it was on, hands a batch to its sink, and writes down how far
it has come only when that has taken it. So what waits is in the ledger, and nothing else has to
hold it; what retention removed meanwhile is counted as lost.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pointsman.model.errors import LedgerError
from pointsman.model.telemetry import Batch
from pointsman.relay.progress import Position, Progress
from pointsman.relay.tally import Tally
from pointsman.store import follow, follow_usage
from pointsman.store.query import opened
from pointsman.telemetry.all_sinks import KINDS
from pointsman.telemetry.post import NotDelivered, Rejected
from pointsman.telemetry.sink import CHATS, TRACES, Reject, Sink

POLL_S = 0.5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_LONGEST_ASKED = 300.0
_MOST_REJECTED = 10
"""Events in a row that are left out: if not one is taken, it is not the events that are odd."""
Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class World:
    """What streams share: the ledger, how far each is, how to put a word on record."""

    ledger: Path
    progress: Progress
    say: Say
    backfill_s: float = 3600.0
    tally: Tally | None = None


class _Source(Protocol):
    """What is followed: the chain, or the messages of models."""

    def before(self, connection: sqlite3.Connection, since_ns: int) -> int: ...

    def mark_of(self, connection: sqlite3.Connection, n: int) -> str: ...

    def waiting(self, connection: sqlite3.Connection, after: int) -> int: ...


class Stream:
    """Sends one signal to one sink, until it is ended."""

    def __init__(self, sink: Sink, signal: str, world: World, most: int = follow.MOST) -> None:
        self.name = f"{sink.name}/{signal}"
        self.position: Position = world.progress.of(self.name)
        self._sink, self._signal, self._world = sink, signal, world
        self._deliver = KINDS[sink.kind].deliver
        self._source: _Source = follow_usage if signal == CHATS else follow
        self._follower = self._begun()
        self._most = self._size = most
        self._in_a_row = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=self.name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End after what is under way."""
        self._ended.set()

    def join(self, within: float) -> None:
        """Wait for the end."""
        self._thread.join(within)

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            try:
                pause = self.turn()
            except Exception as error:  # noqa: BLE001 - the edge of a thread: it goes on, and says so
                pause = self._failed(f"{type(error).__name__}: {error}"[:200], 0.0)

    def turn(self) -> float:
        """Send one batch; return after how many seconds the next one is due."""
        try:
            batch, behind = self._next()
        except (LedgerError, sqlite3.Error) as error:
            return self._failed(str(error), 0.0)
        position = self.position
        if batch.last == position.after:
            self._caught_up()
            return POLL_S
        position.waiting = behind
        try:
            if batch.entries:
                self._deliver(self._sink, self._signal, batch.entries)
        except Rejected as error:
            return self._halved(batch, str(error))
        except Reject as error:
            self._rejected(error.count, str(error))
        except (NotDelivered, OSError, ValueError) as error:
            wait = error.wait if isinstance(error, NotDelivered) else 0.0
            return self._failed(str(error) or type(error).__name__, wait)
        self._in_a_row = 0
        self._arrived(batch, batch.events)
        return 0.0

    def _next(self) -> tuple[Batch, int]:
        with opened(self._world.ledger) as connection:
            # What a payload holds need not be text.
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            position = self.position
            if not position.begun:
                since = max(0, time.time_ns() - int(self._world.backfill_s * 1e9))
                position.after = self._source.before(connection, since)
                position.mark = self._source.mark_of(connection, position.after)
                position.begun = True
            elif (
                position.after >= 0
                and self._source.mark_of(connection, position.after) != position.mark
            ):
                self._other_ledger()
            batch = self._follower.read(connection, position.after, self._size)
            return batch, self._source.waiting(connection, position.after)

    def _other_ledger(self) -> None:
        self._world.say(
            "telemetry ledger changed",
            f"{self.name}: another ledger stands in the place of the one that was followed up to "
            f"entry {self.position.after}; it is sent from its beginning, and what of the former "
            "one had not been sent is lost to this sink",
        )
        self.position.after, self.position.mark = -1, ""
        self._follower = self._begun()

    def _begun(self) -> follow.Follower | follow_usage.Follower:
        if self._signal == CHATS:
            return follow_usage.Follower()
        payloads = self._sink.wanted.payloads
        return follow.Follower(payloads=payloads, usage=self._signal == TRACES)

    def _caught_up(self) -> None:
        if self.position.waiting:
            self.position.waiting = 0
            self._world.progress.keep()

    def _arrived(self, batch: Batch, events: int) -> None:
        position = self.position
        position.after, position.mark = batch.last, batch.mark
        position.sent += events
        if batch.lost:
            position.lost += batch.lost
            text = f"retention removed {batch.lost} events before they were sent to {self.name}"
            self._world.say("telemetry lost", text)
        if position.fault:
            self._world.say("telemetry sent again", f"{self.name} takes events again")
        position.fault, position.failures = "", 0
        # Not at once to what has just been too much.
        self._size = min(self._most, self._size + max(1, self._size // 8))
        self._world.progress.keep()

    def _halved(self, batch: Batch, why: str) -> float:
        """Find the entry that is not taken by sending ever fewer; that one is left out."""
        if len(batch.entries) > 1 and self._size > 1:
            self._size = max(1, min(self._size, batch.last - self.position.after) // 2)
            return 0.0
        if self._in_a_row >= _MOST_REJECTED:
            return self._failed(f"it takes none of {self._in_a_row} events: {why}", 0.0)
        self._in_a_row += 1
        self._rejected(max(1, batch.events), why)
        self._arrived(batch, 0)
        return 0.0

    def _rejected(self, count: int, why: str) -> None:
        self.position.rejected += count
        self._world.say("telemetry rejected", f"{self.name}: {count} events are not taken: {why}")

    def _failed(self, why: str, wait: float) -> float:
        position = self.position
        if why != position.fault:
            self._world.say("telemetry not sent", f"{self.name}: {why}; they wait in the ledger")
        position.fault = why
        position.failures += 1
        self._world.progress.keep()
        pause = min(_FIRST_PAUSE * 2.0 ** min(position.failures - 1, 10), _LONGEST_PAUSE)
        return max(pause, min(wait, _LONGEST_ASKED))
