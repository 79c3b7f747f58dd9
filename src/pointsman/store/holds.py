"""Whom people have stopped, in the file of the alerts; each change is a row for the ledger."""

import sqlite3
from dataclasses import dataclass

from pointsman.model.alerting import Hold
from pointsman.store.alerts import AlertStore, fitting

STOPPED, RESUMED = "agent stopped", "agent resumed"


@dataclass(frozen=True, slots=True)
class HoldChange:
    """Somebody was stopped or let go on; ``kind`` is one of the two words above."""

    number: int
    kind: str
    hold: Hold


class Holds:
    """The holds of one store.

    Raises:
        AlertError: from every method, where the file cannot be read or written.
    """

    def __init__(self, store: AlertStore) -> None:
        self._store = store

    def all(self) -> list[Hold]:
        """Return who is on hold, the newest last."""
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM holds ORDER BY ns").fetchall()
        return [_hold(row) for row in rows]

    def put(self, hold: Hold) -> bool:
        """Put somebody on hold; who is already keeps the first reason, and it is no change."""
        row = _row(hold)
        with self._store.transaction() as db:
            done = db.execute("INSERT OR IGNORE INTO holds VALUES (?, ?, ?, ?, ?, ?)", row)
            if done.rowcount == 1:
                _note(db, STOPPED, hold)
        return done.rowcount == 1

    def release(self, session: str, agent_id: str | None, by: str, ns: int) -> int:
        """Let somebody go on: one agent, or all of a session; return how many holds went."""
        more = " AND agent_id = ?" if agent_id else ""
        with self._store.transaction() as db:
            done = db.execute(
                f"DELETE FROM holds WHERE session = ?{more}",  # noqa: S608 - our own words
                (session, agent_id) if agent_id else (session,),
            )
            if done.rowcount:
                hold = Hold(session=session, agent_id=agent_id, by=by, reason="", ns=ns)
                _note(db, RESUMED, hold)
        return done.rowcount

    def unnoted(self, limit: int = 200) -> list[HoldChange]:
        """Return changes that do not stand on the ledger yet, in order."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM hold_changes WHERE noted = 0 ORDER BY n LIMIT ?", (limit,)
            ).fetchall()
        return [HoldChange(row["n"], row["kind"], _hold(row)) for row in rows]

    def noted(self, number: int) -> None:
        """Say that every change up to this one stands on the ledger."""
        with self._store.transaction() as db:
            db.execute("UPDATE hold_changes SET noted = 1 WHERE noted = 0 AND n <= ?", (number,))

    def history(self, session: str) -> list[HoldChange]:
        """Return what happened in one session, in order."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM hold_changes WHERE session = ? ORDER BY n LIMIT 1000", (session,)
            ).fetchall()
        return [HoldChange(row["n"], row["kind"], _hold(row)) for row in rows]


def _note(db: sqlite3.Connection, kind: str, hold: Hold) -> None:
    session, agent_id, by, reason, ns, alert = _row(hold)
    db.execute(
        "INSERT INTO hold_changes (ns, kind, session, agent_id, by, reason, alert)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (ns, kind, session, agent_id, by, reason, alert),
    )


def _row(hold: Hold) -> tuple[str, str, str, str, int, int]:
    return (
        hold.session, hold.agent_id or "", fitting(hold.by), fitting(hold.reason), hold.ns,
        hold.alert,
    )  # fmt: skip


def _hold(row: sqlite3.Row) -> Hold:
    return Hold(
        session=row["session"], agent_id=row["agent_id"] or None, by=row["by"],
        reason=row["reason"], ns=row["ns"], alert=row["alert"],
    )  # fmt: skip
