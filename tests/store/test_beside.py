"""The file beside the ledger stays small, and what is left of it still tells."""

import itertools
from pathlib import Path

from pointsman.store.beside import Beside, beside_file
from pointsman.store.checkpoints import Checkpoint, read_lines
from pointsman.store.signing import Keys
from pointsman.store.verdict import Trust, verify

from .records import record
from .tampering import by_hand, opened
from .test_verify import cut_after


def checkpoint(number: int, size: int) -> Checkpoint:
    return Checkpoint(number, "log", size, bytes(32), bytes(32), number, size, bytes(32), bytes(64))


def test_it_is_thinned_out_the_older_the_sparser(tmp_path: Path) -> None:
    most = 40_000
    beside = Beside(tmp_path / "x.checkpoints", most)
    for number in range(1, 2001):
        beside.write(checkpoint(number, number * 10))
        assert beside.path.stat().st_size <= most
    kept = [each.seq for each in read_lines(beside.path)]
    assert kept == sorted(kept)
    assert kept[0] == 1, "the first one stays"
    assert kept[-20:] == list(range(1981, 2001)), "and so does what is new"
    steps = [later - earlier for earlier, later in itertools.pairwise(kept)]
    half = len(steps) // 2
    assert sum(steps[:half]) > 4 * sum(steps[half:])
    assert beside.path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [beside.path.name]


def test_a_quiet_time_is_one_line_also_after_it(tmp_path: Path) -> None:
    beside = Beside(tmp_path / "x.checkpoints", 5_000)
    for number in range(1, 100):
        beside.write(checkpoint(number, number))
    for number in range(100, 200):
        beside.write(checkpoint(number, 100))
    assert sum(each.tree_size == 100 for each in read_lines(beside.path)) <= 2
    assert [*read_lines(beside.path)][-1].seq == 199


def test_a_ledger_verifies_by_what_is_left(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    beside = Beside(beside_file(ledger.path), 8_000)
    ledger._sealing.sent = beside.write
    for number in range(40):
        ledger.append([record(f"c{number}.{n}") for n in range(50)])
    ledger.close()
    assert len([*read_lines(beside.path)]) < 30
    assert verify(ledger.path, Trust()).ok
    by_hand(ledger.path, *cut_after(1100), "DELETE FROM checkpoints WHERE last > 1100")
    found = verify(ledger.path, Trust())
    assert (found.fault, found.first_bad) == ("truncation", 1101)
    assert Keys(tmp_path / "keys/ledger-private-key.pem").signer().public.hex() in found.keys
