"""Following the ledger: in order, with when things began, and what agents have used."""

from pathlib import Path
from typing import Any

from pointsman.model.event import Event, Identity
from pointsman.model.events import SessionEnd, SubagentStart, SubagentStop
from pointsman.store import follow
from pointsman.store.ledger import Ledger
from pointsman.store.query import opened
from pointsman.store.record import Record

from .records import record

INSERT = (
    "INSERT INTO usage SELECT coalesce(max(n), 0) + 1, 0, 'k' || count(*), 'claude-code', 'm', 'r',"
    " 0, ?, ?, NULL, '', '', NULL, '', 'opus', '', 1, 0, ?, 2, 3, 4, 5, 6, 0, 1, '' FROM usage"
)


def put(ledger: Ledger, kind: type[Event], at: int, agent: str | None = None) -> None:
    who = Identity(host="claude-code", session="s1", agent_id=agent, parent="main")
    ledger.append([Record(event=kind(identity=who, received_ns=at))])


def read(path: Path, follower: follow.Follower, after: int = -1, most: int = 500) -> Any:
    with opened(path) as connection:
        return follower.read(connection, after, most)


def test_an_agents_end_waits_until_what_it_used_is_known(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    put(ledger, SubagentStart, 1_000, "a1")
    put(ledger, SubagentStop, 2_000, "a1")
    put(ledger, SessionEnd, 2_000)
    with ledger.writing() as connection:
        for agent, tokens in (("a1", 10), ("a1", 20), (None, 400)):
            connection.execute(INSERT, ("s1", agent, tokens))
    now = 2_001
    follower = follow.Follower(usage=True, clock=lambda: now)
    young = read(path, follower)
    assert [entry.event["event"] for entry in young.entries if entry.event] == ["SubagentStart"]
    assert read(path, follower, young.last).last == young.last
    now = 10**10
    later = [entry for entry in read(path, follower, young.last).entries if entry.event]
    assert [entry.started_ns for entry in later] == [1_000, 1_000]
    assert [entry.used.input_tokens for entry in later if entry.used] == [30, 400]
    plain = read(path, follow.Follower(clock=lambda: 2_001))
    assert [entry.used for entry in plain.entries if entry.event] == [None] * 3
    ledger.close()


def test_every_entry_once_in_whatever_batches(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger.open(path)
    for number in range(7):
        ledger.append([record(f"c{number}")])
        ledger.note("kind", f"note {number}")
    whole = read(path, follow.Follower()).entries
    assert [entry.n for entry in whole] == sorted({entry.n for entry in whole})
    assert sum(1 for entry in whole if entry.event) == 7
    for most in (1, 2, 5):
        found, after = [], -1
        while (batch := read(path, follow.Follower(), after, most)).last != after:
            found += [entry.n for entry in batch.entries]
            after = batch.last
        assert found == [entry.n for entry in whole]
    with opened(path) as connection:
        assert follow.newest(connection) == (after, follow.mark_of(connection, after))
        assert follow.mark_of(connection, after + 1) == ""
        assert follow.before(connection, 2**62) == after
    ledger.close()
