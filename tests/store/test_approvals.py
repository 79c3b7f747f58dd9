"""The store of approvals: one winner of every race, a history, a file of its own."""

import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from approving import MINUTE, WHO, Clock, question, store_in
from pointsman.model.approval import Risk, State, Terms, Timeout
from pointsman.model.errors import ApprovalError
from pointsman.store.approval_rows import MOST_INPUT
from pointsman.store.approvals import Approvals, moment, waiting_in


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Approvals]:
    made = store_in(tmp_path, clock)
    yield made
    made.close()


def test_a_question_comes_back_as_it_was_put(store: Approvals) -> None:
    one = question(
        risk=Risk(reversible="yes", reach=("files", "network"), cost="1 euro", rollback="undo"),
        agent_id="a", host_pid=7, terms=Terms(wait=1, on_timeout=Timeout.ESCALATE, valid_for=2.5),
        tool_input={"command": "\ud800 é\0", "n": [1, None]},
    )  # fmt: skip
    store.add(one)
    assert store.get(one.id) == one
    assert store.find(one.binding.key) == [one]
    (first,) = store.history(one.id)
    assert (first.before, first.after) == ("", "waiting")


def test_the_file_is_the_user_s_alone(store: Approvals) -> None:
    store.add(question())
    for path in store.path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_large_input_is_kept_in_part_and_says_so(store: Approvals) -> None:
    store.add(question(tool_input={"command": "x" * MOST_INPUT}))
    one = store.get("aaaa2222")
    assert one.cut
    assert one.input["beginning"].startswith('{"command": "xxx')
    assert len(one.input["beginning"]) == MOST_INPUT


def test_only_from_the_state_it_names_is_it_moved(store: Approvals) -> None:
    store.add(question())
    assert not store.move("aaaa2222", State.APPROVED, State.USED, by="x")
    assert store.move("aaaa2222", State.WAITING, State.APPROVED, by="me", text="yes", note="ok")
    assert not store.move("aaaa2222", State.WAITING, State.REFUSED, by="x")
    assert not store.move("bbbb2222", State.WAITING, State.REFUSED, by="x")
    one = store.get("aaaa2222")
    assert (one.state, one.note) == (State.APPROVED, "ok")
    said = [(each.before, each.after, each.by, each.text) for each in store.history(one.id)]
    assert said[1:] == [("waiting", "approved", "me", "yes")]


def test_no_other_column_is_ever_set(store: Approvals) -> None:
    store.add(question())
    with pytest.raises(ValueError, match="digest"):
        store.move("aaaa2222", State.WAITING, State.APPROVED, by="me", digest="x")
    assert store.get("aaaa2222").state is State.WAITING


def test_of_many_at_once_one_uses_it(tmp_path: Path, clock: Clock) -> None:
    first = store_in(tmp_path, clock)
    first.add(question(state=State.APPROVED, decided=clock.now))
    first.close()
    start = threading.Barrier(8)
    won: list[bool] = []

    def use(number: int) -> None:
        own = store_in(tmp_path, clock)
        start.wait()
        won.append(
            own.move("aaaa2222", State.APPROVED, State.USED, by=str(number), call=str(number))
        )
        own.close()

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]
    last = store_in(tmp_path, clock)
    assert [each.after for each in last.history("aaaa2222")] == ["approved", "used"]
    last.close()


def test_many_open_the_file_for_the_first_time_at_once(tmp_path: Path, clock: Clock) -> None:
    start = threading.Barrier(6)
    failed: list[Exception] = []

    def open_it(number: int) -> None:
        own = store_in(tmp_path, clock)
        start.wait()
        try:
            own.add(question(f"aaaa222{number}"))
        except ApprovalError as error:
            failed.append(error)
        own.close()

    threads = [threading.Thread(target=open_it, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    last = store_in(tmp_path, clock)
    assert len(last.some()) == 6
    last.close()


def test_the_beginning_of_an_id_will_do_where_it_fits_one(store: Approvals) -> None:
    store.add(question("abcd2222"))
    store.add(question("abce2222"))
    assert store.get("abcd").id == "abcd2222"
    for name in ("abc", "zzz", "", "%", "a_cd2222"):
        with pytest.raises(ApprovalError) as raised:
            store.get(name)
        assert "approvals list" in raised.value.fix


def test_a_question_that_is_put_again_is_counted_once_for_each_call(store: Approvals) -> None:
    store.add(question(call="one"))
    for call in ("one", "two", "two", ""):
        store.ask_again("aaaa2222", call)
    assert store.get("aaaa2222").requests == 3


def test_what_the_host_asks_about_a_call_that_was_let_through_is_taken_once(
    store: Approvals, clock: Clock
) -> None:
    store.add(question(state=State.APPROVED))
    now = clock.now.wall_ns
    store.move("aaaa2222", State.APPROVED, State.USED, by="x", used_ns=now, ran="hash")
    since = now - 10**9
    assert store.pass_on(WHO, "Bash", "other", since) == ""
    assert store.pass_on(WHO, "Write", "hash", since) == ""
    assert store.pass_on(replace(WHO, session="t"), "Bash", "hash", since) == ""
    assert store.pass_on(replace(WHO, agent_type="b"), "Bash", "hash", since) == ""
    assert store.pass_on(WHO, "Bash", "hash", now + 1) == ""
    assert store.pass_on(WHO, "Bash", "hash", since) == "aaaa2222"
    assert store.pass_on(WHO, "Bash", "hash", since) == ""


def test_changes_wait_until_they_stand_on_the_ledger(store: Approvals) -> None:
    store.add(question())
    store.move("aaaa2222", State.WAITING, State.LAPSED, by="time")
    changes = store.unnoted()
    assert [each.after for each in changes] == ["waiting", "lapsed"]
    store.noted(changes[0].number)
    assert [each.after for each in store.unnoted()] == ["lapsed"]
    store.noted(changes[1].number)
    assert store.unnoted() == []
    assert len(store.history("aaaa2222")) == 2


def test_what_is_open_is_never_forgotten(store: Approvals, clock: Clock) -> None:
    for number, state in enumerate(State):
        store.add(question(f"aaaa22{number:02}", state))
    store.noted(store.unnoted()[-1].number)
    clock.pass_by(MINUTE)
    assert store.prune(clock.now.wall_ns) == len(State) - 3
    assert {one.state for one in store.some()} == {State.WAITING, State.APPROVED, State.ASKED}
    assert store.waiting() == 1


def test_that_a_person_has_seen_it_is_put_down_once(store: Approvals, clock: Clock) -> None:
    store.add(question())
    store.show("aaaa2222")
    first = store.get("aaaa2222").shown_ns
    clock.pass_by(5)
    store.show("aaaa2222")
    assert store.get("aaaa2222").shown_ns == first > 0


def test_the_newest_are_listed_in_order(store: Approvals, clock: Clock) -> None:
    for number in range(4):
        store.add(question(f"aaaa222{number}", now=clock.now))
        clock.pass_by(1)
    assert [one.id for one in store.some(limit=2)] == ["aaaa2222", "aaaa2223"]
    assert store.some((State.USED,)) == []


def test_a_second_look_in_one_process_costs_no_lock(tmp_path: Path) -> None:
    """Who closes a write-ahead file last removes its log: nobody may still be writing to it."""
    store = store_in(tmp_path)
    store.add(question(wait_until_ns=2**62))
    assert waiting_in(store.path) == 1
    code = (
        "import sys; from pathlib import Path; from pointsman.store.approvals import Approvals;"
        "from pointsman.store.verdicts import approve; store = Approvals(Path(sys.argv[1]));"
        "approve(store, 'aaaa2222', 'another process'); store.close()"
    )
    subprocess.run([sys.executable, "-c", code, str(store.path)], check=True)
    store.ask_again("aaaa2222", "more")
    # Past whatever the connection that is open has in its memory.
    code = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone())"
    )
    query = "SELECT state, requests FROM approvals"
    seen = subprocess.check_output([sys.executable, "-c", code, str(store.path), query], text=True)
    assert seen == "('approved', 2)\n"
    store.close()


def test_how_many_wait_is_told_without_making_a_file(tmp_path: Path) -> None:
    assert waiting_in(tmp_path / "none.db") == 0
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "folder.db").mkdir()
    assert waiting_in(tmp_path / "folder.db") is None


# --- the file -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_damaged_file_is_set_aside_and_nothing_in_it_is_approved(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "approvals.db").write_bytes(content)
    store = store_in(tmp_path)
    assert store.some() == []
    store.add(question())
    store.close()
    (kept,) = tmp_path.glob("approvals.db.corrupt-*")
    assert kept.read_bytes() == content


def test_a_file_that_is_taken_away_is_begun_anew(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.add(question(state=State.APPROVED))
    for path in tmp_path.iterdir():
        path.unlink()
    assert store.some() == []
    store.close()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.add(question())
    store.close()
    connection = sqlite3.connect(tmp_path / "approvals.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ApprovalError, match="schema 99"):
        store.some()


def test_no_place_to_write_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    store = Approvals(tmp_path / "none" / "approvals.db")
    with pytest.raises(ApprovalError) as raised:
        store.some()
    assert "pointsman up" in raised.value.fix


def test_the_clocks_of_this_machine() -> None:
    first, second = moment(), moment()
    assert first.wall_ns > 10**18
    assert (first.boot_ns <= second.boot_ns, first.boot == second.boot) == (True, True)
