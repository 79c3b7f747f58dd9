"""Which of five things was done to a record that does not verify.

edit        something that is on record says something else, or was put in from outside
deletion    something in the middle of it is gone
truncation  everything from one place on is gone
reorder     things stand in one another's places
rewrite     all of it fits together, and is not what was vouched for
"""

import itertools
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pointsman.store import chain
from pointsman.store.chain import EVENT, NOTE, PURGED
from pointsman.store.verify import CONTENT, GAP, LINK, MISSING, MOST_BAD, Anomaly, Found
from pointsman.store.witness_stream import Stream

EDIT, DELETION, TRUNCATION, REORDER, REWRITE = (
    "edit", "deletion", "truncation", "reorder", "rewrite",
)  # fmt: skip

_EVENT_ROW = f"SELECT {chain.EVENT_COLUMNS} FROM events WHERE seq = ?"
_BODY = "SELECT payload, stdout, stderr FROM bodies WHERE seq = ?"
_RUN_ROWS = (
    f"SELECT seq, {chain.RUN_COLUMNS} FROM hook_runs WHERE seq = ? AND n >= ? AND n < ? ORDER BY n"
)
_ENTRY = "SELECT n, ref, low, high, digest, salt FROM chain WHERE kind = ? AND ref = ?"
_MOST_STRAYS = 4096


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done, the number of the first event that it concerns, and how it shows."""

    name: str
    first_bad: int
    words: str


def name(
    connection: sqlite3.Connection, found: Found, streams: Sequence[Stream], every: int
) -> Fault | None:
    """Return what was done to a ledger, by what one reading of it has found; ``None``: nothing."""
    if not found.entries:
        return _no_chain(connection)
    return (
        _cut_off(found, streams)
        or _inside(connection, found, streams)
        or _put_in(connection, found)
        or _vouched_otherwise(found, streams)
        or _checkpoints_touched(found, streams)
        or _not_vouched_for(found, streams, every)
    )


def _no_chain(connection: sqlite3.Connection) -> Fault:
    row = connection.execute("SELECT min(seq) FROM events").fetchone()
    if row[0] is None:
        return Fault(TRUNCATION, 1, "nothing is left, not even the beginning of the chain")
    return Fault(REWRITE, row[0], "the chain is gone as a whole")


def _cut_off(found: Found, streams: Sequence[Stream]) -> Fault | None:
    """Say whether what is missing is the end: vouched for, and not there."""
    beyond = max(
        (stream.beyond for stream in streams if stream.beyond),
        key=lambda each: each.tree_size, default=None,
    )  # fmt: skip
    gap = found.first.get(GAP)
    wrong = [each for each in found.first.values() if each.what in {CONTENT, LINK}]
    # What follows on a gap does not follow on what is before it: that is no second fault.
    earlier = [each for each in wrong if gap is None or each.n < gap.n]
    if found.ends_missing and not earlier and (not gap or gap.seq >= found.ends_missing.seq):
        seq = found.ends_missing.seq
        return Fault(TRUNCATION, seq, f"every event from {seq} on is gone")
    if beyond is None or any(_differs_before(stream, found) for stream in streams):
        return None
    known = max(beyond.last, *(stream.event for stream in streams))
    events_gone = found.chained < known
    if gap and not (events_gone and gap.seq > found.event):
        return None
    if MISSING in found.first or earlier:
        return None
    first = found.event + 1 if events_gone else found.event
    words = f"{beyond.tree_size} entries were vouched for (checkpoint {beyond.seq}), "
    return Fault(TRUNCATION, first, words + f"{found.entries} are there")


def _differs_before(stream: Stream, found: Found) -> bool:
    """Whether a root is another one, and not because an entry before it is gone."""
    if stream.differs is None:
        return False
    return GAP not in found.first or stream.differs.tree_size <= found.gap_from


def _inside(
    connection: sqlite3.Connection, found: Found, streams: Sequence[Stream]
) -> Fault | None:
    """Name what is wrong with the entries themselves, by the first that is."""
    if not found.first:
        return None
    first = min(found.first.values(), key=lambda each: (each.n, _WEIGHT[each.what]))
    if _is_moved(connection, found, first):
        return Fault(REORDER, first.seq, f"{first.words}: it stands in another one's place")
    if first.what in {GAP, MISSING}:
        return Fault(DELETION, first.seq, first.words)
    if _took_a_number(connection, found, first):
        words = f"event {first.seq} is gone: another one stands at its number"
        return Fault(DELETION, first.seq, words)
    return _altered(connection, found, streams, first)


def _altered(
    connection: sqlite3.Connection, found: Found, streams: Sequence[Stream], first: Anomaly
) -> Fault:
    """Name what is neither missing nor in another one's place, by which record was changed."""
    skipped, there = _skipped(connection, first) if first.what == LINK else (0, False)
    if skipped:
        words = f"{first.words}: event {skipped} " + ("comes later" if there else "is gone")
        return Fault(REORDER if there else DELETION, skipped, words)
    if first.what == LINK and _is_the_one_before(found, streams):
        sql = "SELECT max(ref) FROM chain WHERE kind = ? AND n < ?"
        before = connection.execute(sql, (EVENT, first.n)).fetchone()[0] or 1
        return Fault(EDIT, before, f"{first.words}, which has a hash of its own making")
    return Fault(EDIT, first.seq, first.words)


def _is_the_one_before(found: Found, streams: Sequence[Stream]) -> bool:
    """Whether an entry that does not follow is as it was, and the one before it is not.

    Its own digest was changed where the hashes still make the root that was signed; its own hash,
    where what follows on it does not follow either.
    """
    alone = len(found.broken) < 2 or found.broken[1] != found.broken[0] + 1
    return alone and any(stream.differs for stream in streams)


_WEIGHT = {GAP: 0, MISSING: 1, CONTENT: 2, LINK: 3}


def _is_moved(connection: sqlite3.Connection, found: Found, first: Anomaly) -> bool:
    if first.what in {LINK, GAP}:
        return _follows_elsewhere(connection, first)
    if first.kind == EVENT:
        return _event_is_elsewhere(connection, found, first.ref)
    return _row_is_elsewhere(connection, first)


def _follows_elsewhere(connection: sqlite3.Connection, first: Anomaly) -> bool:
    """Whether the entry that follows on the last good one is there, at another place."""
    sql = "SELECT hash FROM chain WHERE n < ? ORDER BY n DESC LIMIT 1"
    row = connection.execute(sql, (first.n,)).fetchone()
    head = bytes(row[0]) if row else chain.START
    sql = "SELECT hash FROM chain WHERE n = ?"
    own = connection.execute(sql, (first.n,)).fetchone()[0]
    for n, kind, ref, low, high, digest, stored in connection.execute(
        "SELECT n, kind, ref, low, high, digest, hash FROM chain"
    ):
        if n != first.n and chain.link(head, kind, ref, (low, high), digest) in {stored, own}:
            return True
    return False


def _skipped(connection: sqlite3.Connection, first: Anomaly) -> tuple[int, bool]:
    """Return the event whose turn it would be, and whether it is there, at another place.

    Zero where none is skipped: the numbers of events count up by one, the older ones behind.
    """
    if first.kind != EVENT:
        return 0, False
    sql = "SELECT max(ref) FROM chain WHERE kind = ? AND n < ?"
    wanted = (connection.execute(sql, (EVENT, first.n)).fetchone()[0] or 0) + 1
    if first.ref <= wanted:
        return 0, False
    sql = "SELECT 1 FROM chain WHERE kind = ? AND ref = ?"
    return wanted, connection.execute(sql, (EVENT, wanted)).fetchone() is not None


def _row_is_elsewhere(connection: sqlite3.Connection, first: Anomaly) -> bool:
    """Whether what stands in the place of a note is another one."""
    if first.kind != NOTE:
        return False
    sql = "SELECT ns, kind, text, data FROM notes WHERE n = ?"
    row = connection.execute(sql, (first.ref,)).fetchone()
    if row is None:
        digest = connection.execute("SELECT digest FROM chain WHERE n = ?", (first.n,)).fetchone()
        strays = connection.execute(
            "SELECT ns, kind, text, data FROM notes WHERE n IN (SELECT n FROM notes EXCEPT"
            f" SELECT ref FROM chain WHERE kind = {NOTE}) LIMIT {_MOST_STRAYS}"
        )
        return any(chain.row_digest(each) == digest[0] for each in strays)
    sql = "SELECT 1 FROM chain WHERE kind = ? AND digest = ? AND n != ?"
    found = connection.execute(sql, (NOTE, chain.row_digest(row), first.n)).fetchone()
    return found is not None


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where an event stands in the chain, and what it was there."""

    seq: int
    low: int
    high: int
    digest: bytes
    salt: bytes | None


def _event_is_elsewhere(connection: sqlite3.Connection, found: Found, seq: int) -> bool:
    """Whether the row, the body or the runs of an event stand at another number.

    Parts may have been moved each by itself: every mixture of its own and another one's is tried.
    """
    row = connection.execute(_ENTRY, (EVENT, seq)).fetchone()
    own = _Entry(*row[1:])
    strays = [each for (each,) in connection.execute(_STRAYS.format("events"))]
    others = dict.fromkeys([*found.bad, *strays])
    others.pop(seq, None)
    for other in others:
        for sources in itertools.product((seq, other), repeat=3):
            if any(each != seq for each in sources) and _fits(connection, own, sources):
                return True
    # So much was moved that not all of it is known: then whatever is there is tried.
    rows = connection.execute("SELECT seq FROM events") if len(found.bad) >= MOST_BAD else ()
    return any(
        _fits(connection, own, (other, *rest))
        for (other,) in rows
        for rest in ((seq, seq), (other, other))
        if other != seq
    )


def _took_a_number(connection: sqlite3.Connection, found: Found, first: Anomaly) -> bool:
    """Whether what stands at an event's number is a later one that lacks its own place."""
    if first.what != CONTENT or first.kind != EVENT:
        return False
    for other in found.bad:
        if other == first.ref:
            continue
        entry = _Entry(*connection.execute(_ENTRY, (EVENT, other)).fetchone()[1:])
        for rest in itertools.product((first.ref, other), repeat=2):
            if _fits(connection, entry, (first.ref, *rest)):
                return True
    return False


def first_difference(one: sqlite3.Connection, other: sqlite3.Connection, first: int) -> int | None:
    """Return the first event, from a number on, that is another one in two ledgers' chains."""
    sql = "SELECT ref, digest FROM chain WHERE kind = ? AND ref >= ? ORDER BY n"
    rows = (connection.execute(sql, (EVENT, first)) for connection in (one, other))
    for here, there in zip(*rows, strict=False):
        if here != there:
            return int(min(here[0], there[0]))
    return None


_STRAYS = (
    f"SELECT seq FROM {{}} EXCEPT SELECT ref FROM chain WHERE kind = {EVENT} ORDER BY 1"
    f" LIMIT {_MOST_STRAYS}"
)


def _fits(connection: sqlite3.Connection, own: _Entry, sources: Sequence[int]) -> bool:
    row = connection.execute(_EVENT_ROW, (sources[0],)).fetchone()
    if row is None:
        return False
    body = connection.execute(_BODY, (sources[1],)).fetchone()
    digest: bytes | None = None
    if own.salt == PURGED:
        gone = connection.execute("SELECT digest FROM gone WHERE seq = ?", (own.seq,)).fetchone()
        digest = gone[0] if gone else None
    elif own.salt and body:
        digest = chain.body_digest(own.salt, *body)
    runs = connection.execute(_RUN_ROWS, (sources[2], own.low, own.high)).fetchall()
    return chain.event_digest(row, digest, runs) == own.digest


def _put_in(connection: sqlite3.Connection, found: Found) -> Fault | None:
    """Name rows that are in a table and in no entry of the chain."""
    for table, sql in _COUNTS.items():
        there = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        known = found.live[table] + found.live.get(f"{table} waiting", 0)
        if there > known:
            row = connection.execute(sql).fetchone() if sql else None
            seq = row[0] if row and row[0] is not None else found.event
            return Fault(EDIT, seq, f"{there - known} rows of {table} are in no entry of the chain")
    return None


_COUNTS = {
    "events": _STRAYS.format("events"),
    "bodies": f"SELECT seq FROM bodies EXCEPT SELECT ref FROM chain WHERE kind = {EVENT} ORDER BY 1"
    " LIMIT 1",
    "hook_runs": "SELECT seq FROM (SELECT seq, n FROM hook_runs EXCEPT SELECT r.seq, r.n FROM chain"
    " c JOIN hook_runs r ON r.seq = c.ref AND r.n >= c.low AND r.n < c.high WHERE c.kind IN"
    " (1, 2)) ORDER BY 1 LIMIT 1",
    "notes": "",
    "acts": "",
    "gone": "",
}


def _vouched_otherwise(found: Found, streams: Sequence[Stream]) -> Fault | None:
    """Name a record that fits together and is not the one that was vouched for."""
    good = min(max(stream.event for stream in streams), found.event)
    for stream in streams:
        if stream.differs is not None:
            words = f"{stream.source}: checkpoint {stream.differs.seq} vouches for another record"
            cut = stream.fork is not None and stream.mended
            return Fault(TRUNCATION if cut else REWRITE, _behind(stream), words)
    for stream in streams:
        if stream.fork is not None:
            fork = stream.fork
            words = f"checkpoint {fork.seq} vouches for {fork.tree_size} entries, one before for"
            return Fault(TRUNCATION, fork.last + 1, f"{stream.source}: {words} more")
        if stream.stranger is not None:
            words = f"{stream.source}: checkpoint {stream.stranger.seq} is signed by another key"
            return Fault(REWRITE, good + 1, f"{words}: {stream.stranger.key.hex()}")
        if stream.foreign is not None and not stream.linked and not stream.count:
            words = f"{stream.source} vouches for another chain: {stream.foreign.log}"
            return Fault(REWRITE, 1, words)
    return None


def _behind(stream: Stream) -> int:
    """Return the event behind the last one that a source vouches for and that still holds.

    Where it went on after a cut, what holds from there on is not what was there before.
    """
    if stream.fork is not None and stream.mended:
        return stream.fork.last + 1
    return stream.event + 1


def _checkpoints_touched(found: Found, streams: Sequence[Stream]) -> Fault | None:
    own = [stream for stream in streams if stream.linked]
    for stream in streams:
        if stream.unsound is not None:
            words = f"{stream.source}: checkpoint {stream.unsound.seq} is not what was signed"
            return Fault(EDIT, min(stream.touched, max(found.event, 1)), words)
    for stream in own:
        bad = stream.gap
        if stream.foreign is not None:
            words = f"{stream.source}: checkpoint {stream.foreign.seq} is of another chain"
            return Fault(EDIT, min(stream.touched, max(found.event, 1)), words)
        if bad is not None:
            words = f"{stream.source}: what came before checkpoint {bad.seq} is gone"
            return Fault(DELETION, min(stream.touched, max(found.event, 1)), words)
        better = max((each.size for each in streams), default=0)
        if better > stream.size:
            words = f"{stream.source} has {stream.count} checkpoints, others that it does not have"
            return Fault(DELETION, min(stream.event + 1, max(found.event, 1)), words)
    return None


def _not_vouched_for(found: Found, streams: Iterable[Stream], every: int) -> Fault | None:
    """A ledger signs by itself: where so many entries came and nothing was signed, it is not it."""
    signed = max((stream.size for stream in streams), default=0)
    if signed == 0 and found.entries > every:
        return Fault(REWRITE, 1, f"{found.entries} entries and not one checkpoint")
    return None
