"""How each hook fares, as people and scripts read it."""

import json
from typing import Any

from .conftest import Machine

SLOW = """
import time
from pointsman import enricher, guard

@guard("PreToolUse", tools="Bash", budget=0.2)
def slow(event, ctx):
    time.sleep(5 if "sleepy" in event.tool_input.get("command", "") else 0)
"""


def rows_of(machine: Machine, *words: str) -> list[dict[str, Any]]:
    ended = machine.run("hooks", "--json", *words)
    assert ended.code == 0, ended.err
    rows: list[dict[str, Any]] = json.loads(ended.out)
    return rows


def test_nothing_has_run_yet(machine: Machine) -> None:
    machine.up()
    ended = machine.run("hooks")
    assert (ended.code, ended.out.split(".")[0]) == (0, "No hook has run yet")
    assert rows_of(machine) == []


def test_each_hook_is_counted_with_how_it_ended(machine: Machine) -> None:
    machine.up()
    calls = [machine.shell("ls") for _ in range(40)]
    machine.decide(*calls, machine.shell("rm -rf /"), words=("--record",))
    found = {(row["hook"], row["event"]): row for row in rows_of(machine)}
    safety = found["command-safety", "PreToolUse"]
    assert safety["runs"] == 41
    assert safety["outcomes"] == {"no opinion": 40, "decided": 1}
    assert (safety["timeouts"], safety["timeout_rate"]) == (0, 0.0)
    assert 0 < safety["p50_ms"] <= safety["p95_ms"] <= safety["p99_ms"] < safety["budget_ms"]
    assert safety["budget_ms"] == 10_000
    assert safety["recommended_budget_ms"] < 10_000
    shown = machine.run("hooks", "--hook", "canary").out.splitlines()
    assert [line.split()[:2] for line in shown[1:]] == [["canary", "PreToolUse"]]
    assert shown[1].endswith("well inside")


def test_a_hook_that_runs_out_of_time_is_told_so(machine: Machine) -> None:
    machine.write(".pointsman/hooks/slow.py", SLOW)
    machine.run("trust")
    machine.up()
    calls = [machine.shell("ls") for _ in range(30)]
    machine.decide(machine.shell("sleepy"), *calls, words=("--record",))
    (slow,) = [row for row in rows_of(machine) if row["hook"].endswith("slow")]
    assert slow["timeouts"] >= 1
    assert slow["timeout_rate_low"] > 0
    assert "runs out of time: give it" in machine.run("hooks").out


def test_days_before_and_after(machine: Machine) -> None:
    machine.up()
    machine.decide(machine.shell("ls"), words=("--record",))
    assert rows_of(machine, "--since", "2d") == rows_of(machine) != []
    assert rows_of(machine, "--since", "2100-01-01") == []
    ended = machine.run("hooks", "--since", "soon")
    assert ended.code == 1
    assert "neither ISO 8601 nor an age" in ended.err
