"""``ledger purge``: by the daemon, of what was named, and never by an agent."""

import json

import pytest

from .conftest import Machine


@pytest.fixture
def filled(machine: Machine) -> Machine:
    machine.up()
    machine.decide(machine.shell("ls"), machine.shell("pwd", session_id="two"), words=("--record",))
    return machine


def payload(machine: Machine, seq: int) -> object:
    return json.loads(machine.run("ledger", "show", str(seq), "--json").out)["payload"]


def test_bodies_of_a_session_go_and_it_verifies(filled: Machine) -> None:
    assert payload(filled, 2)
    ended = filled.run("ledger", "purge", "--bodies", "--session", "two")
    assert ended.code == 0, ended.err
    assert "removed the bodies of 1 events" in ended.out
    assert payload(filled, 2) is None
    assert payload(filled, 1)
    assert filled.run("ledger", "verify").code == 0
    assert filled.run("ledger", "purge", "--secrets", "--all").code == 0


@pytest.mark.parametrize(
    "words", [(), ("--bodies",), ("--all",), ("--bodies", "--all", "--seq", "1")]
)
def test_what_is_not_said_is_asked_for(machine: Machine, words: tuple[str, ...]) -> None:
    assert machine.run("ledger", "purge", *words).code == 2


def test_without_a_daemon_the_next_step_is_named(machine: Machine) -> None:
    ended = machine.run("ledger", "purge", "--bodies", "--all")
    assert ended.code == 1
    assert "pointsman up" in ended.err


def test_no_agent_types_it(filled: Machine) -> None:
    said = filled.decide(
        filled.shell("pointsman ledger purge --bodies --all"),
        filled.shell("pointsman ledger verify"),
    ).rows()
    assert [row["decision"] for row in said] == ["deny", "none"]
