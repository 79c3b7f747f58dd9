"""A machine of its own for the commands: home, repository, state, and the real executable."""

import io
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.main import main

COMMAND = str(Path(sysconfig.get_path("scripts"), "pointsman"))


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """Return the JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Machine:
    """Runs commands as one user, in one repository, on one state directory."""

    base: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> Path:
        return self.base / "repo"

    @property
    def state(self) -> Path:
        return self.base / "state"

    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "HOME": str(self.base / "home"),
            "POINTSMAN_STATE_DIR": str(self.state),
            **self.more,
        }

    def start(self, *words: str, **given: Any) -> "subprocess.Popen[bytes]":
        """Start a command with pipes and return it."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(
            [COMMAND, *words],
            **{**pipes, "cwd": self.repository, "env": self.environment(), **given},
        )

    def process(self, *words: str, stdin: bytes = b"") -> Ended:
        """Run the real executable to its end."""
        with self.start(*words) as process:
            out, err = process.communicate(stdin, timeout=120)
        return Ended(process.returncode, out.decode(), err.decode())

    def run(self, *words: str, stdin: bytes = b"") -> Ended:
        """Run a command to its end in this process, by the executable's own entry point."""
        streams = [io.TextIOWrapper(io.BytesIO(stdin)), *(_stream(), _stream())]
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.repository)
            for name, value in self.environment().items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["pointsman", *words])
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])  # type: ignore[attr-defined]
        return Ended(int(ended.value.code or 0), out, err)

    def up(self) -> None:
        """Start the daemon: always by a process of its own, which leaves it behind."""
        ended = self.process("up")
        assert ended.code == 0, ended.err

    def decide(self, *payloads: Mapping[str, Any], words: tuple[str, ...] = ()) -> Ended:
        """Have payloads decided."""
        lines = b"".join(json.dumps(payload).encode() + b"\n" for payload in payloads)
        return self.run("decide", *words, stdin=lines)

    def call(self, tool: str, tool_input: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Return the payload of a call that is about to be made in the repository."""
        return {
            "hook_event_name": "PreToolUse",
            "session_id": "one",
            "cwd": str(self.repository),
            "tool_name": tool,
            "tool_input": tool_input,
            "tool_use_id": "call",
            **more,
        }

    def shell(self, command: str, **more: Any) -> dict[str, Any]:
        """Return the payload of a shell command."""
        return self.call("Bash", {"command": command}, **more)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the repository."""
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def contract(self, agent: str, allowed: str) -> None:
        """Hold an agent to a contract."""
        self.write(
            f".claude/agents/{agent}.md",
            f"---\nname: {agent}\ndescription: works\noutputs:\n"
            f'  allowed_modifications: ["{allowed}"]\n---\nWork.\n',
        )


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


@contextmanager
def machine_in(base: Path) -> Iterator[Machine]:
    """A machine with an empty repository; a daemon that it starts is stopped afterwards."""
    made = Machine(base)
    (made.repository / ".git").mkdir(parents=True)
    (base / "home").mkdir()
    yield made
    if made.state.is_dir():
        assert made.run("down", "--force").code in {0, 1}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine of the test's own."""
    with machine_in(tmp_path) as made:
        yield made
