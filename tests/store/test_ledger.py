"""The one writer: all or none, durable against a killed process, never overwritten."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.model.decision import deny
from pointsman.model.errors import LedgerError
from pointsman.store import query
from pointsman.store.ledger import Ledger
from pointsman.store.ledger_file import beside

from .records import record, run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger.open(path)
    yield opened
    opened.close()


def calls(path: Path) -> list[str]:
    return [row["tool_use_id"] for row in query.query(path, query.Filter())]


def test_numbers_count_up(ledger: Ledger, path: Path) -> None:
    assert ledger.append([record("a"), record("b")]) == [1, 2]
    assert ledger.append([]) == []
    assert ledger.append([record("c")]) == [3]
    assert calls(path) == ["a", "b", "c"]


def test_a_derived_event_has_a_row_of_its_own(ledger: Ledger, path: Path) -> None:
    child = record("a", decision=deny("no", rule="r"), transport="derived", runs=(run("scope"),))
    assert ledger.append([replace(record("a"), derived=(child,)), record("b")]) == [1, 3]
    rows = list(query.query(path, query.Filter()))
    assert [(row["seq"], row["derived_from"]) for row in rows] == [(1, None), (2, 1), (3, None)]
    assert [one["hook"] for one in query.show(path, 2)["hook_runs"]] == ["scope"]


def test_runs_may_follow_the_event(ledger: Ledger, path: Path) -> None:
    (seq,) = ledger.append([record(runs=(run("first"),))])
    ledger.append_runs(seq, 1, [run("second"), run("third")])
    assert [one["hook"] for one in query.show(path, seq)["hook_runs"]] == [
        "first", "second", "third",
    ]  # fmt: skip


def test_numbers_go_on_after_a_restart(path: Path) -> None:
    for wanted in (1, 2, 3):
        ledger = Ledger.open(path)
        assert ledger.append([record()]) == [wanted]
        ledger.close()


def test_order_is_by_number_when_the_clock_goes_back(ledger: Ledger, path: Path) -> None:
    ledger.append([record("late", at=2_000)])
    ledger.append([record("early", at=1_000)])
    assert calls(path) == ["late", "early"]


KILLED = """
    import sys
    from pathlib import Path
    from pointsman.store.ledger import Ledger
    from store.records import record
    ledger = Ledger.open(Path(sys.argv[1]))
    n = 0
    while True:
        ledger.append([record(f"c{n}"), record(f"c{n + 1}")])
        n += 2
        print(n, flush=True)
"""


def test_what_append_returned_outlives_a_killed_process(path: Path) -> None:
    words = [sys.executable, "-c", textwrap.dedent(KILLED), str(path)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    for _ in range(3):
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env) as child:
            assert child.stdout is not None
            before = len(calls(path)) if path.exists() else 0
            for line in child.stdout:
                acknowledged = int(line)
                if acknowledged >= 60:
                    child.send_signal(signal.SIGKILL)
                    rest = [int(one) for one in child.stdout.read().split("\n")[:-1]]
                    acknowledged = max([acknowledged, *rest])
        found = calls(path)
        assert len(found) - before >= acknowledged
        assert (len(found) - before) % 2 == 0, "a batch is recorded whole or not at all"


def test_a_commit_is_with_the_kernel_when_it_returns(ledger: Ledger) -> None:
    """WAL with NORMAL (1): written at each commit, synced at each checkpoint."""
    pragmas = {"journal_mode": "wal", "synchronous": 1, "wal_autocheckpoint": 0}
    for name, value in pragmas.items():
        assert ledger._connection.execute(f"PRAGMA {name}").fetchone() == (value,)


@pytest.mark.parametrize("table", ["events", "bodies", "hook_runs", "notes"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = 1", "DELETE FROM {}"])
def test_it_is_append_only(ledger: Ledger, path: Path, table: str, statement: str) -> None:
    ledger.append([record(runs=(run(),))])
    ledger.note("kind", "text")
    column = "n" if table == "notes" else "seq"
    other = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement.format(table, column))
    other.close()


def test_retention_removes_what_is_older_in_steps(ledger: Ledger, path: Path) -> None:
    ledger.append([record(f"c{n}", at=n, runs=(run(),)) for n in range(1, 8)])
    assert ledger.prune(5, batch=3) == 3
    assert ledger.prune(5, batch=3) == 1
    assert ledger.prune(5, batch=3) == 0
    assert calls(path) == ["c5", "c6", "c7"]
    connection = sqlite3.connect(path)
    for table in ("bodies", "hook_runs"):
        assert connection.execute(f"SELECT min(seq) FROM {table}").fetchone() == (5,)
    with pytest.raises(sqlite3.IntegrityError):  # The gate is shut again.
        connection.execute("DELETE FROM events")
    connection.close()


def test_the_checkpoint_moves_the_log_into_the_file(ledger: Ledger, path: Path) -> None:
    ledger.append([record(f"c{n}") for n in range(50)])
    before = path.stat().st_size
    ledger.checkpoint()
    assert path.stat().st_size > before
    assert len(calls(path)) == 50


def test_a_full_file_records_nothing_and_goes_on_when_there_is_room(
    ledger: Ledger, path: Path
) -> None:
    ledger.append([record("before")])
    connection = ledger._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(LedgerError, match=r"cannot be written.*full") as caught:
        ledger.append([record("x", payload=b"x" * 100_000), record("y")])
    assert caught.value.fix.startswith("free space there (df -h ")
    connection.execute(f"PRAGMA max_page_count={pages + 1000}")
    ledger.append([record("after")])
    assert calls(path) == ["before", "after"]


def test_a_value_that_cannot_be_held_leaves_no_open_transaction(ledger: Ledger, path: Path) -> None:
    with pytest.raises(OverflowError):
        ledger.append([record("bad", at=2**70)])
    assert ledger.append([record("good")]) == [1]
    assert calls(path) == ["good"]


def test_a_second_writer_costs_no_record(ledger: Ledger, path: Path) -> None:
    other = Ledger.open(path)
    assert other.append([record("theirs")]) == [1]
    assert ledger.append([record("ours")]) == [2]
    other.close()
    assert calls(path) == ["theirs", "ours"]


def test_a_writer_that_holds_the_file_is_an_error_not_a_wait(ledger: Ledger, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="locked") as caught:
        ledger.append([record()])
    assert "end the other program" in caught.value.fix
    other.close()
    assert ledger.append([record()]) == [1]


@pytest.mark.parametrize(
    "damage",
    [
        b"this is no database at all, but it is long enough to be looked at" * 40,
        b"SQLite format 3\0" + bytes(range(256)) * 30,
    ],
)
def test_a_damaged_file_is_set_aside_whole(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    ledger = Ledger.open(path)
    ledger.append([record("new")])
    ledger.close()
    (kept,) = beside(path)
    assert kept.read_bytes() == damage
    assert calls(path) == ["new"]
    (note,) = query.notes(path)
    assert note["kind"] == "ledger set aside"
    assert str(kept) in note["text"]


def test_each_damaged_file_is_kept(path: Path) -> None:
    for n in range(3):
        path.write_bytes(b"%d is no database" % n * 100)
        Ledger.open(path, clock=lambda: 0).close()
    assert [file.read_bytes()[:1] for file in beside(path)] == [b"0", b"1", b"2"]


def test_damage_found_while_running_costs_only_what_was_damaged(path: Path) -> None:
    ledger = Ledger.open(path)
    ledger.append([record(f"c{n}", payload=b"x" * 5000) for n in range(40)])
    ledger.checkpoint()
    ledger.close()
    ledger = Ledger.open(path)
    with path.open("r+b") as file:  # Every page but the first, behind SQLite's back.
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    seqs = ledger.append([record("after")])
    ledger.close()
    assert calls(path) == ["after"]
    assert seqs[0] > 40, "numbers go on"
    (kept,) = beside(path)
    assert kept.stat().st_size > 200_000


@pytest.mark.parametrize("size", [0, 4096, 100_000])
def test_a_file_that_is_cut_is_set_aside_and_nothing_new_is_lost(path: Path, size: int) -> None:
    ledger = Ledger.open(path)
    ledger.append([record(f"c{n}", payload=b"x" * 3000) for n in range(100)])
    ledger.checkpoint()
    ledger.append([record("in the log")])
    log = Path(f"{path}-wal").read_bytes()
    assert path.stat().st_size > 200_000
    os.truncate(path, size)
    for n in range(20):
        ledger.append([record(f"after{n}", payload=b"y" * 3000)])
    ledger.checkpoint()
    ledger.close()
    assert calls(path) == [f"after{n}" for n in range(20)]
    (kept,) = beside(path)
    assert Path(f"{kept}-wal").read_bytes() == log
    (note,) = query.notes(path)
    assert " was cut from " in note["text"]
    assert f"to {size} bytes" in note["text"]


def test_a_file_that_shrank_and_is_sound_goes_on(ledger: Ledger, path: Path) -> None:
    ledger.append([record(f"c{n}", at=1, payload=b"x" * 3000) for n in range(100)])
    ledger.prune(5, batch=90)
    ledger.checkpoint()
    size = path.stat().st_size
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("VACUUM")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    assert path.stat().st_size < size
    ledger.append([record("after")])
    assert len(calls(path)) == 11
    assert beside(path) == []


def test_a_log_without_its_file_is_set_aside_not_deleted(path: Path, tmp_path: Path) -> None:
    ledger = Ledger.open(path)
    ledger.append([record("in the log")])
    saved = tmp_path / "saved-wal"
    shutil.copy(f"{path}-wal", saved)
    ledger.close()
    path.unlink()
    shutil.copy(saved, f"{path}-wal")
    Ledger.open(path).close()
    (kept,) = tmp_path.glob("ledger.db.corrupt-*-wal")
    assert kept.read_bytes() == saved.read_bytes()
    assert query.notes(path)[0]["kind"] == "ledger set aside"


@pytest.mark.parametrize("victims", [("",), ("-wal",), ("", "-wal", "-shm"), ("-shm", "-wal")])
def test_a_deleted_file_is_put_back(ledger: Ledger, path: Path, victims: tuple[str, ...]) -> None:
    ledger.append([record("checkpointed")])
    ledger.checkpoint()
    ledger.append([record("in the log")])
    for suffix in victims:
        Path(f"{path}{suffix}").unlink()
    assert ledger.append([record("after")]) == [3]
    assert calls(path) == ["checkpointed", "in the log", "after"]
    assert [note["kind"] for note in query.notes(path)] == ["ledger put back"]
    ledger.close()
    assert calls(path) == ["checkpointed", "in the log", "after"]


def test_a_replaced_file_is_put_back_and_the_other_kept(ledger: Ledger, path: Path) -> None:
    ledger.append([record("ours")])
    path.rename(path.with_name("moved"))
    other = Ledger.open(path)
    other.append([record("theirs")])
    other.close()
    ledger.check_in_place()
    assert calls(path) == ["ours"]
    (kept,) = beside(path)
    assert calls(kept) == ["theirs"]


def test_a_ledger_that_is_another_daemons_by_now_is_left_alone(path: Path) -> None:
    mine = [True]
    ledger = Ledger.open(path, held=lambda: mine[0])
    ledger.append([record("old")])
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    theirs = Ledger.open(path)
    theirs.append([record("theirs")])
    mine[0] = False
    with pytest.raises(LedgerError, match="another daemon's by now"):
        ledger.append([record("refused")])
    rescued = ledger.rescue()
    assert rescued is not None
    ledger.close()
    theirs.close()
    assert calls(path) == ["theirs"]
    assert calls(rescued) == ["old"]


def test_what_was_rescued_is_taken_up_where_there_is_no_ledger(path: Path) -> None:
    ledger = Ledger.open(path)
    ledger.append([record("old")])
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    assert ledger.rescue()
    ledger.close()
    again = Ledger.open(path)
    assert again.append([record("new")]) == [2]
    again.close()
    assert calls(path) == ["old", "new"]
    assert beside(path) == []


def test_a_ledger_in_place_needs_no_rescue(ledger: Ledger) -> None:
    assert ledger.rescue() is None


def test_a_newer_file_is_refused_and_left_as_it_is(path: Path) -> None:
    Ledger.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="schema 99, this program knows up to") as caught:
        Ledger.open(path)
    assert "upgrade pointsman" in caught.value.fix
    assert path.read_bytes() == before
    assert beside(path) == []


def test_a_directory_in_its_place(path: Path) -> None:
    path.mkdir()
    with pytest.raises(LedgerError, match="Is a directory") as caught:
        Ledger.open(path)
    assert caught.value.fix == f"mv {path} {path}.aside; pointsman up"


def test_no_directory_for_it(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="No such file") as caught:
        Ledger.open(tmp_path / "gone" / "ledger.db")
    assert "check that" in caught.value.fix


def test_only_its_owner_reads_it(ledger: Ledger, path: Path) -> None:
    ledger.append([record()])
    for suffix in ("", "-wal", "-shm"):
        assert Path(f"{path}{suffix}").stat().st_mode & 0o077 == 0
