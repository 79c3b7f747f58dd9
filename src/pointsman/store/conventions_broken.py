"""What the record says of conventions that edits have broken."""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

_HOOK = "conventions"
_LINE = re.compile(r"violation rule='(\w+)' path='((?:[^'\\]|\\.)*)'")


@dataclass(frozen=True, slots=True)
class Broken:
    """One convention, broken once: the rule's id, by whom, where and when (ns)."""

    rule: str
    path: str
    session: str
    agent: str
    at_ns: int
    seq: int
    stopped: bool


def broken(connection: sqlite3.Connection, repository: str, since_ns: int = 0) -> Iterator[Broken]:
    """Yield every time that a convention of a repository was broken, the oldest first."""
    sql = (
        "SELECT e.seq, e.received_ns, e.session, e.agent_id, e.agent_type, r.decision, r.lines"
        " FROM hook_runs r JOIN events e ON e.seq = r.seq WHERE r.hook = ? AND r.rule LIKE"
        " 'convention.%' AND e.received_ns >= ? AND e.repository = ? ORDER BY e.seq"
    )
    for row in connection.execute(sql, (_HOOK, since_ns, repository)):
        agent = row["agent_type"] or ("main" if row["agent_id"] is None else row["agent_id"])
        for line in json.loads(row["lines"]) if row["lines"] else ():
            found = _LINE.match(line)
            if found:
                yield Broken(
                    rule=found[1], path=found[2], session=row["session"], agent=agent,
                    at_ns=row["received_ns"], seq=row["seq"], stopped=row["decision"] == "deny",
                )  # fmt: skip
