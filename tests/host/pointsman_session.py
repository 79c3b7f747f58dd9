"""The real client with Pointsman installed in its project, and the ledger to look into."""

import json
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .session import Claude

COMMAND = Path(sysconfig.get_path("scripts"), "pointsman")


class Guarded:
    """A project of the real client with our hooks in its settings.

    ``command_path`` is the ``pointsman`` to use, ``more`` what its environment has besides.
    """

    def __init__(
        self,
        claude: Claude,
        command_path: Path = COMMAND,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.claude = claude
        self.command_path = command_path
        self.project = claude.workdir
        self.state = claude.home / "state"
        self.env = {"POINTSMAN_STATE_DIR": str(self.state), **(more or {})}
        git = ["git", "init", "-q", str(self.project)]
        subprocess.run(git, check=True, env=self.environment())

    def command(self, *words: str, stdin: bytes = b"", check: bool = True) -> str:
        """Run a command of ours as the session's user, in the project."""
        done = subprocess.run(
            [self.command_path, *words],
            input=stdin,
            capture_output=True,
            cwd=self.project,
            env=self.environment(),
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{words}: {done.returncode}: {done.stderr.decode()}")
        return done.stdout.decode()

    def environment(self) -> dict[str, str]:
        """Return the environment of our own commands: that of a session, on the same state."""
        path = f"{self.claude.binary.parent}:{os.environ['PATH']}"
        return {**self.claude.environment(self.env), "PATH": path}

    def init(self, scope: str = "project") -> None:
        """Put our hooks in."""
        self.command("init", "--scope", scope)

    def contract(self, agent: str, *allowed: str) -> None:
        """Declare an agent with a contract."""
        listed = json.dumps(list(allowed))
        self.write(
            f".claude/agents/{agent}.md",
            f"---\nname: {agent}\ndescription: a worker\noutputs:\n"
            f"  allowed_modifications: {listed}\n---\nWork.\n",
        )

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """Return rows of the ledger."""
        text = self.command("ledger", "query", "--json", "--limit", "0", *words)
        return [json.loads(line) for line in text.splitlines()]

    def row(self, tool_use_id: str, event: str = "PreToolUse") -> dict[str, Any]:
        """Return the one row of a call."""
        found = [row for row in self.rows("--event", event) if row["tool_use_id"] == tool_use_id]
        assert len(found) == 1, (tool_use_id, event, found)
        return found[0]

    def transcript_calls(self) -> set[str]:
        """Return the id of every call in the client's transcripts, subagents' included."""
        found: set[str] = set()
        for file in self.claude.config.glob("projects/**/*.jsonl"):
            for line in file.read_text().splitlines():
                content = (json.loads(line).get("message") or {}).get("content")
                blocks = content if isinstance(content, list) else []
                found |= {block["id"] for block in blocks if block.get("type") == "tool_use"}
        return found

    def unguarded(self) -> set[str]:
        """Return the calls of the transcripts that have no PreToolUse on record."""
        recorded = {row["tool_use_id"] for row in self.rows("--event", "PreToolUse")}
        return self.transcript_calls() - recorded

    def daemon_pid(self) -> int:
        """Return the daemon's process id; one that gave way is started again."""
        return int(json.loads(self.command("up", "--json"))["pid"])

    def wait_for_record(self) -> None:
        """Wait until the daemon has put on record what it could not before."""
        deadline = time.monotonic() + 60
        while json.loads(self.command("status", "--json"))["unrecorded_waiting"]:
            assert time.monotonic() < deadline, "events still wait to be put on record"
            time.sleep(0.05)

    def kill_daemon(self) -> int:
        """Kill the daemon as the kernel would for want of memory; return what it was."""
        pid = self.daemon_pid()
        os.kill(pid, signal.SIGKILL)
        return pid


@contextmanager
def guarded(
    claude: Claude, command_path: Path = COMMAND, more: Mapping[str, str] | None = None
) -> Iterator[Guarded]:
    """Give a project with our hooks, and stop its daemon afterwards."""
    project = Guarded(claude, command_path, more)
    try:
        yield project
    finally:
        project.command("down", "--force", check=False)
