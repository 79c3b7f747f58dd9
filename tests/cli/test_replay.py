"""A recorded session against today's policy, the same to the byte every time."""

from .conftest import Machine


def record(machine: Machine) -> None:
    machine.up()
    who = {"agent_id": "a1", "agent_type": "builder"}
    machine.decide(
        {"hook_event_name": "SessionStart", "session_id": "one", "source": "startup"},
        machine.shell("ls"),
        machine.shell("rm -rf /"),
        machine.call("Write", {"file_path": "src/a.py", "content": ""}, **who),
        machine.call("Write", {"file_path": "docs/a.md", "content": ""}, **who),
        machine.call("Write", {"content": ""}, **who),
        {"hook_event_name": "Unheard", "session_id": "one", "new": 1},
        {"hook_event_name": "Stop", "session_id": "two"},
        words=("--record",),
    )


def test_it_is_the_same_to_the_byte(machine: Machine) -> None:
    record(machine)
    before = machine.run("ledger", "query", "--json", "--limit", "0").out
    first = machine.run("replay", "one", "--json")
    assert (first.code, first.err) == (0, "")
    assert machine.run("replay", "one", "--json").out == first.out
    assert machine.process("replay", "one", "--json").out == first.out
    rows = first.rows()
    assert [row["event"] for row in rows][:2] == ["SessionStart", "PreToolUse"]
    assert [row["now"] for row in rows] == ["none", "none", "deny", "none", "none", "none"]
    assert not any(row["changed"] for row in rows)
    assert "ms" not in rows[0]
    assert machine.run("ledger", "query", "--json", "--limit", "0").out == before


def test_todays_policy_decides(machine: Machine) -> None:
    record(machine)
    machine.contract("builder", "src/**")
    changed = machine.run("replay", "one", "--changed", "--json").rows()
    assert [(row["was"], row["now"], row["rule"]) for row in changed] == [
        ("none", "deny", "scope.outside")
    ]
    assert changed[0]["agent"] == "builder"
    text = machine.run("replay", "one").out.splitlines()
    assert len(text) == 6
    assert next(line for line in text if line.startswith("*")).endswith(
        "by builder: none → deny  scope.outside"
    )


def test_the_newest_session_is_the_default_and_the_canary_is_none(machine: Machine) -> None:
    record(machine)
    machine.decide(machine.shell("ls", session_id="doctor"), {}, words=("--record",))
    assert [row["event"] for row in machine.run("replay", "--json").rows()] == ["Stop"]


def test_nothing_to_replay(machine: Machine) -> None:
    machine.up()
    empty = machine.run("replay")
    assert (empty.code, empty.out) == (1, "")
    assert "nothing to replay: the ledger has no event yet" in empty.err
    unknown = machine.run("replay", "nobody")
    assert unknown.code == 1
    assert "no event of session 'nobody' is on record" in unknown.err
    assert "next step: pointsman ledger tail" in unknown.err


def test_it_needs_no_daemon(machine: Machine) -> None:
    record(machine)
    with_one = machine.run("replay", "one").out
    machine.run("down")
    assert machine.run("replay", "one").out == with_one
