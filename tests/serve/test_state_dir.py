"""The state directory, its lock, its socket."""

import errno
import os
import socket
from pathlib import Path

import pytest

from pointsman.model.errors import TransportError
from pointsman.model.places import Places
from pointsman.serve import state_dir


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(state=tmp_path / "a" / "state", config=tmp_path / "config")


def test_it_is_made_for_us_alone(places: Places) -> None:
    state_dir.prepare(places)
    state_dir.prepare(places)
    assert places.state.stat().st_mode & 0o777 == 0o700
    assert places.spool.stat().st_mode & 0o777 == 0o700


def test_what_others_may_read_is_closed(places: Places) -> None:
    places.state.mkdir(parents=True, mode=0o755)
    state_dir.prepare(places)
    assert places.state.stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_way_is_named(places: Places) -> None:
    parent = places.state.parent
    parent.write_text("x")
    with pytest.raises(TransportError, match="the state directory") as caught:
        state_dir.prepare(places)
    assert caught.value.fix == f"mv {parent} {parent}.aside"


def test_a_name_that_the_shell_would_split_is_quoted(tmp_path: Path) -> None:
    odd = Places(state=tmp_path / "two words" / "s", config=tmp_path)
    odd.state.parent.write_text("x")
    with pytest.raises(TransportError) as caught:
        state_dir.prepare(odd)
    assert caught.value.fix == f"mv '{tmp_path}/two words' '{tmp_path}/two words.aside'"


def test_one_takes_the_lock_and_says_who(places: Places) -> None:
    state_dir.prepare(places)
    assert not state_dir.locked(places)
    assert state_dir.holder(places) is None
    lock = state_dir.take_lock(places)
    assert lock is not None
    assert state_dir.locked(places)
    assert state_dir.holder(places) == os.getpid()
    assert state_dir.holds(places, lock)
    os.close(lock)
    assert not state_dir.locked(places)


def test_a_lock_whose_file_was_deleted_is_held_no_more(places: Places) -> None:
    state_dir.prepare(places)
    lock = state_dir.take_lock(places)
    assert lock is not None
    places.lock.unlink()
    assert not state_dir.holds(places, lock)
    second = state_dir.take_lock(places)
    assert second is not None
    assert state_dir.holds(places, second)
    assert not state_dir.holds(places, lock)
    os.close(lock)
    os.close(second)


def test_where_one_answers_no_other_starts(places: Places) -> None:
    state_dir.prepare(places)
    lock = state_dir.take_lock(places)
    assert lock is not None
    listener = state_dir.listen(places)
    assert state_dir.take_lock(places) is None
    listener.socket.close()
    os.close(lock)


def test_a_holder_that_does_not_answer_is_named(places: Places) -> None:
    state_dir.prepare(places)
    lock = state_dir.take_lock(places)
    assert lock is not None
    ticks = iter([0.0, 1.0, 31.0])
    with pytest.raises(TransportError, match=f"process {os.getpid()}, which does not") as caught:
        state_dir.take_lock(places, clock=lambda: next(ticks))
    assert caught.value.fix == "pointsman down --force"
    os.close(lock)


@pytest.mark.parametrize("text", ["", "x", "12 34", "99"])
def test_whatever_the_lock_file_says(places: Places, text: str) -> None:
    state_dir.prepare(places)
    places.lock.write_text(text)
    expected = {"": None, "x": None, "12 34": 12, "99": 99}
    assert state_dir.holder(places) == expected[text]


@pytest.mark.parametrize("deep", ["", "long" * 25 + "/" + "path" * 25])
def test_a_listener_is_reached_by_its_name(tmp_path: Path, deep: str) -> None:
    places = Places(state=tmp_path / deep / "s", config=tmp_path)
    state_dir.prepare(places)
    listener = state_dir.listen(places)
    assert places.socket.stat().st_mode & 0o777 == 0o600
    assert listener.in_place()
    assert state_dir.answers(places.socket)
    listener.socket.close()
    assert not state_dir.answers(places.socket)


def test_a_listener_takes_over_a_stale_socket(places: Places) -> None:
    state_dir.prepare(places)
    first = state_dir.listen(places)
    first.socket.close()
    second = state_dir.listen(places)
    assert state_dir.answers(places.socket)
    assert second.in_place()
    assert not first.in_place()
    first.remove()
    assert places.socket.exists(), "only the own one is removed"
    second.remove()
    second.remove()
    assert not places.socket.exists()
    second.socket.close()


def test_no_listener_where_there_is_no_directory(places: Places) -> None:
    with pytest.raises(TransportError, match="cannot listen on"):
        state_dir.listen(places)


def test_a_directory_in_the_sockets_place_is_not_removed(places: Places) -> None:
    state_dir.prepare(places)
    places.socket.mkdir()
    for act in (state_dir.prepare, state_dir.listen):
        with pytest.raises(TransportError) as caught:
            act(places)
        assert caught.value.fix == f"mv {places.socket} {places.socket}.aside"
    assert sorted(path.name for path in places.state.glob("daemon.sock*")) == ["daemon.sock"]


def test_nobody_to_connect_to(places: Places) -> None:
    with pytest.raises(FileNotFoundError):
        state_dir.connect(places.socket)
    state_dir.prepare(places)
    with pytest.raises(FileNotFoundError):
        state_dir.connect(places.socket)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(places.socket))
    stale.close()
    with pytest.raises(ConnectionRefusedError):
        state_dir.connect(places.socket)


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (errno.ENOSPC, "df -h"),
        (errno.EROFS, "POINTSMAN_STATE_DIR"),
        (errno.EACCES, "writable for you"),
        (errno.EIO, "pointsman doctor"),
    ],
)
def test_each_error_names_the_next_step(places: Places, code: int, step: str) -> None:
    with (
        pytest.raises(TransportError, match="the lock file") as caught,
        state_dir._told(places.lock, "the lock file"),
    ):
        raise OSError(code, os.strerror(code))
    assert step in caught.value.fix
