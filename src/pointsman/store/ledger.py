"""The audit trail's one writer.

``append`` is one transaction for a whole batch. With the write-ahead log and
``synchronous=NORMAL`` a returned append survives the death of the process (the bytes are with
the kernel); a loss of power can take the last appends with it, never the file's soundness.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pointsman.model.errors import LedgerCorrupt, LedgerError
from pointsman.model.hook import HookRun
from pointsman.store import chain, handover, ledger_file, recount, retire, rollups
from pointsman.store.adopting import Adoption
from pointsman.store.batch import NOTE, RUN, batch_of
from pointsman.store.checkpoints import Checkpoint
from pointsman.store.ledger_file import FileIdentity, connect, translated
from pointsman.store.record import Record, run_row
from pointsman.store.sealing import Chain, Change, Sealing, begin


class Ledger:
    """The open ledger. Only the daemon, which holds the lock of the state directory, has one."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        clock: Callable[[], int],
        held: Callable[[], bool],
        sealing: Sealing | None = None,
    ) -> None:
        self._path = path
        self._sealing = sealing or Sealing.of(path)
        self._connection = connection
        self._clock = clock
        self._held = held
        self._identity = FileIdentity.of(path)
        # Numbers are given here, not by SQLite: derived rows name their origin's in the same batch.
        self._next = _highest(connection) + 1
        self._chain = self._chained()
        self._adoption = Adoption(connection)
        self._recounted = False

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], int] = time.time_ns,
        held: Callable[[], bool] = lambda: True,
        sealing: Sealing | None = None,
    ) -> "Ledger":
        """Open or create the ledger; a corrupt one is set aside and a new one says so.

        ``held`` tells whether the state directory is still this process's own; ``sealing`` how
        checkpoints are signed and sent, by default with a key and into a file beside the ledger.

        Raises:
            LedgerError: where it cannot be opened for writing, or is newer than this program.
        """
        # Before the file is made: once a new one stands there, what was rescued stays aside.
        adopted = ledger_file.adopt(path)
        try:
            ledger = cls(path, connect(path), clock, held, sealing)
        except LedgerCorrupt as error:
            moved = ledger_file.set_aside(path, ledger_file.CORRUPT, clock)
            ledger = cls(path, connect(path), clock, held, sealing)
            ledger.note("ledger set aside", f"{error}; kept as {moved}", kept_as=str(moved))
        if adopted:
            ledger.note("ledger put back", f"{adopted} was rescued from a deleted directory")
        ledger._say_what_is_gone()
        return ledger

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def append(self, records: Sequence[Record]) -> list[int]:
        """Record these, all or none; return the sequence number of each.

        A file that turns out to be damaged is set aside and the batch goes to a new one.

        Raises:
            LedgerError: disk full, read-only, locked; nothing of the batch is recorded.
        """
        self.check_in_place()
        try:
            return self._append(records)
        except LedgerCorrupt as error:
            self._begin_anew(error)
            return self._append(records)
        except LedgerError as error:
            self._go_on_behind(error)
            return self._append(records)

    def _go_on_behind(self, error: LedgerError) -> None:
        """Where somebody else wrote (a daemon whose lock file was deleted), go on behind them."""
        if not isinstance(error.__cause__, sqlite3.IntegrityError):
            raise error
        self._next = _highest(self._connection) + 1
        self._chain = self._chained(self._chain.last)

    def _chained(self, before: Checkpoint | None = None) -> Chain:
        """Return where the chain stands; begin it where there is none."""
        found = Chain(self._connection, self._sealing, before)
        change = begin(self._connection, found, self._clock())
        if change is not None:
            with self._transaction():
                change.write(self._connection, chain.INSERT)
            change.take()
        return found

    def _say_what_is_gone(self) -> None:
        gone = self._chain.cut
        if gone is not None:
            had, there = gone.tree_size, self._chain.tip.tree.size
            text = f"checkpoint {gone.seq} vouches for {had} entries, there are {there}"
            self.note("ledger cut", f"{text}; to look: pointsman ledger verify")
            # Signed at once: what comes now must not grow over the place.
            with contextlib.suppress(LedgerError):
                self.seal()

    def check_in_place(self) -> None:
        """Make sure that the file still stands at its name; put it back where it does not.

        A ledger that is deleted or replaced under us lives on in the open connection, and would
        be gone for good with this process.

        Raises:
            LedgerError: it cannot be put back, or another daemon's stands there.
        """
        found = FileIdentity.of(self._path)
        if found == self._identity and found.size >= self._identity.size:
            return
        if not self._held():
            raise LedgerError(
                f"the state directory {self._path.parent} is another daemon's by now",
                fix="pointsman up",
            )
        try:
            if found == self._identity:
                ledger_file.check_cut(self._path, found.size, self._identity.size)
                self._identity = found
            else:
                self._put_back()
        except LedgerCorrupt as error:
            self._begin_anew(error)

    def _put_back(self) -> None:
        moved = ledger_file.put_back(self._connection, self._path, self._clock)
        self._connection = connect(self._path)
        self._identity = FileIdentity.of(self._path)
        what = f"{self._path} was deleted or replaced; every record was put back"
        kept = f"; what stood there is kept as {moved}" if moved else ""
        self.note("ledger put back", what + kept, kept_as=str(moved or ""))

    def rescue(self) -> Path | None:
        """Where the file is no longer in place, write every record beside it; return where.

        Raises:
            LedgerError: it cannot be written.
        """
        if self._is_in_place():
            return None
        return ledger_file.rescue(self._connection, self._path, self._clock)

    def _append(self, records: Sequence[Record]) -> list[int]:
        change = self._chain.growth()
        batch = batch_of(records, self._next, change)
        self._write(change, batch.statements)
        # Only now: what was not written leaves no gap in the numbers.
        self._next = batch.next
        if self._chain.due:
            # What is on record is on record: a key that is gone is the upkeep's to complain of.
            try:
                self.seal()
            except LedgerError:
                self._chain.postpone()
        return batch.seqs

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        """Add hook runs that ended after the answer was out to the event ``seq``."""
        rows = [run_row(seq, first + n, run) for n, run in enumerate(runs)]

        def write() -> None:
            change = self._chain.growth()
            if rows:
                change.runs(seq, first, rows)
            self._write(change, [(RUN, rows), *rollups.statements([], rows)])

        self._behind_others(write)

    def note(self, kind: str, text: str, **data: object) -> None:
        """Record something of the daemon's own."""
        row = (self._clock(), kind, text, json.dumps(data, default=str))

        def write() -> None:
            change = self._chain.growth()
            self._write(change, [(NOTE, [change.noted(row)])])

        self._behind_others(write)

    def _behind_others(self, write: Callable[[], None]) -> None:
        try:
            write()
        except LedgerError as error:
            self._go_on_behind(error)
            write()

    def seal(self) -> None:
        """Sign how far the record has come, whether anything came or not.

        Raises:
            LedgerError: the key cannot be used, or the file cannot be written.
        """
        change = self._chain.growth()
        with self._transaction():
            change.seal(self._connection, self._clock())
        change.take()

    def seal_within(self, seconds: float) -> bool:
        """Sign where the last checkpoint of this process is so long ago; say whether so.

        Raises:
            LedgerError: as for ``seal``.
        """
        since = time.monotonic() - self._chain.sealed_at
        if not self._chain.due and since < seconds and self._chain.sealed_at:
            return False
        self.seal()
        return True

    def adopt(self, batch: int = 100) -> int:
        """Take rows from before the chain into it; return how many, 0 when all are in it."""
        if self._adoption.done:
            return 0
        with self._changing() as change:
            taken = self._adoption.step(self._connection, change, self._clock(), batch)
        self._adoption.took(taken)
        if not taken.count:
            text = "rows from before the chain are in it from now on; what was done to them "
            self.note("ledger chained", text + "before this moment cannot be known")
        return taken.count

    def recount(self, batch: int = 100) -> int:
        """Count rows of before today's counts; return how many, 0 when all are counted."""
        if not self._recounted:
            with self.writing() as connection:
                done = recount.step(connection, batch)
            self._recounted = not done
            return done
        return 0

    def purge(
        self,
        which: retire.Which,
        span: tuple[int, int] = (0, 200),
        cover: Callable[[bytes], bytes] | None = None,
    ) -> retire.Step:
        """Remove bodies, or cover what ``cover`` finds in them; return how many, where to go on.

        ``span`` is with which entry of the chain to begin, and how many bodies at the most.

        Raises:
            LedgerError: nothing was changed.
        """
        with self._changing(sealed=True) as change:
            now = self._clock()
            if cover is None:
                return retire.purge(self._connection, change, which, now, span)
            return retire.redact(self._connection, change, (which, span, now), cover)

    def hand_over(self) -> tuple[bytes, bytes]:
        """Sign with a new key from now on; the old one says so last. Return both public halves.

        Raises:
            LedgerError: the old one goes on.
        """
        keys, now = self._sealing.keys, self._clock()
        old, (secret, new) = keys.signer(), keys.prepared()
        with self._changing(sealed=True) as change:
            change.acted(handover.HANDED_OVER, now, handover.made(self._chain.log, now, old, new))
        keys.replace(secret, new)
        self.seal()
        return old.public, new.public

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within one transaction, to whoever keeps further tables here.

        Raises:
            LedgerError: nothing of it is recorded.
        """
        self.check_in_place()
        with self._transaction():
            yield self._connection

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, on a connection of its own.

        May be called from another thread: an append never waits for it.

        Raises:
            LedgerError: it could not be done; every record is still in the log.
        """
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=1.0)) as connection:
                # PASSIVE moves what it can, and waits for no reader and no writer.
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            # It may have grown: a smaller size from now on means that somebody cut the file.
            self._identity = replace(self._identity, size=FileIdentity.of(self._path).size)
        except sqlite3.Error as error:
            raise translated(error, self._path) from error

    def prune(self, older_than_ns: int, batch: int = 500) -> int:
        """Delete events received before this time, at most ``batch``; return how many.

        Raises:
            LedgerError: nothing was deleted.
        """
        if self.recount(batch):
            return 0  # What goes is taken from the counts, and must be in them before.
        with self._changing(sealed=True) as change:
            now = self._clock()
            return retire.prune(self._connection, change, older_than_ns, now, batch)

    def close(self) -> None:
        """Sign what came since the last checkpoint, and close the file."""
        tip = self._chain.tip.tree.size
        if tip > self._chain.sealed and self._held() and self._is_in_place():
            with contextlib.suppress(LedgerError):
                self.seal()
        self._connection.close()

    def _is_in_place(self) -> bool:
        return FileIdentity.of(self._path) == self._identity

    def _begin_anew(self, error: LedgerCorrupt) -> None:
        """Set the damaged file aside, as it is, and go on in a new one."""
        moved = ledger_file.set_aside(self._path, ledger_file.CORRUPT, self._clock)
        # Not before: closing would move the log into a file that is not sound, and delete it.
        self._connection.close()
        self._connection = connect(self._path)
        self._identity = FileIdentity.of(self._path)
        # Numbers go on behind the damaged file's: none is given out twice.
        self._next = max(self._next, _highest(self._connection) + 1)
        self._chain = self._chained(self._chain.last)
        self._adoption = Adoption(self._connection)
        self.note("ledger set aside", f"{error}; kept as {moved}", kept_as=str(moved))

    def _write(self, change: Change, statements: Sequence[rollups.Statement]) -> None:
        with self._transaction():
            rollups.carry_out(self._connection, statements)
            change.write(self._connection, chain.INSERT)
        change.take()

    @contextlib.contextmanager
    def _changing(self, *, sealed: bool = False) -> Iterator[Change]:
        """Give what a transaction adds to the chain; ``sealed`` where that is signed with it."""
        change = self._chain.growth()
        try:
            with self._transaction():
                yield change
                change.write(self._connection, chain.INSERT)
                if sealed and change.rows:
                    change.seal(self._connection, self._clock())
        except LedgerError as error:
            self._go_on_behind(error)
            raise
        change.take()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            # IMMEDIATE: another writer is met here, not in the middle of a batch.
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise translated(error, self._path) from error
        except BaseException:
            # A value that SQLite cannot hold: left open, the transaction would fail every next one.
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")


def _highest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
