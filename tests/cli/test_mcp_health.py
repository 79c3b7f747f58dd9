"""``pointsman mcp-health``: with and without a daemon, what is probed, shown, kept and accepted."""

import json
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

COMMAND = Path(sysconfig.get_path("scripts"), "pointsman")
SERVER = Path(__file__).parents[1] / "host/mcp_server.py"
_DRIFTING = """
import json, pathlib, sys
names = pathlib.Path(sys.argv[1]).read_text().split()
for line in sys.stdin:
    said = json.loads(line)
    if said.get("method") == "initialize":
        info = {"name": "x", "version": "1"}
        result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": info}
    elif said.get("method") == "tools/list":
        result = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in names]}
    else:
        result = {}
    if "id" in said:
        print(json.dumps({"jsonrpc": "2.0", "id": said["id"], "result": result}), flush=True)
"""


class Machine:
    """A home and a repository; ``pointsman`` runs in the repository."""

    def __init__(self, root: Path) -> None:
        self.root, self.repo = root, root / "repo"
        (self.repo / ".git").mkdir(parents=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(root), "KEY": "hunter2-hunter2"}

    def declare(self, name: str, **servers: Any) -> None:
        (self.root / name).write_text(json.dumps({"mcpServers": servers}))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *words], cwd=self.repo, env=self.env, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip

    def shown(self, *words: str) -> dict[str, dict[str, Any]]:
        done = self.run("mcp-health", "--json", *words)
        assert done.returncode in {0, 1}, done.stderr
        return {each["name"]: each for each in json.loads(done.stdout)["servers"]}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.run("down", "--force")


def child(*words: str) -> dict[str, Any]:
    return {"command": sys.executable, "args": list(words)}


def dead(**more: Any) -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"type": "http", "url": f"http://127.0.0.1:{port}/mcp", **more}


@pytest.mark.parametrize("daemon", [False, True])
def test_what_works_and_what_does_not(machine: Machine, daemon: bool) -> None:
    machine.declare(".claude.json", well=child(str(SERVER)), gone=dead())
    if daemon:
        assert machine.run("up").returncode == 0
    done = machine.run("mcp-health")
    assert done.returncode == 1
    assert "well  healthy" in done.stdout
    assert "gone  down" in done.stdout
    assert "connection refused" in done.stdout
    shown = machine.shown()
    assert (shown["well"]["works"], shown["gone"]["works"]) == (True, False)
    assert shown["well"]["tools"] == ["echo", "elicit", "fail"]
    assert shown["gone"]["breaker"] == "open"
    assert machine.run("mcp-health", "--server", "well").returncode == 0
    status = machine.run("status").stdout
    assert ("MCP server gone" in status) is daemon
    assert "MCP server well" not in status


def test_without_a_declaration(machine: Machine) -> None:
    done = machine.run("mcp-health")
    assert (done.returncode, "No host declares" in done.stdout) == (0, True)
    named = machine.run("mcp-health", "--server", "none")
    assert (named.returncode, "'none'" in named.stderr or "none" in named.stderr) == (1, True)


def test_a_repositorys_child_is_not_started_and_its_address_told_no_secret(
    machine: Machine,
) -> None:
    mark = machine.root / "ran"
    machine.declare(
        "repo/.mcp.json",
        evil=child("-c", f"open({str(mark)!r}, 'w')"),
        leak=dead(headers={"X": "${KEY}"}),
        plain=dead(),
    )
    shown = machine.shown()
    assert {name: each["verdict"] for name, each in shown.items()} == {
        "evil": "not probed", "leak": "not probed", "plain": "down",
    }  # fmt: skip
    assert not mark.exists()
    shown = machine.shown("--unapproved")
    assert {shown[name]["verdict"] for name in shown} == {"down"}
    assert mark.exists()


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_no_secret_is_shown_or_kept(machine: Machine, words: tuple[str, ...]) -> None:
    table = {**child("-c", "import os, sys; sys.exit('bad key ' + os.environ['TOKEN'])")}
    machine.declare(
        ".claude.json",
        loud={**table, "env": {"TOKEN": "ghp_" + "a1B2" * 9}},
        keyed=dead(headers={"Authorization": "Bearer ${KEY}"}),
    )
    assert machine.run("up").returncode == 0
    done = machine.run("mcp-health", *words)
    assert "bad key" in done.stdout
    kept = [each.read_bytes() for each in machine.root.rglob("state/**/*") if each.is_file()]
    assert kept
    for secret in ("a1B2a1B2", "hunter2-hunter2"):
        assert secret not in done.stdout + done.stderr
        assert not any(secret.encode() in each for each in kept)


def test_drift_is_shown_until_it_is_accepted(machine: Machine) -> None:
    names = machine.root / "names"
    names.write_text("read")
    machine.declare(".claude.json", mine=child("-c", _DRIFTING, str(names)))
    assert machine.run("up").returncode == 0
    first = machine.shown()["mine"]
    names.write_text("read send_mail")
    second = machine.shown()["mine"]
    assert first["tools_hash"] != second["tools_hash"]
    assert second["drift"] == ["send_mail is new"]
    assert "send_mail is new" in machine.run("mcp-health").stdout
    assert machine.run("mcp-health", "--accept", "mine").returncode == 0
    assert machine.shown()["mine"]["drift"] == []
    assert machine.run("mcp-health", "--accept", "other").returncode == 1


def test_watch_prints_what_changes(machine: Machine) -> None:
    names = machine.root / "names"
    names.write_text("read")
    machine.declare(".claude.json", mine=child("-c", _DRIFTING, str(names)))
    argv = [str(COMMAND), "mcp-health", "--watch", "--every", "1", "--json"]
    with subprocess.Popen(
        argv, cwd=machine.repo, env=machine.env, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        first = json.loads(watching.stdout.readline())
        assert first["servers"][0]["verdict"] == "healthy"
        names.unlink()
        changed = json.loads(watching.stdout.readline())
        watching.kill()
    assert (changed["name"], changed["verdict"]) == ("mine", "down")
