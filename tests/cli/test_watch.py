"""The terminal view as a person starts it: in a terminal, and where there is none."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .conftest import COMMAND, Machine

ENTERS, LEAVES = b"\x1b[?1049h", b"\x1b[?1049l"


class Screen:
    """A process on a pseudo-terminal, and what it has written so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self.master = master
        self.written = b""

    def until(self, said: bytes, within: float = 60) -> None:
        """Read until this has been written since the last time."""
        deadline = time.monotonic() + within
        while said not in self.written:
            assert time.monotonic() < deadline, self.written[-2000:]
            if select.select([self.master], [], [], 0.5)[0]:
                self.written += self._read()
        self.written = self.written.partition(said)[2]

    def _read(self) -> bytes:
        try:
            return os.read(self.master, 65536)
        except OSError:  # The other end is gone.
            return b""

    def size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())


@contextmanager
def screen(machine: Machine, *words: str) -> Iterator[Screen]:
    master, slave = pty.openpty()
    env = {**machine.environment(), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [COMMAND, "watch", *words],
        stdin=slave, stdout=slave, stderr=slave, env=env, cwd=machine.repository,
        start_new_session=True,
        # The terminal becomes its own, so that a change of size reaches it.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    os.close(slave)
    shown = Screen(process, master)
    shown.size(80, 24)
    try:
        yield shown
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)


def deliver(machine: Machine, command: str) -> None:
    """Let a host's hook report a command."""
    payload = json.dumps(machine.shell(command)).encode()
    assert machine.process("hook", "claude-code", "PreToolUse", stdin=payload).code in {0, 2}


def test_in_a_terminal_it_shows_what_happens_and_leaves_it_as_it_was(machine: Machine) -> None:
    machine.up()
    deliver(machine, "rm -rf /")
    with screen(machine, "--since", "1d") as shown:
        shown.until(ENTERS)
        shown.until(b"rm -rf /")
        deliver(machine, "echo second-one")
        shown.until(b"echo second-one")
        shown.size(140, 30)
        shown.until(b"agents")
        shown.type("?")
        shown.until(b"the next pane")
        shown.type("\x1b")
        time.sleep(0.5)
        shown.type("q")
        shown.until(LEAVES)
        assert shown.process.wait(30) == 0


def test_where_there_is_no_terminal_it_says_what_to_type(machine: Machine) -> None:
    ended = machine.run("watch")
    assert ended.code == 1
    assert "needs a terminal" in ended.err
    assert "next step: pointsman ledger tail --follow" in ended.err


def test_an_age_that_is_none_is_refused(machine: Machine) -> None:
    with screen(machine, "--since", "yesterday-ish") as shown:
        shown.until(b"is neither ISO 8601 nor an age")
        assert shown.process.wait(30) == 1
