"""A key hands over to the next one, and the record verifies across it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.store import handover
from pointsman.store.beside import beside_file
from pointsman.store.ledger import Ledger
from pointsman.store.sealing import Sealing
from pointsman.store.signing import Keys, public_file
from pointsman.store.verdict import Trust, verify

from .records import record
from .tampering import by_hand, opened


def handed(path: Path, times: int = 1) -> tuple[Ledger, list[bytes]]:
    """Make a ledger whose key was handed over, with events before, between and after."""
    ledger = opened(path)
    keys = [Keys(path.parent / "keys/ledger-private-key.pem").signer().public]
    ledger.append([record(f"before{n}") for n in range(60)])
    for time in range(times):
        old, new = ledger.hand_over()
        assert old == keys[-1]
        keys.append(new)
        ledger.append([record(f"after{time}.{n}") for n in range(60)])
        ledger.seal()
    return ledger, keys


@pytest.mark.parametrize("times", [1, 3])
def test_it_verifies_with_each_of_the_keys(tmp_path: Path, times: int) -> None:
    ledger, keys = handed(tmp_path / "ledger.db", times)
    ledger.close()
    path = ledger.path
    assert len({*keys}) == times + 1
    for key in keys:
        found = verify(path, Trust(keys=frozenset({key})))
        assert found.ok, found.words
        assert set(found.keys) == {each.hex() for each in keys}
    assert verify(path, Trust(home=path, home_key=keys[-1])).ok
    assert verify(path, Trust()).ok
    stranger = Keys(tmp_path / "other.pem").signer().public
    assert verify(path, Trust(keys=frozenset({stranger}))).fault == "rewrite"


def test_what_was_sent_before_and_after_holds(tmp_path: Path) -> None:
    ledger, keys = handed(tmp_path / "ledger.db")
    ledger.close()
    beside = beside_file(ledger.path)
    sent = tmp_path / "sent.jsonl"
    beside.rename(sent)
    for key in keys:
        found = verify(ledger.path, Trust(keys=frozenset({key}), files=(sent,)))
        assert found.ok, found.words


def test_the_old_key_is_gone_and_the_next_writer_has_the_new_one(tmp_path: Path) -> None:
    ledger, keys = handed(tmp_path / "ledger.db")
    ledger.close()
    file = tmp_path / "keys/ledger-private-key.pem"
    assert Keys(file).signer().public == keys[-1]
    assert public_file(file).read_text().strip() == keys[-1].hex()
    assert file.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in file.parent.iterdir()} == {file.name, "ledger.pub"}
    again = opened(ledger.path)
    again.append([record("more")])
    again.close()
    assert verify(ledger.path, Trust(keys=frozenset({keys[0]}))).ok


def test_the_old_key_signs_nothing_afterwards(tmp_path: Path) -> None:
    """Whoever has got hold of the key that was handed over cannot go on with it."""
    path = tmp_path / "ledger.db"
    ledger = opened(path)
    ledger.append([record("one")])
    ledger.seal()
    file = tmp_path / "keys/ledger-private-key.pem"
    stolen = file.read_bytes()
    old, new = ledger.hand_over()
    ledger.close()
    file.unlink()
    file.write_bytes(stolen)
    file.chmod(0o600)
    thief = Ledger.open(path, sealing=Sealing.of(path))
    thief.append([record("two")])
    thief.seal()
    thief.close()
    for key in (old, new):
        found = verify(path, Trust(keys=frozenset({key})))
        assert (found.fault, found.first_bad) == ("rewrite", 2), found.words


def test_only_both_together_hand_over(tmp_path: Path) -> None:
    """A key that puts another one's name into such an act is not believed."""
    ledger, keys = handed(tmp_path / "ledger.db")
    ledger.close()
    mine = Keys(tmp_path / "mine.pem").signer()
    with closing(sqlite3.connect(ledger.path)) as connection:
        (log,) = connection.execute("SELECT log FROM checkpoints LIMIT 1").fetchone()
        forged = handover.made(log, 1, mine, mine)
        for change in ({"to": keys[-1].hex()}, {"from": keys[0].hex()}):
            values = str({**forged, **change}).replace("'", '"')
            connection.execute(
                "INSERT INTO acts VALUES (?, 1, ?, ?)",
                (900 + len(str(change)), handover.HANDED_OVER, values),
            )
        for key in keys:
            assert mine.public not in handover.succession(connection, log, frozenset({key})).places
        other = handover.succession(connection, "another chain", frozenset({keys[0]}))
        assert set(other.places) == {keys[0]}


def test_an_act_of_it_that_is_taken_away_is_missed(tmp_path: Path) -> None:
    ledger, keys = handed(tmp_path / "ledger.db")
    ledger.close()
    by_hand(ledger.path, f"DELETE FROM acts WHERE what = '{handover.HANDED_OVER}'")
    assert verify(ledger.path, Trust(keys=frozenset({keys[0]}))).fault == "deletion"
