"""Whatever is done to a ledger behind its back is found, and named for what it is."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.model.errors import LedgerError
from pointsman.store import chain, faults
from pointsman.store import verify as verify_room
from pointsman.store.backlog import Backlog
from pointsman.store.beside import beside_file
from pointsman.store.ledger import Ledger
from pointsman.store.signing import Keys
from pointsman.store.verdict import Trust, Verdict, verify

from .records import record, run
from .tampering import by_hand, copied, filled, opened, recomputed, resigned, swapped

ROWS = 200
Hand = Callable[[Path], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("whole") / "ledger.db", ROWS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("small") / "ledger.db", 50)


def judged(ledger: Path, *files: Path, keys: frozenset[bytes] = frozenset()) -> Verdict:
    return verify(ledger, Trust(files=files, keys=keys))


def sql(*statements: str) -> Hand:
    return lambda ledger: by_hand(ledger, *statements)


def all_of(where: str) -> list[str]:
    """Return what takes events out of every table that has a part of them."""
    return [
        f"DELETE FROM chain WHERE kind IN (1, 2) AND ref IN (SELECT seq FROM events WHERE {where})",
        *(f"DELETE FROM {table} WHERE {where}" for table in ("events", "bodies", "hook_runs")),
    ]


def cut_after(seq: int) -> list[str]:
    end = f"(SELECT n FROM chain WHERE kind = 1 AND ref = {seq})"
    late = f"(SELECT ref, low FROM chain WHERE kind = 2 AND n > {end})"
    return [
        f"DELETE FROM notes WHERE n IN (SELECT ref FROM chain WHERE kind = 3 AND n > {end})",
        f"DELETE FROM hook_runs WHERE (seq, n) IN {late}",
        f"DELETE FROM chain WHERE n > {end}",
        *(f"DELETE FROM {table} WHERE seq > {seq}" for table in ("events", "bodies", "hook_runs")),
    ]


def exchanged(*tables: str, one: int = 71, other: int = 85) -> Hand:
    def hand(ledger: Path) -> None:
        for table in tables:
            swapped(ledger, table, "seq", one, other)

    return hand


def closed_up(ledger: Path) -> None:
    """Take an event out and close the numbers of the chain up behind it."""
    at = "(SELECT n FROM chain WHERE kind = 1 AND ref = 76)"
    by_hand(
        ledger,
        *all_of("seq = 77"),
        f"UPDATE chain SET n = -n WHERE n > {at}",
        "UPDATE chain SET n = -n - 1 WHERE n < 0",
    )


def changed(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE events SET reason = 'as it suits me' WHERE seq = 77")


def redone(ledger: Path, *columns: str) -> None:
    """Change an event and put its new digest down, also its new hash, but not what follows."""
    keep = _rows(ledger, "SELECT n, digest, hash FROM chain")
    recomputed(ledger, changed)
    for n, digest, hash_ in keep:
        own = _rows(ledger, f"SELECT ref = 77 AND kind = 1 FROM chain WHERE n = {n}") == [(1,)]
        if not own or "hash" not in columns:
            by_hand(ledger, f"UPDATE chain SET hash = ? WHERE n = {n}", values=(hash_,))
        if not own:
            by_hand(ledger, f"UPDATE chain SET digest = ? WHERE n = {n}", values=(digest,))


def renamed(ledger: Path) -> None:
    """Give two events one another's number wherever there is one."""
    for table in ("events", "bodies", "hook_runs"):
        swapped(ledger, table, "seq", 71, 85)
    moves = ((71, -1), (85, 71), (-1, 85))
    by_hand(
        ledger,
        *(f"UPDATE chain SET ref = {to} WHERE ref = {was} AND kind = 1" for was, to in moves),
    )


def unsigned(ledger: Path) -> None:
    """Change an event, make the chain fit, and take away what vouched for another one."""
    recomputed(ledger, changed)
    by_hand(ledger, "DELETE FROM checkpoints")


def forged(ledger: Path) -> None:
    """Change an event, make the chain fit, and sign it all with a key of one's own."""
    recomputed(ledger, changed)
    resigned(ledger, Keys(ledger.with_name("own.pem")).signer())


TAMPERING: dict[str, tuple[Hand, str, int]] = {
    "a reason": (sql("UPDATE events SET reason = 'x' WHERE seq = 77"), "edit", 77),
    "the first record": (sql("UPDATE events SET cwd = '/' WHERE seq = 1"), "edit", 1),
    "the last record": (sql("UPDATE events SET cwd = '/' WHERE seq = 200"), "edit", 200),
    "a time": (sql("UPDATE events SET received_ns = 5 WHERE seq = 77"), "edit", 77),
    "nothing becomes a word": (sql("UPDATE events SET cause = 'None' WHERE seq = 75"), "edit", 75),
    "a payload": (sql("UPDATE bodies SET payload = x'7b7d' WHERE seq = 77"), "edit", 77),
    "bytes moved within a body": (
        sql("UPDATE bodies SET stdout = payload, payload = x'' WHERE seq = 77"), "edit", 77,
    ),
    "a hook run": (sql("UPDATE hook_runs SET outcome = 'x' WHERE seq = 7 AND n = 1"), "edit", 7),
    "a late hook run": (
        sql("UPDATE hook_runs SET reason = 'x' WHERE seq = 11 AND n = 5"), "edit", 11,
    ),
    "a note": (sql("UPDATE notes SET text = 'x' WHERE n = 3"), "edit", 30),
    "an event put in": (
        sql(f"INSERT INTO events SELECT 900, {chain.EVENT_COLUMNS} FROM events WHERE seq = 5"),
        "edit", 900,
    ),
    "a hook run put in": (
        sql("INSERT INTO hook_runs VALUES (50, 9, 'h', 'r', 'e', 1, 1, 'o', 1, '', '', '', '')"),
        "edit", 50,
    ),
    "a note put in": (sql("INSERT INTO notes VALUES (99, 1, 'k', 't', '{}')"), "edit", 200),
    "a hash of the chain": (sql("UPDATE chain SET hash = x'00' WHERE n = 1"), "edit", 1),
    "a record and its digest": (lambda ledger: redone(ledger, "digest"), "edit", 77),
    "a record and its hash": (lambda ledger: redone(ledger, "digest", "hash"), "edit", 77),
    "a text that is none": (
        sql("UPDATE events SET reason = CAST(x'ff' AS TEXT) WHERE seq = 77"), "edit", 77,
    ),
    "a checkpoint": (sql("UPDATE checkpoints SET ns = 5 WHERE seq = 2"), "edit", 51),
    "what a checkpoint keeps of the tree": (
        sql("UPDATE checkpoints SET frontier = randomblob(32) WHERE seq = 3"), "edit", 101,
    ),
    "a derived row": (sql("UPDATE events SET cwd = '/' WHERE seq = 70"), "edit", 70),
    "a derived row's origin": (
        sql("UPDATE events SET derived_from = 68 WHERE seq = 70"), "edit", 70,
    ),
    "a digest": (
        sql("UPDATE chain SET digest = randomblob(32) WHERE ref = 77 AND kind = 1"), "edit", 77,
    ),
    "a salt": (
        sql("UPDATE chain SET salt = randomblob(16) WHERE ref = 77 AND kind = 1"), "edit", 77,
    ),
    "an event and its salt": (
        sql("UPDATE chain SET salt = NULL WHERE ref = 77 AND kind = 1",
            "DELETE FROM bodies WHERE seq = 77"), "edit", 77,
    ),
    "an event's row": (sql("DELETE FROM events WHERE seq = 77"), "deletion", 77),
    "all of an event": (sql(*all_of("seq = 77")), "deletion", 77),
    "all of the first event": (sql(*all_of("seq = 1")), "deletion", 1),
    "all of many events": (sql(*all_of("seq BETWEEN 60 AND 90")), "deletion", 60),
    "an event, closed up": (closed_up, "deletion", 77),
    "a row, those behind it moved up": (
        sql("DELETE FROM events WHERE seq = 77",
            "UPDATE events SET seq = 1 - seq WHERE seq > 77",
            "UPDATE events SET seq = -seq WHERE seq < 0"), "deletion", 77,
    ),
    "a derived event": (sql(*all_of("seq = 70")), "deletion", 70),
    "the first event and its checkpoint": (
        sql(*all_of("seq = 1"), "DELETE FROM checkpoints WHERE seq = 1"), "deletion", 1,
    ),
    "an event said to be purged": (
        sql("INSERT INTO gone SELECT ref, 0, digest, NULL, NULL FROM chain WHERE ref = 77"
            " AND kind = 1", "DELETE FROM bodies WHERE seq = 77",
            "UPDATE chain SET salt = x'' WHERE ref = 77 AND kind = 1"), "deletion", 77,
    ),
    "a body": (sql("DELETE FROM bodies WHERE seq = 77"), "deletion", 77),
    "the runs of an event": (sql("DELETE FROM hook_runs WHERE seq = 7"), "deletion", 7),
    "one run of an event": (sql("DELETE FROM hook_runs WHERE seq = 7 AND n = 0"), "deletion", 7),
    "a late run": (sql("DELETE FROM hook_runs WHERE seq = 11 AND n = 5"), "deletion", 11),
    "a note, deleted": (sql("DELETE FROM notes WHERE n = 3"), "deletion", 30),
    "a note and its entry": (
        sql("DELETE FROM notes WHERE n = 3", "DELETE FROM chain WHERE kind = 3 AND ref = 3"),
        "deletion", 30,
    ),
    "the beginning of the chain": (sql("DELETE FROM acts"), "deletion", 1),
    "a checkpoint, deleted": (sql("DELETE FROM checkpoints WHERE seq = 2"), "deletion", 51),
    "the last checkpoints": (sql("DELETE FROM checkpoints WHERE seq > 2"), "deletion", 101),
    "all checkpoints": (sql("DELETE FROM checkpoints"), "deletion", 1),
    "the last rows": (sql("DELETE FROM events WHERE seq > 150"), "truncation", 151),
    "the last row": (sql("DELETE FROM events WHERE seq = 200"), "truncation", 200),
    "the last event, and notes stay": (sql(*all_of("seq = 200")), "truncation", 200),
    "the last event and what vouched for it": (
        sql(*all_of("seq = 200"), "DELETE FROM checkpoints WHERE last = 200"), "truncation", 200,
    ),
    "the middle of a batch on": (
        sql(*cut_after(155), "DELETE FROM checkpoints WHERE last > 155"), "truncation", 156,
    ),
    "the last events": (sql(*all_of("seq > 150")), "truncation", 151),
    "the tail": (sql(*cut_after(150)), "truncation", 151),
    "the tail and its checkpoints": (
        sql(*cut_after(150), "DELETE FROM checkpoints WHERE last > 150"), "truncation", 151,
    ),
    "everything": (
        sql(*(f"DELETE FROM {table}" for table in ("events", "bodies", "hook_runs", "notes", "acts",
                                                   "chain", "checkpoints"))), "truncation", 1,
    ),
    "two rows": (exchanged("events"), "reorder", 71),
    "two bodies": (exchanged("bodies"), "reorder", 71),
    "two events": (exchanged("events", "bodies", "hook_runs"), "reorder", 71),
    "two neighbours": (
        exchanged("events", "bodies", "hook_runs", one=71, other=72), "reorder", 71,
    ),
    "the first and the last": (
        exchanged("events", "bodies", "hook_runs", one=1, other=199), "reorder", 1,
    ),
    "two events with their entries": (renamed, "reorder", 71),
    "all rows": (
        sql("UPDATE events SET seq = -seq", "UPDATE events SET seq = 201 + seq"), "reorder", 1,
    ),
    "a row moved to the end": (sql("UPDATE events SET seq = 900 WHERE seq = 50"), "reorder", 50),
    "two notes": (lambda ledger: swapped(ledger, "notes", "n", 3, 9), "reorder", 30),
    "two entries": (lambda ledger: swapped(ledger, "chain", "n", 1, 2), "reorder", 2),
    "a chain that fits": (lambda ledger: recomputed(ledger, changed), "rewrite", 51),
    "a chain that fits, signed": (forged, "rewrite", 51),
    "a chain that fits, unsigned": (unsigned, "rewrite", 51),
    "the chain": (sql("DELETE FROM chain"), "rewrite", 1),
}  # fmt: skip


def test_an_untouched_one_verifies(whole: Path) -> None:
    found = judged(whole)
    assert (found.ok, found.fault, found.first_bad) == (True, None, None)
    assert found.entries == found.signed == 1 + ROWS + 20 + 20
    assert found.records == ROWS + 20 + 20
    assert found.checkpoints == 5


@pytest.mark.parametrize("name", TAMPERING)
def test_each_hand_is_named(whole: Path, tmp_path: Path, name: str) -> None:
    hand, fault, first = TAMPERING[name]
    ledger = copied(whole, tmp_path / "ledger.db")
    assert judged(ledger).ok
    hand(ledger)
    found = judged(ledger)
    assert (found.ok, found.fault, found.first_bad) == (False, fault, first), found.words
    assert found.words


@pytest.mark.parametrize(
    ("hand", "fault", "first"),
    [
        (sql(*cut_after(150), "DELETE FROM checkpoints WHERE last > 150"), "truncation", 151),
        (forged, "rewrite", 51),
    ],
)
def test_what_was_sent_elsewhere_tells_what_the_file_cannot(
    whole: Path, tmp_path: Path, hand: Hand, fault: str, first: int
) -> None:
    """With the file beside it and the key gone as well, only what was sent elsewhere knows."""
    ledger = copied(whole, tmp_path / "ledger.db", beside=False)
    hand(ledger)
    assert judged(ledger).ok
    assert not judged(ledger).known, "and it says that nobody vouches for that key"
    sent = tmp_path / "elsewhere.jsonl"
    shutil.copy(beside_file(whole), sent)
    found = judged(ledger, sent)
    assert (found.fault, found.first_bad) == (fault, first)


def test_the_own_key_tells_a_forged_signature(whole: Path, tmp_path: Path) -> None:
    ledger = copied(whole, tmp_path / "ledger.db", beside=False)
    own = Keys(whole.parent / "keys/ledger-private-key.pem").signer().public
    assert judged(ledger, keys=frozenset({own})).known
    forged(ledger)
    found = judged(ledger, keys=frozenset({own}))
    assert (found.fault, found.first_bad) == ("rewrite", 1)
    home = Trust(home=ledger, home_key=own)
    assert verify(ledger, home).fault == "rewrite"


def test_an_older_copy_is_not_cut_and_a_cut_one_is(tmp_path: Path) -> None:
    """Held against the original's checkpoints, which have gone on meanwhile."""
    home = filled(tmp_path / "ledger.db", 100)
    key = Keys(tmp_path / "keys/ledger-private-key.pem").signer().public
    trust = Trust(home=home, home_key=key)
    old = copied(home, tmp_path / "old/copy.db", beside=False)
    cut = copied(home, tmp_path / "cut/copy.db", beside=False)
    writer = opened(home)
    writer.append([record(f"later{n}") for n in range(60)])
    writer.close()
    found = verify(old, trust)
    assert (found.ok, found.files) == (True, (str(beside_file(home)),)), found.words
    by_hand(cut, *cut_after(50), "DELETE FROM checkpoints WHERE last > 50")
    assert (verify(cut, trust).fault, verify(cut, trust).first_bad) == ("truncation", 51)
    assert judged(old, beside_file(home)).fault == "truncation", "named, it counts as a whole"


def test_a_copy_that_was_written_anew_is_held_against_the_original(tmp_path: Path) -> None:
    """By itself it tells behind which checkpoint; the original tells which event it is."""
    home = filled(tmp_path / "ledger.db", 100)
    trust = Trust(
        home=home, home_key=Keys(tmp_path / "keys/ledger-private-key.pem").signer().public
    )
    copy = copied(home, tmp_path / "copy/copy.db")
    recomputed(copy, changed)
    assert (judged(copy).fault, judged(copy).first_bad) == ("rewrite", 51)
    found = verify(copy, trust)
    assert (found.fault, found.first_bad) == ("rewrite", 77), found.words
    forged(copy)
    assert (verify(copy, trust).fault, verify(copy, trust).first_bad) == ("rewrite", 77)
    home.unlink()
    assert verify(copy, trust).fault == "rewrite"


def test_an_older_copy_in_its_place_is_cut(tmp_path: Path) -> None:
    home = filled(tmp_path / "ledger.db", 100)
    old = copied(home, tmp_path / "old.db", beside=False)
    writer = opened(home)
    writer.append([record(f"later{n}") for n in range(60)])
    writer.close()
    shutil.copy(old, home)
    assert (judged(home).fault, judged(home).first_bad) == ("truncation", 101)


def test_half_of_it_signed_with_a_key_of_ones_own_is_a_rewrite(whole: Path, tmp_path: Path) -> None:
    """Also where nobody has said which key it is: it does not change unless it is handed over."""
    ledger = copied(whole, tmp_path / "ledger.db", beside=False)
    recomputed(ledger, changed)
    resigned(ledger, Keys(tmp_path / "own.pem").signer(), behind=1)
    assert (judged(ledger).fault, judged(ledger).first_bad) == ("rewrite", 51)


def test_so_many_moved_that_not_all_are_kept_in_mind(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (verify_room, faults):
        monkeypatch.setattr(module, "MOST_BAD", 20)
    ledger = copied(whole, tmp_path / "ledger.db")
    for table in ("events", "bodies", "hook_runs"):
        turned = (f"UPDATE {table} SET seq = -seq", f"UPDATE {table} SET seq = {ROWS + 1} + seq")
        by_hand(ledger, *turned)
    assert (judged(ledger).fault, judged(ledger).first_bad) == ("reorder", 1)


def test_another_ledger_in_its_place_is_a_rewrite(whole: Path, tmp_path: Path) -> None:
    other = filled(tmp_path / "other" / "ledger.db", 20) if _made(tmp_path / "other") else whole
    ledger = copied(whole, tmp_path / "ledger.db")
    shutil.copy(other, ledger)
    assert (judged(ledger).fault, judged(ledger).first_bad) == ("rewrite", 1)
    beside_file(ledger).unlink()
    assert judged(ledger).ok
    assert judged(ledger, beside_file(whole)).fault == "rewrite"


def _made(folder: Path) -> bool:
    folder.mkdir()
    return True


def test_one_that_grew_again_after_a_cut_is_cut(whole: Path, tmp_path: Path) -> None:
    ledger = copied(whole, tmp_path / "ledger.db")
    shutil.copytree(whole.parent / "keys", tmp_path / "keys")
    by_hand(ledger, *cut_after(150), "DELETE FROM checkpoints WHERE last > 150")
    writer = opened(ledger)
    notes = [text for (text,) in _rows(ledger, "SELECT kind FROM notes")]
    assert notes[-1] == "ledger cut"
    writer.append([record(f"more{n}", at=n) for n in range(120)])
    writer.close()
    found = judged(ledger)
    assert found.fault == "truncation"
    assert found.first_bad == 151


def test_bytes_changed_in_the_file_itself(whole: Path, tmp_path: Path) -> None:
    ledger = copied(whole, tmp_path / "ledger.db")
    data = ledger.read_bytes()
    at = data.index(b"no 77")
    ledger.write_bytes(data[:at] + b"no 78" + data[at + 5 :])
    found = judged(ledger)
    assert (found.fault, found.first_bad) == ("edit", 78)  # call77 is event 78.


CELLS = {
    "events": ("seq", ["received_ns", "host", "session", "path", "reason", "exit_code", "rule"]),
    "bodies": ("seq", ["payload", "stdout"]),
    "hook_runs": ("seq", ["hook", "started_ns", "reason", "n"]),
    "notes": ("n", ["ns", "kind", "text", "data"]),
    "acts": ("n", ["ns", "what", "data"]),
    "chain": ("n", ["kind", "ref", "low", "high", "digest", "hash", "salt"]),
    "checkpoints": ("seq", ["tree_size", "root", "previous", "ns", "last", "key", "signature"]),
}
EACH = [(table, what) for table in CELLS for what in ["delete", *CELLS[table][1]]]


@pytest.mark.parametrize(("table", "what"), EACH)
@given(choice=st.integers(0, 10_000), salt=st.integers(1, 200))
@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_one_mutation_is_always_found(
    small: Path, tmp_path: Path, table: str, what: str, choice: int, salt: int
) -> None:
    ledger = copied(small, tmp_path / "ledger.db")
    names = ["seq", "n"] if table == "hook_runs" else CELLS[table][0].split()
    rows = _rows(ledger, f"SELECT {', '.join(names)} FROM {table} ORDER BY 1")
    row = rows[choice % len(rows)]
    where = " AND ".join(f"{name} = {value}" for name, value in zip(names, row, strict=True))
    if what == "delete":
        by_hand(ledger, f"DELETE FROM {table} WHERE {where}")
    else:
        ((was,),) = _rows(ledger, f"SELECT {what} FROM {table} WHERE {where}")
        by_hand(ledger, f"UPDATE {table} SET {what} = ? WHERE {where}", values=(_other(was, salt),))
    found = judged(ledger)
    assert not found.ok
    assert found.first_bad


def _other(was: Any, salt: int) -> Any:
    """Return a value of the same kind that is another one."""
    if isinstance(was, int):
        return was + 1000 + salt
    if isinstance(was, str):
        return f"{was}{salt}"
    at = salt % len(was) if was else 0
    return was[:at] + bytes([was[at] ^ salt]) + was[at + 1 :] if was else bytes([salt])


def _rows(ledger: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(ledger)) as connection:
        return connection.execute(statement).fetchall()


def test_memory_does_not_grow_with_the_ledger(tmp_path: Path) -> None:
    peaks = []
    for rows in (400, 4000):
        folder = tmp_path / str(rows)
        folder.mkdir()
        ledger = filled(folder / "ledger.db", rows)
        judged(ledger)  # What is imported or cached once is not what a ledger costs.
        tracemalloc.start()
        found = judged(ledger)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.ok
        assert found.records == rows * 12 // 10
    assert peaks[1] < peaks[0] * 1.5


def test_it_verifies_while_somebody_writes(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    for first in range(0, 300, 30):
        seqs = ledger.append([record(f"c{n}", runs=(run(),)) for n in range(first, first + 30)])
        ledger.append_runs(seqs[0], 1, [run("late")])
        assert judged(ledger.path).ok
    ledger.close()
    assert judged(ledger.path).ok


KILLED = """
    import sys
    from pathlib import Path
    from store.records import record, run
    from store.tampering import opened
    ledger = opened(Path(sys.argv[1]))
    while True:
        seqs = ledger.append([record(runs=(run(),)), record()])
        ledger.append_runs(seqs[0], 1, [run("late")])
        ledger.note("kind", "text")
        print(seqs[-1], flush=True)
"""


def test_it_verifies_after_a_killed_writer(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    words = [sys.executable, "-c", textwrap.dedent(KILLED), str(ledger)]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    for round_ in range(1, 4):
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if int(line) > 90 * round_:
                    child.send_signal(signal.SIGKILL)
                    break
            child.stdout.read()
        found = judged(ledger)
        assert found.ok, found.words
        assert found.records > 90 * round_


def test_it_verifies_after_it_was_put_back(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    ledger.append([record(f"c{n}") for n in range(70)])
    ledger.path.unlink()
    ledger.append([record("after")])
    assert judged(ledger.path).ok
    ledger.close()
    assert judged(ledger.path).records == 72  # And the note that says so.


def test_the_next_one_goes_on_where_a_damaged_one_was_set_aside(tmp_path: Path) -> None:
    path = filled(tmp_path / "ledger.db", 100)
    path.write_bytes(b"no database at all" * 1000)
    ledger = opened(path)
    ledger.append([record("new")])
    assert judged(path).ok, "before anything of it is signed"
    ledger.seal()
    assert judged(path).ok
    ledger.close()
    assert judged(path).ok
    path.unlink()
    Ledger.open(path.with_name("else.db")).close()
    shutil.copy(path.with_name("else.db"), path)
    assert judged(path).fault == "rewrite", "another one that nobody of ours began"


def test_it_verifies_with_what_a_full_disk_had_refused(tmp_path: Path) -> None:
    ledger = opened(tmp_path / "ledger.db")
    backlog = Backlog(ledger)
    backlog.append([record("before")])
    (pages,) = ledger._connection.execute("PRAGMA page_count").fetchone()
    ledger._connection.execute(f"PRAGMA max_page_count={pages}")
    for number in range(5):
        with pytest.raises(LedgerError):
            backlog.append([record(f"c{number}", payload=b"x" * 100_000)])
    assert judged(ledger.path).ok
    ledger._connection.execute("PRAGMA max_page_count=1000000")
    assert backlog.catch_up() == 5
    ledger.close()
    found = judged(ledger.path)
    assert (found.ok, found.records) == (True, 6), found.words


def test_two_writers_of_one_file_do_not_break_the_chain(tmp_path: Path) -> None:
    one = opened(tmp_path / "ledger.db")
    other = opened(tmp_path / "ledger.db")
    for number in range(40):
        one.append([record(f"one{number}")])
        other.note("kind", f"other {number}")
        other.append_runs(1, 2 * number, [run()])
        one.note("kind", f"one {number}")
        other.append([record(f"other{number}")])
    one.close()
    other.close()
    found = judged(one.path)
    assert found.ok, found.words
    assert found.records == 40 * 5


def test_one_from_before_there_was_a_chain(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (seq)")
    with pytest.raises(LedgerError, match="before there was a chain"):
        judged(path)
