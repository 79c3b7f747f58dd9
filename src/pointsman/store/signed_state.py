"""How far the record is chained and signed, without reading it: what a page can say at once."""

import sqlite3
from typing import Any


def signed_state(connection: sqlite3.Connection, now_ns: int) -> dict[str, Any]:
    """Return the length of the chain, and how much of it the newest checkpoint signs.

    Whether the record still says what was signed, only reading all of it tells: the command
    ``pointsman ledger verify``. ``available`` is false where the ledger has no chain.
    """
    named = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)"
    if connection.execute(named, ("chain", "checkpoints")).fetchone()[0] < 2:
        return {"available": False}
    entries = connection.execute("SELECT coalesce(max(n), -1) + 1 FROM chain").fetchone()[0]
    newest = connection.execute(
        "SELECT seq, tree_size, ns, lower(hex(root)) AS root FROM checkpoints"
        " ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if newest is None:
        return {"available": True, "entries": entries, "signed": 0, "checkpoint": None}
    return {
        "available": True,
        "entries": entries,
        "signed": newest["tree_size"],
        "checkpoint": newest["seq"],
        "root": newest["root"],
        "age_s": round(max(0, now_ns - newest["ns"]) / 1e9, 1),
    }
