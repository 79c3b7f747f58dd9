"""Ways to break an installation under a session that runs, each undone again.

Every fault is a context manager on a ``Place``; between two tool calls the scripted model's turn
leaves one and enters the next (``one_after_another``).
"""

import contextlib
import os
import resource
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from client.fake_daemon import FakeDaemon, answer, hangs, read_request

from .messages_api import Request, Said, ToolUse
from .own_install import OwnInstall
from .pointsman_session import Guarded

STRANGER = 54_321
"""A user id that nobody here has."""


@dataclass(frozen=True)
class Place:
    """What a fault may touch."""

    install: OwnInstall
    under: Guarded


Breaks = Callable[[Place], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One fault: its row, how it is caused, what the model is told (one of these), and whether
    it is on record.

    Where no part of ours runs, or none can write, nothing can be on record.
    """

    row: str
    breaks: Breaks
    told: str | tuple[str, ...]
    recorded: bool = True
    needs_root: bool = False

    @property
    def possible(self) -> bool:
        """Whether this user can cause it."""
        return not self.needs_root or os.geteuid() == 0


class OneAfterAnother:
    """The turns of a script: each enters the next fault and then makes one call."""

    def __init__(
        self, place: Place, faults: Sequence[Fault], call: Callable[[int], ToolUse]
    ) -> None:
        self._place = place
        self._faults = faults
        self._call = call
        self._open = ExitStack()
        self.errors: list[Exception] = []

    def turn(self, request: Request) -> Said:
        """Put right what is broken, break the next, and say the call; the last turn says done."""
        try:
            self._open.close()
            if request.turn >= len(self._faults):
                return "that was all of it"
            self._open.enter_context(self._faults[request.turn].breaks(self._place))
        except Exception as error:  # noqa: BLE001 - the server's thread has nobody to raise to
            self.errors.append(error)
            return "the rig failed"
        return self._call(request.turn)

    def close(self) -> None:
        """Put right what is still broken.

        Raises:
            Exception: what went wrong with the faults themselves.
        """
        self._open.close()
        for error in self.errors:
            raise error


@contextlib.contextmanager
def nothing(_place: Place) -> Iterator[None]:
    """Break nothing."""
    yield


# --- the program that the host starts ---------------------------------------------------------


@contextlib.contextmanager
def _moved(path: Path) -> Iterator[Path]:
    away = path.with_name(path.name + ".away")
    path.rename(away)
    try:
        yield path
    finally:
        _clear(path)
        away.rename(path)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def replaced(body: str, mode: int = 0o755) -> Breaks:
    """Put a shell script in the place of the program that the host starts."""

    @contextlib.contextmanager
    def breaks(place: Place) -> Iterator[None]:
        with _moved(place.install.program) as path:
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(mode)
            yield

    return breaks


@contextlib.contextmanager
def deleted(place: Place) -> Iterator[None]:
    """Take the program away."""
    with _moved(place.install.program):
        yield


@contextlib.contextmanager
def a_directory(place: Place) -> Iterator[None]:
    """Put a directory in the place of the program."""
    with _moved(place.install.program) as path:
        path.mkdir()
        yield


@contextlib.contextmanager
def cut_off(place: Place) -> Iterator[None]:
    """Leave half of the program, as half an upgrade would."""
    with _moved(place.install.program) as path:
        whole = path.with_name(path.name + ".away").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        path.chmod(0o755)
        yield


@contextlib.contextmanager
def emptied(place: Place) -> Iterator[None]:
    """Leave nothing of the program but its name."""
    with _moved(place.install.program) as path:
        path.touch(0o755)
        yield


def twin_says(text: str) -> Breaks:
    """Put other code in the place of the client in Python."""

    @contextlib.contextmanager
    def breaks(place: Place) -> Iterator[None]:
        with _moved(place.install.twin) as path:
            path.write_text(text)
            yield

    return breaks


# --- the daemon ----------------------------------------------------------------------------------


def impostor(act: Callable[[socket.socket, dict[str, str]], None]) -> Breaks:
    """Let something else answer on the daemon's socket; it does so on PreToolUse."""

    def script(connection: socket.socket, _number: int) -> None:
        header, _, _ = read_request(connection)
        if header["event"] == "PreToolUse":
            act(connection, header)
        else:
            connection.sendall(answer(0))

    @contextlib.contextmanager
    def breaks(place: Place) -> Iterator[None]:
        with _moved(place.under.state / "daemon.sock"), FakeDaemon(place.under.state, script):
            yield

    return breaks


def sends(data: bytes) -> Breaks:
    """Let the daemon answer with these bytes."""
    return impostor(lambda connection, _header: connection.sendall(data))


def signals_client(number: signal.Signals) -> Breaks:
    """Let the client meet a signal while it waits for its answer."""

    def act(connection: socket.socket, header: dict[str, str]) -> None:
        os.kill(int(header["pid"]), number)
        hangs(connection, 0)

    return impostor(act)


def _wait_for_end(connection: socket.socket, _header: dict[str, str]) -> None:
    while connection.recv(1):
        pass


silent = impostor(_wait_for_end)
"""The daemon never answers."""


@contextlib.contextmanager
def stopped(place: Place) -> Iterator[None]:
    """Stop the daemon's process as Ctrl-Z would."""
    pid = place.under.daemon_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def _no_daemon(place: Place) -> Iterator[None]:
    place.under.kill_daemon()
    try:
        yield
    finally:
        place.under.command("up")


@contextlib.contextmanager
def command_missing(place: Place) -> Iterator[None]:
    """Kill the daemon and take away what would start it."""
    with _no_daemon(place), _moved(place.install.command):
        yield


@contextlib.contextmanager
def command_broken(place: Place) -> Iterator[None]:
    """Kill the daemon and let what would start it fail."""
    with _no_daemon(place), _moved(place.install.command) as path:
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(0o755)
        yield


@contextlib.contextmanager
def package_broken(place: Place) -> Iterator[None]:
    """Kill the daemon and take a part of the package away, as half an upgrade would."""
    with _no_daemon(place), _moved(place.install.package / "assembly.py"):
        yield


@contextlib.contextmanager
def interpreter_missing(place: Place) -> Iterator[None]:
    """Kill the daemon and take its interpreter away."""
    with _no_daemon(place), _moved(place.install.python):
        yield


# --- the state directory --------------------------------------------------------------------------


def socket_is(make: Callable[[Path], object]) -> Breaks:
    """Put something else in the place of the daemon's socket."""

    @contextlib.contextmanager
    def breaks(place: Place) -> Iterator[None]:
        with _moved(place.under.state / "daemon.sock") as path:
            make(path)
            yield

    return breaks


@contextlib.contextmanager
def state_is_a_file(place: Place) -> Iterator[None]:
    """Put a file in the place of the state directory."""
    with _moved(place.under.state) as path:
        path.write_text("")
        yield


@contextlib.contextmanager
def state_of_a_stranger(place: Place) -> Iterator[None]:
    """Give the state directory to somebody else; only root can."""
    found = place.under.state.stat()
    os.chown(place.under.state, STRANGER, STRANGER)
    try:
        yield
    finally:
        os.chown(place.under.state, found.st_uid, found.st_gid)


@contextlib.contextmanager
def state_for_everybody(place: Place) -> Iterator[None]:
    """Let everybody write into the state directory."""
    place.under.state.chmod(0o777)
    try:
        yield
    finally:
        place.under.state.chmod(0o700)


# --- the ledger -----------------------------------------------------------------------------------


@contextlib.contextmanager
def ledger_locked(place: Place) -> Iterator[None]:
    """Hold the ledger as another program that writes to it would."""
    with contextlib.closing(sqlite3.connect(place.under.state / "ledger.db")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
    place.under.wait_for_record()


@contextlib.contextmanager
def ledger_full(place: Place) -> Iterator[None]:
    """Let the daemon write no byte more, as a full disk would."""
    pid = place.under.daemon_pid()
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        place.under.wait_for_record()


@contextlib.contextmanager
def ledger_is_a_directory(place: Place) -> Iterator[None]:
    """Kill the daemon and let its ledger be something that cannot be opened."""
    with _no_daemon(place), ExitStack() as stack:
        stack.enter_context(_moved(place.under.state / "ledger.db")).mkdir()
        yield
