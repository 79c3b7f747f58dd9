"""What leaves by our own hand is told from what others took."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.store.ledger import Ledger
from pointsman.store.retire import Which, read_spans, spans
from pointsman.store.verdict import Trust, Verdict, verify

from .records import record, run
from .tampering import by_hand, filled, opened

ONE = Which(["e.session = :session"], {"session": "s1"}, "s1")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return opened(filled(tmp_path / "ledger.db", 200))


def judged(ledger: Ledger) -> Verdict:
    return verify(ledger.path, Trust())


def count(ledger: Ledger, table: str) -> int:
    with closing(sqlite3.connect(ledger.path)) as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(found)


def test_retention_is_no_deletion(ledger: Ledger) -> None:
    assert ledger.prune(60 * 10**9, batch=50) == 50
    assert judged(ledger).ok
    while ledger.prune(60 * 10**9, batch=50):
        assert judged(ledger).ok
    removed = judged(ledger).removed
    assert removed == 200 - count(ledger, "events")
    by_hand(ledger.path, "DELETE FROM events WHERE seq = 155")
    found = judged(ledger)
    assert (found.fault, found.first_bad) == ("deletion", 155)
    ledger.close()


def test_what_others_deleted_is_no_retention_whatever_they_write(ledger: Ledger) -> None:
    data = json.dumps({"events": "150-160", "before_ns": 1})
    by_hand(
        ledger.path,
        "DELETE FROM events WHERE seq BETWEEN 150 AND 160",
        f"INSERT INTO acts VALUES (900, 1, 'retention', '{data}')",
    )
    assert (judged(ledger).fault, judged(ledger).first_bad) == ("deletion", 150)
    ledger.close()


def test_old_checkpoints_go_with_what_they_vouched_for(tmp_path: Path) -> None:
    now = [0]
    ledger = Ledger.open(tmp_path / "ledger.db", clock=lambda: now[0])
    for number in range(1, 6):
        now[0] = number * 10**9
        ledger.append([record(at=now[0])])
        ledger.seal()
    assert ledger.prune(3 * 10**9) == 2
    with closing(sqlite3.connect(ledger.path)) as connection:
        rows = connection.execute("SELECT seq FROM checkpoints").fetchall()
    assert rows == [(3,), (4,), (5,), (6,)]
    assert judged(ledger).ok
    by_hand(ledger.path, "DELETE FROM checkpoints WHERE seq = 3")
    assert judged(ledger).fault == "deletion"
    ledger.close()


def purged(ledger: Ledger, which: Which, batch: int) -> int:
    done, start = 0, 0
    while True:
        step = ledger.purge(which, (start, batch))
        done += step.count
        if step.next_n is None:
            return done
        start = step.next_n


def test_bodies_go_and_the_chain_still_verifies(ledger: Ledger) -> None:
    before = count(ledger, "bodies")
    done = purged(ledger, ONE, 7)
    assert done > 40
    assert count(ledger, "bodies") == before - done
    found = judged(ledger)
    assert found.ok, found.words
    assert found.records == 240
    by_hand(ledger.path, "DELETE FROM bodies WHERE seq = 155")
    assert (judged(ledger).fault, judged(ledger).first_bad) == ("deletion", 155)
    ledger.close()


def test_the_salt_goes_with_the_body(ledger: Ledger) -> None:
    """What a body was cannot be found by trying: the digest that stays is of its salt, too."""
    purged(ledger, ONE, 500)
    with closing(sqlite3.connect(ledger.path)) as connection:
        salts = connection.execute(
            "SELECT DISTINCT c.salt FROM chain c JOIN gone g ON c.kind = 1 AND c.ref = g.seq"
        ).fetchall()
    assert salts == [(b"",)]
    ledger.close()


def test_bodies_are_covered_and_the_chain_still_verifies(ledger: Ledger) -> None:
    step = ledger.purge(ONE, (0, 500), lambda body: body.replace(b'"n"', b'"*"'))
    assert step.count > 40
    again = ledger.purge(ONE, (0, 500), lambda body: body.replace(b'"n"', b'"*"'))
    assert again.count == 0
    found = judged(ledger)
    assert found.ok, found.words
    by_hand(ledger.path, "UPDATE bodies SET payload = x'7b7d' WHERE seq = 77")
    assert (judged(ledger).fault, judged(ledger).first_bad) == ("edit", 77)
    ledger.close()


def test_covered_then_removed_then_pruned(ledger: Ledger) -> None:
    ledger.purge(ONE, (0, 500), lambda body: body.replace(b'"n"', b'"*"'))
    purged(ledger, Which(), 60)
    assert judged(ledger).ok
    while ledger.prune(80 * 10**9):
        pass
    assert judged(ledger).ok
    ledger.append([record(runs=(run(),))])
    ledger.close()
    assert judged(ledger).ok


def test_an_edit_is_not_washed_by_removing_the_body(ledger: Ledger) -> None:
    by_hand(ledger.path, "UPDATE bodies SET payload = x'7b7d' WHERE seq = 77")
    purged(ledger, ONE, 500)
    assert (judged(ledger).fault, judged(ledger).first_bad) == ("edit", 77)
    ledger.close()


@given(st.sets(st.integers(1, 400)))
def test_spans_are_read_as_they_were_written(numbers: set[int]) -> None:
    read = [n for first, last in read_spans(spans(sorted(numbers))) for n in range(first, last + 1)]
    assert read == sorted(numbers)
