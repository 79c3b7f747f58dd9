"""A home, a repository and a daemon of the bench's own; nothing of them is left behind."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import BenchError
from pointsman import __version__
from pointsman.model.answer import Answer
from pointsman.model.places import Places
from pointsman.serve import protocol, state_dir

SESSION = Path(__file__).resolve().parent.parent / "demo/session.jsonl"
"""A recorded session of Claude Code; ``/demo`` stands for the folder it ran in."""

_CONTRACT = """---
name: builder
description: writes the program
outputs:
  allowed_modifications: ["src/**", "tests/**"]
  forbidden_patterns: ["**/*.lock"]
---
You write the program.
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a measurement may do; ``quick`` is for trying out, not for figures."""

    quick: bool = False

    def of(self, full: int, quick: int) -> int:
        """Return the number of repetitions."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Rig:
    """Where everything lies, and the environment that leads there."""

    folder: Path

    @property
    def repository(self) -> Path:
        """The repository that the events come from."""
        return self.folder / "sample"

    @property
    def environ(self) -> dict[str, str]:
        """The whole environment of everything the bench starts."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "POINTSMAN_STATE_DIR": str(self.folder / "state"),
            "CLAUDE_PROJECT_DIR": str(self.repository),
        }

    @property
    def places(self) -> Places:
        """Where the daemon of this rig keeps its things."""
        return Places.from_environ(self.environ, self.folder / "home")

    def payloads(self) -> list[bytes]:
        """Return the recorded session as if it had run here."""
        text = SESSION.read_text(encoding="utf-8")
        moved = text.replace("/demo/home", f"{self.folder}/home")
        return [line.encode() for line in moved.replace("/demo", str(self.folder)).splitlines()]

    def frame(self, payload: bytes) -> bytes:
        """Return the request that the native client would make of a payload."""
        header = {
            "version": __version__,
            "client": "native",
            "host": "claude-code",
            "event": str(json.loads(payload)["hook_event_name"]),
            "pid": str(os.getpid()),
            "ppid": str(os.getppid()),
            "cwd": str(self.repository),
            "size": str(len(payload)),
            "started_ns": "0",
            "deadline_ms": "25000",
            "env.CLAUDE_PROJECT_DIR": str(self.repository),
        }
        return protocol.request(header, payload)

    def ask(self, frame: bytes) -> Answer:
        """Send one request over the socket and return the answer."""
        with state_dir.connect(self.places.socket, 30.0) as connection:
            connection.sendall(frame)
            return protocol.read_answer(received(connection))

    def recorded(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds in the ledger, on a connection that only reads."""
        with closing(sqlite3.connect(f"file:{self.places.ledger}?mode=ro", uri=True)) as ledger:
            return ledger.execute(sql).fetchall()

    def run(self, *words: str, check: bool = True) -> None:
        """Run a command of ours.

        Raises:
            BenchError: it failed and ``check`` is set.
        """
        command = [sys.executable, "-m", "pointsman", *words]
        done = subprocess.run(
            command, cwd=self.repository, env=self.environ, capture_output=True, check=False
        )
        if check and done.returncode:
            raise BenchError(f"pointsman {' '.join(words)}: {done.stderr.decode().strip()}")

    @contextmanager
    def daemon(self) -> Iterator[None]:
        """Run a daemon on this rig's state directory."""
        self.run("up")
        try:
            yield
        finally:
            self.run("down", "--force", check=False)


def received(connection: socket.socket) -> bytes:
    """Read to the end of the stream."""
    data = bytearray()
    while piece := connection.recv(65536):
        data += piece
    return bytes(data)


@contextmanager
def rig() -> Iterator[Rig]:
    """Make a rig in a temporary directory, with a repository that holds one contract."""
    with tempfile.TemporaryDirectory(prefix="pm-bench-") as folder:
        made = Rig(Path(folder))
        for name in ("home", "tmp", "sample/.git", "sample/src", "sample/.claude/agents"):
            (made.folder / name).mkdir(parents=True)
        contract = made.repository / ".claude/agents/builder.md"
        contract.write_text(_CONTRACT, encoding="utf-8")
        yield made


def describe_machine() -> Mapping[str, float | int | str]:
    """Return the shape of this machine, without names."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count() or 0,
        "memory_gib": round(pages * size / 2**30),
        "system": f"{os.uname().sysname} {os.uname().machine}",
        "python": ".".join(map(str, sys.version_info[:3])),
        "load_average": round(os.getloadavg()[0], 2),
    }
