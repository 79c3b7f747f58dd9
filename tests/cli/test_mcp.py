"""The server as a host starts it, and as `init`, `doctor` and `uninstall` treat it."""

import json
from pathlib import Path
from typing import Any

from .conftest import Machine

FRAMES = (
    {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}},
    {"id": 2, "method": "tools/call", "params": {"name": "spent"}},
)


def test_it_answers_and_ends_with_its_input(machine: Machine) -> None:
    text = "".join(json.dumps({"jsonrpc": "2.0", **frame}) + "\n" for frame in FRAMES)
    ended = machine.process("mcp", stdin=text.encode())
    assert ended.code == 0
    first, second = ended.rows()
    assert first["result"]["serverInfo"]["name"] == "pointsman"
    assert second["result"]["isError"] is True
    assert "could not be verified" in second["result"]["content"][0]["text"]
    assert ended.err == ""


def findings(machine: Machine) -> list[dict[str, Any]]:
    out = machine.process("doctor", "--json").out
    return [each for each in json.loads(out)["findings"] if each["check"] == "mcp"]


def test_init_registers_doctor_asks_uninstall_takes_out(machine: Machine) -> None:
    file = machine.write(".mcp.json", '{"mcpServers":{"theirs":{"command":"x"}}}')
    before = file.read_bytes()
    shown = machine.run("init", "--dry-run")
    assert '"pointsman"' in shown.out
    assert file.read_bytes() == before
    done = json.loads(machine.run("init", "--json").out)
    assert (done["mcp"]["file"], done["mcp"]["changed"]) == (str(file), True)
    (finding,) = findings(machine)
    assert finding["ok"] is True, finding
    assert f"is registered in {file}" in machine.run("init").out
    broken = json.loads(file.read_bytes())
    broken["mcpServers"]["pointsman"]["command"] = str(Path("/nowhere/pointsman"))
    file.write_text(json.dumps(broken))
    (finding,) = findings(machine)
    assert (finding["ok"], finding["fix"]) == (False, "pointsman init")
    machine.run("init")
    taken = machine.run("uninstall")
    assert f"is taken out of {file}" in taken.out
    assert json.loads(file.read_bytes()) == json.loads(before)
    (finding,) = findings(machine)
    assert finding["ok"] is None


def test_a_file_that_cannot_be_edited_stops_nothing_else(machine: Machine) -> None:
    file = machine.write(".mcp.json", "{,}")
    done = machine.run("init")
    assert done.code == 0
    assert "agents cannot ask about themselves" in done.out
    assert file.read_text() == "{,}"
    assert (machine.repository / ".claude/settings.json").exists()
