"""The real Claude Code with MCP servers that are not there, or go while it works."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .messages_api import MessagesApi, ToolUse, bash
from .pointsman_session import COMMAND, Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host
PROGRAM = Path(__file__).parents[1] / "mcp_health_room/programs/modern.py"


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Give the port of a server of the official SDK, and its process id."""
    port, calls = free_port(), tmp_path / "calls"
    argv = [sys.executable, str(PROGRAM), "http", str(port), "one", str(calls)]
    with (tmp_path / "server.log").open("wb") as log:
        child = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
    try:
        while not listens(port):
            assert child.poll() is None, (tmp_path / "server.log").read_text()
            time.sleep(0.05)
        yield port, child.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def declare(under: Guarded, **ports: int) -> None:
    """Declare servers in the repository's file, beside ours."""
    file = under.project / ".mcp.json"
    table = json.loads(file.read_text()) if file.exists() else {"mcpServers": {}}
    for name, port in ports.items():
        url = f"http://127.0.0.1:{port}/mcp"
        table["mcpServers"][name] = {"type": "http", "url": url}
    file.write_text(json.dumps(table))


def ask(server: str) -> ToolUse:
    return ToolUse(f"mcp__{server}__who", {})


def test_a_dead_server_is_named_when_the_session_begins(
    under: Guarded, api: MessagesApi, tmp_path: Path
) -> None:
    under.write(".pointsman/config.toml", '[mcp_health.features]\nlookup = ["gone"]\n')
    with serving(tmp_path) as (port, _):
        declare(under, gone=free_port(), here=port)
        api.script("main", ask("here"))
        result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert not result.tool_results["toolu_main_0_0"].is_error
    told = json.dumps([request.body for request in api.requests])
    assert "Pointsman has asked the MCP servers of this session" in told
    assert "gone (http://127.0.0.1:" in told
    assert "is down: nobody listens on" in told
    assert "Skipped while it is: lookup" in told
    assert "here (http" not in told
    (row,) = under.rows("--event", "SessionStart")
    recorded = under.command("ledger", "show", str(row["seq"]), "--json")
    assert "gone (http://127.0.0.1:" in recorded, "the warning is on record"


def test_calls_of_a_server_that_dies_are_held_up_until_it_is_back(
    under: Guarded, api: MessagesApi, tmp_path: Path
) -> None:
    with serving(tmp_path) as (port, pid):
        declare(under, one=port)
        server = f"{sys.executable} {PROGRAM} http {port} one {tmp_path / 'calls'}"
        back = (
            f"nohup {server} >/dev/null 2>&1 & "
            f"until {COMMAND} mcp-health --server one; do sleep 1; done"
        )
        # The client finds its way back by itself, in its own time: it may take a second try.
        later = [bash("sleep 15"), ask("one"), bash("sleep 25"), ask("one")]
        api.script(
            "main", ask("one"), bash(f"kill -9 {pid}; sleep 1"), *[ask("one")] * 5,
            bash(back, timeout=120_000), *later,
        )  # fmt: skip
        result = under.claude.run("Begin. SCRIPT=main", env=under.env, timeout=180)
        shown = json.loads(under.command("mcp-health", "--server", "one", "--json"))
    numbers = (0, 2, 3, 4, 5, 6, 11)
    answers = [result.tool_results[f"toolu_main_{number}_0"] for number in numbers]
    assert [each.is_error for each in answers] == [False, *[True] * 5, False], answers
    assert all("Pointsman" not in each.text for each in answers[1:4]), answers
    for denied in answers[4:6]:
        assert "the MCP server 'one' does not work" in denied.text
        assert "try again in" in denied.text
    row = under.row("toolu_main_5_0")
    assert (row["decision"], row["rule"]) == ("deny", "mcp.breaker-open")
    assert (shown["servers"][0]["verdict"], shown["servers"][0]["breaker"]) == ("healthy", "closed")
