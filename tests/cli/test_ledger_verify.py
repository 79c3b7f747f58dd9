"""``ledger verify`` and ``ledger key``, as scripts and people use them."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import Machine

KEYS = {"ok", "fault", "first_bad", "records"}


@pytest.fixture
def filled(machine: Machine) -> Machine:
    machine.up()
    machine.decide(machine.shell("ls"), machine.shell("rm -rf /"), words=("--record",))
    return machine


def tampered(ledger: Path, statement: str) -> None:
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER events_append_only")
        connection.execute(statement)


def test_a_live_ledger_verifies(filled: Machine) -> None:
    ended = filled.run("ledger", "verify", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert found["ok"] is True
    assert set(found) >= KEYS
    assert (found["fault"], found["first_bad"]) == (None, None)
    assert found["records"] >= 2
    assert found["key_known"]


def test_an_edit_is_said_and_is_the_exit_code(filled: Machine, tmp_path: Path) -> None:
    filled.run("down")
    ledger = shutil.copy(filled.state / "ledger.db", tmp_path / "copy.db")
    assert filled.run("ledger", "verify", str(ledger)).code == 0
    tampered(Path(ledger), "UPDATE events SET decision = 'none' WHERE seq = 2")
    ended = filled.run("ledger", "verify", str(ledger), "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    assert (found["ok"], found["fault"], found["first_bad"]) == (False, "edit", 2)
    said = filled.run("ledger", "verify", str(ledger))
    assert said.code == 1
    assert "fault      edit, from event 2 on" in said.out


def test_the_key_is_shown_and_can_be_named(filled: Machine, tmp_path: Path) -> None:
    filled.run("down")
    shown = filled.run("ledger", "key")
    assert shown.code == 0
    key = shown.out.strip()
    assert json.loads(filled.run("ledger", "key", "--json").out)["key"] == key
    kept = tmp_path / "ledger.pub"
    kept.write_text(shown.out)
    assert filled.run("ledger", "verify", "--key", key).code == 0
    assert filled.run("ledger", "verify", "--key", str(kept)).code == 0
    ended = filled.run("ledger", "verify", "--key", "00" * 32, "--json")
    assert (ended.code, json.loads(ended.out)["fault"]) == (1, "rewrite")
    ended = filled.run("ledger", "verify", "--key", "rubbish")
    assert ended.code == 1
    assert "is no public key" in ended.err


def test_where_there_is_nothing_the_next_step_is_named(machine: Machine) -> None:
    for words in (("verify",), ("key",)):
        ended = machine.run("ledger", *words)
        assert ended.code == 1
        assert "next step: pointsman up" in ended.err
