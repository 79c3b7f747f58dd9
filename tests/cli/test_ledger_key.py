"""``ledger key``: told to anybody, handed over by the daemon when a person says so."""

from .conftest import Machine


def test_it_is_handed_over_and_verifies_with_either(machine: Machine) -> None:
    machine.up()
    machine.decide(machine.shell("ls"), words=("--record",))
    old = machine.run("ledger", "key").out.strip()
    ended = machine.run("ledger", "key", "--hand-over")
    assert ended.code == 0, ended.err
    assert old in ended.err
    new = ended.out.strip()
    assert new != old
    machine.decide(machine.shell("pwd"), words=("--record",))
    assert machine.run("ledger", "key").out.strip() == new
    for key in (old, new):
        verified = machine.run("ledger", "verify", "--key", key)
        assert verified.code == 0, verified.out
    assert machine.run("ledger", "verify", "--key", "0" * 64).code == 1
    assert machine.run("ledger", "verify").code == 0


def test_without_a_daemon_the_next_step_is_named(machine: Machine) -> None:
    ended = machine.run("ledger", "key", "--hand-over")
    assert ended.code == 1
    assert "pointsman up" in ended.err


def test_no_agent_types_it(machine: Machine) -> None:
    said = machine.decide(
        machine.shell("pointsman ledger key --hand-over"), machine.shell("pointsman ledger key")
    ).rows()
    assert [row["decision"] for row in said] == ["deny", "none"]
