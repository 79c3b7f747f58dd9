"""The audit trail, as scripts and people read it."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .conftest import Machine, machine_in


def fill(machine: Machine) -> Machine:
    """Put a little of everything into a ledger."""
    machine.contract("builder", "src/**")
    machine.up()
    builder = {"agent_id": "a1", "agent_type": "builder", "session_id": "two"}
    src, docs = (str(machine.repository / name) for name in ("src/a.py", "docs/a.md"))
    machine.decide(
        machine.shell("ls"),
        machine.shell("rm -rf /", tool_use_id="rm"),
        machine.call("Write", {"file_path": src, "content": "x"}, **builder),
        machine.call("Write", {"file_path": docs, "content": "x"}, **builder),
        machine.call("Read", {"file_path": docs}, session_id="two"),
        {"hook_event_name": "Stop", "session_id": "two", "cwd": str(machine.repository)},
        words=("--record",),
    )
    return machine


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A ledger that is only read."""
    with machine_in(tmp_path_factory.mktemp("machine")) as machine:
        yield fill(machine)


@pytest.fixture
def own(machine: Machine) -> Machine:
    """A ledger of the test's own."""
    return fill(machine)


def query(machine: Machine, *words: str) -> list[dict[str, Any]]:
    ended = machine.run("ledger", "query", "--json", *words)
    assert ended.code == 0, ended.err
    return ended.rows()


def test_rows_are_json_the_newest_last(filled: Machine) -> None:
    rows = query(filled)
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    assert len(rows) == 9
    times = [datetime.fromisoformat(row["time"]) for row in rows]
    assert times == sorted(times)
    wanted = {
        "seq", "time", "host", "event", "session", "agent", "agent_id", "agent_type", "parent",
        "prompt_id", "tool_use_id", "tool", "path", "cwd", "repository", "decision", "rule",
        "reason", "hook", "cause", "ms", "exit_code",
    }  # fmt: skip
    assert wanted <= set(rows[0])
    assert {row["repository"] for row in rows} == {str(filled.repository)}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--session", "one"], ["Bash"] * 3),
        (["--session", "nobody"], []),
        (["--agent", "builder"], ["Write"] * 4),
        (["--agent", "a1"], ["Write"] * 4),
        (["--agent", "main"], ["Bash", "Bash", "Bash", "Read", ""]),
        (["--tool", "Read"], ["Read"]),
        (["--decision", "deny"], ["Bash", "Bash", "Write", "Write"]),
        (["--decision", "none", "--tool", "Write"], ["Write", "Write"]),
        (["--event", "Stop"], [""]),
        (["--event", "PreEdit", "--decision", "deny"], ["Bash", "Write"]),
        (["--hook", "scope"], ["Write", "Write"]),
        (["--rule", "scope.outside"], ["Write", "Write"]),
        (["--since", "1h"], ["Bash"] * 3 + ["Write"] * 4 + ["Read", ""]),
        (["--until", "1h"], []),
        (["--since", "2001-01-01", "--until", "2002-01-01T00:00:00Z"], []),
    ],
)
def test_filters(filled: Machine, words: Sequence[str], found: Sequence[str]) -> None:
    assert [row["tool"] for row in query(filled, "--limit", "0", *words)] == found


def test_by_path(filled: Machine) -> None:
    for path in ("docs", "docs/a.md", "docs/*.md"):
        found = query(filled, "--path", str(filled.repository / path))
        assert [row["tool"] for row in found] == ["Write", "Write", "Read"], path
    assert query(filled, "--path", str(filled.repository / "doc")) == []


def test_times_are_iso_or_ages(filled: Machine) -> None:
    third = query(filled)[3]
    moment = datetime.fromisoformat(third["time"])
    later = (moment + timedelta(microseconds=1)).isoformat()
    assert [row["seq"] for row in query(filled, "--until", later)][-1] >= third["seq"]
    assert query(filled, "--since", later)[0]["seq"] >= third["seq"]
    assert query(filled, "--until", (moment - timedelta(days=1)).isoformat()) == []
    for age in ("90s", "15m", "2h", "3d", "1w", "1.5h"):
        assert len(query(filled, "--since", age)) == 9, age


def test_limits(filled: Machine) -> None:
    every = query(filled, "--limit", "0")
    assert query(filled, "--limit", "3") == every[-3:]
    assert (
        query(filled, "--limit", "1", "--session", "one")
        == [row for row in every if row["session"] == "one"][-1:]
    )


def test_for_a_person(filled: Machine) -> None:
    lines = filled.run("ledger", "query", "--decision", "deny").out.splitlines()
    assert len(lines) == 4
    assert "deny" in lines[0]
    assert "command." in lines[0]
    assert "builder" in lines[2]


def test_tail(filled: Machine) -> None:
    every = query(filled)
    assert filled.run("ledger", "tail", "-n", "2", "--json").rows() == every[-2:]
    assert filled.run("ledger", "tail", "-n", "0", "--json").out == ""
    assert len(filled.run("ledger", "tail").out.splitlines()) == 9
    found = filled.run("ledger", "tail", "-n", "1", "--tool", "Bash", "--json").rows()
    assert [row["tool_use_id"] for row in found] == ["rm"]


def test_follow_goes_on_with_what_comes(own: Machine) -> None:
    words = ("ledger", "tail", "--follow", "-n", "1", "--json", "--decision", "deny")
    with own.start(*words) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert first["event"] == "PreEdit"
        own.decide(own.shell("ls"), own.shell("rm -rf ~", tool_use_id="new"), words=("--record",))
        assert json.loads(process.stdout.readline())["tool_use_id"] == "new"
        process.terminate()


def test_follow_begins_with_nothing_when_told_to(own: Machine) -> None:
    with own.start("ledger", "tail", "-f", "-n", "0", "--json") as process:
        assert process.stdout is not None
        # It may not have looked yet when the first of these comes: one of them it sees.
        for number in range(200):
            own.decide(own.shell("ls", tool_use_id=f"new{number}"), words=("--record",))
            if _readable(process.stdout.fileno()):
                break
        assert json.loads(process.stdout.readline())["tool_use_id"].startswith("new")
        process.terminate()


def _readable(descriptor: int) -> bool:
    import select

    return bool(select.select([descriptor], [], [], 0.2)[0])


def test_show(filled: Machine) -> None:
    (denied,) = query(filled, "--event", "PreToolUse", "--tool", "Bash", "--decision", "deny")
    row = json.loads(filled.run("ledger", "show", str(denied["seq"]), "--json").out)
    assert {key: row[key] for key in denied} == denied
    assert json.loads(row["payload"])["tool_input"] == {"command": "rm -rf /"}
    assert row["stderr"].startswith("Pointsman stopped this: ")
    runs = {run["hook"]: run for run in row["hook_runs"]}
    assert runs["command-safety"]["decision"] == "deny"
    assert runs["command-safety"]["outcome"] == "decided"
    # Everything that is kept lies somewhere below the root.
    assert runs["self-protection"]["rule"].startswith("self.")
    for run in runs.values():
        assert run["role"] == "guard"
        assert run["budget_ms"] == 10000
        assert run["ms"] >= 0
        assert datetime.fromisoformat(run["started"]).tzinfo is not None
    text = filled.run("ledger", "show", str(denied["seq"])).out
    assert "command-safety (guard on PreToolUse)" in text
    missing = filled.run("ledger", "show", "9999")
    assert (missing.code, missing.err.splitlines()[0]) == (
        1, "pointsman: no event has the number 9999",
    )  # fmt: skip


def test_export_is_every_event_whole(filled: Machine) -> None:
    ended = filled.run("ledger", "export", "--json")
    rows = ended.rows()
    assert ended.out == filled.run("ledger", "export").out
    assert [row["seq"] for row in rows] == [row["seq"] for row in query(filled, "--limit", "0")]
    for row in rows:
        assert "hook_runs" in row
        assert row["event"] == "PreEdit" or row["payload"]
    some = filled.run("ledger", "export", "--session", "two", "--decision", "deny").rows()
    assert [row["event"] for row in some] == ["PreToolUse", "PreEdit"]


def test_it_needs_no_daemon(own: Machine) -> None:
    before = query(own)
    assert own.run("down").code == 0
    assert query(own) == before


def test_a_damaged_ledger_is_said_and_left_alone(own: Machine) -> None:
    own.run("down")
    ledger = Path(own.state, "ledger.db")
    for part in own.state.glob("ledger.db-*"):
        part.unlink()
    ledger.write_bytes(b"not a ledger" * 1000)
    ended = own.run("ledger", "query")
    assert (ended.code, ended.out) == (1, "")
    assert "cannot be read" in ended.err
    assert "next step: pointsman up" in ended.err
    assert ledger.read_bytes().startswith(b"not a ledger")
