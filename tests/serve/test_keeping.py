"""The daemon signs and sends beside the events, takes older rows in, and says what it cannot."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.places import Places
from pointsman.serve.keeping import Keeping
from pointsman.store.beside import beside_file
from pointsman.store.checkpoints import read_lines
from pointsman.store.migrate import migrate, scripts
from pointsman.store.verdict import Trust, verify
from store.records import record, run


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "state").mkdir(mode=0o700)
    return Places(state=tmp_path / "state", config=tmp_path / "config")


def kept(places: Places, **said: Any) -> Keeping:
    return Keeping(places, lambda: said, lambda: True)


def ticked(keeping: Keeping, times: int = 1) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []

    async def run_() -> None:
        for _ in range(times):
            await keeping.tick(lambda kind, text: said.append((kind, text)))

    asyncio.run(run_())
    return said


def test_the_first_tick_signs_and_a_quiet_time_is_signed_too(places: Places) -> None:
    keeping = kept(places, checkpoint_seconds=0.0)
    keeping.ledger.append([record()])
    assert ticked(keeping, 3) == []
    with closing(sqlite3.connect(places.ledger)) as connection:
        rows = connection.execute("SELECT seq, tree_size FROM checkpoints").fetchall()
    assert rows == [(1, 2), (2, 2), (3, 2)]
    assert [each.seq for each in read_lines(beside_file(places.ledger))] == [3]
    assert keeping.status()["checkpoint"] == 3
    keeping.close()
    assert verify(places.ledger, Trust()).ok


def test_within_the_time_nothing_more_is_signed(places: Places) -> None:
    keeping = kept(places, checkpoint_seconds=86_400)
    ticked(keeping, 3)
    assert keeping.status()["checkpoint"] == 1
    keeping.close()


def test_what_was_signed_is_sent_and_a_sink_that_fails_is_told_of(
    places: Places, tmp_path: Path
) -> None:
    sent = tmp_path / "sent.jsonl"
    sinks = [{"kind": "file", "to": str(sent)}, {"kind": "file", "to": "/nowhere/at/all"}]
    keeping = kept(places, checkpoint_seconds=0.0, sinks=sinks)
    ticked(keeping)
    keeping.ledger.append([record()])
    keeping.close()
    assert list(read_lines(sent))[-1].tree_size == 2
    found = verify(places.ledger, Trust(files=[sent]))
    assert found.ok
    assert str(sent) in found.files
    good, bad = keeping.status()["sinks"]
    assert (good["fault"], good["waiting"]) == ("", 0)
    assert "No such file" in bad["fault"]


def test_a_key_that_cannot_be_used_is_told_once_and_stops_nothing(places: Places) -> None:
    places.state.joinpath("keys").mkdir()
    places.state.joinpath("keys/ledger-private-key.pem").write_text("no key")
    places.state.joinpath("keys/ledger-private-key.pem").chmod(0o600)
    keeping = kept(places)
    said = ticked(keeping, 3)
    assert [kind for kind, _ in said] == ["no checkpoint"]
    assert "holds no Ed25519 key" in keeping.status()["fault"]
    assert keeping.ledger.append([record()]) == [1]
    keeping.close()


def test_a_key_that_is_taken_away_is_put_back(places: Places) -> None:
    keeping = kept(places)
    ticked(keeping)
    key = places.state / "keys/ledger-private-key.pem"
    was = key.read_bytes()
    key.unlink()
    assert [kind for kind, _ in ticked(keeping)] == ["ledger key put back"]
    assert key.read_bytes() == was
    keeping.close()


def old_ledger(path: Path, rows: int) -> None:
    """Make a ledger as it was before there was a chain."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        migrate(connection, scripts()[:1])
        for seq in range(1, rows + 1):
            connection.execute(
                "INSERT INTO events VALUES (?,?,'h','e','s',NULL,NULL,NULL,NULL,'t','Bash','','/',"
                "NULL,'','none','','','',NULL,'',1,0,'hook','','',NULL,NULL)", (seq, seq),
            )  # fmt: skip
            connection.execute("INSERT INTO bodies VALUES (?, x'7b7d', x'', x'')", (seq,))
            connection.execute(
                "INSERT INTO hook_runs VALUES (?,?,'x','guard','e',1,1,'ok',1,'','none','',NULL)",
                (seq, seq % 3),
            )
        connection.execute("INSERT INTO notes VALUES (1, 1, 'k', 't', '{}')")


def test_older_rows_are_taken_in_bit_by_bit_and_covered_from_then_on(places: Places) -> None:
    old_ledger(places.ledger, 250)
    keeping = kept(places)
    keeping.ledger.append([record(runs=(run(),))])
    waiting = verify(places.ledger, Trust())
    assert (waiting.ok, waiting.uncovered) == (True, 251)
    while keeping.ledger.adopt(100):
        assert verify(places.ledger, Trust()).ok
    keeping.close()
    found = verify(places.ledger, Trust())
    assert (found.ok, found.uncovered, found.records) == (True, 0, 253)
    with closing(sqlite3.connect(places.ledger, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER events_append_only")
        connection.execute("UPDATE events SET tool = 'Read' WHERE seq = 7")
    found = verify(places.ledger, Trust())
    assert (found.fault, found.first_bad) == ("edit", 7)


def test_taking_in_goes_on_after_a_restart(places: Places) -> None:
    old_ledger(places.ledger, 30)
    one = kept(places)
    one.ledger.adopt(10)
    one.close()
    two = kept(places)
    ticked(two)
    two.close()
    found = verify(places.ledger, Trust())
    assert (found.ok, found.uncovered) == (True, 0), found.words
