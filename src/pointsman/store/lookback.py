"""What the record still knows of a session that began before this process did."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pointsman.store.query import opened

_MOST_ROWS = 400
_SQL = (
    "SELECT * FROM (SELECT e.seq, e.event, e.received_ns, e.cwd, e.repository, e.decision,"
    " e.reason, b.payload FROM events e JOIN bodies b ON b.seq = e.seq"
    " WHERE e.session = ? AND e.transport = 'hook' AND e.received_ns < ?"
    " ORDER BY e.seq DESC LIMIT ?) ORDER BY seq"
)


@dataclass(frozen=True, slots=True)
class Past:
    """One event that a hook has delivered, and what became of it."""

    seq: int
    event: str
    received_ns: int
    cwd: str
    repository: str | None
    decision: str
    reason: str
    payload: bytes


def lookback(ledger: Path, session: str, before_ns: int) -> Iterator[Past]:
    """Yield the newest 400 events of a session before this time, the oldest first.

    Raises:
        LedgerError: there is no ledger, or it cannot be read.
    """
    with opened(ledger) as connection:
        for row in connection.execute(_SQL, (session, before_ns, _MOST_ROWS)).fetchall():
            yield Past(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - a Row has no `in`
