"""What models have used and what it costs, as scripts and people read it."""

import contextlib
import json
import os
import sqlite3
import time
from pathlib import Path

import pytest

from meter.lines import SESSION, call, said, usage, write
from pointsman.meter.report import ALLOCATED, BY

from .conftest import Machine

TOKENS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)  # fmt: skip


@pytest.fixture
def transcript(machine: Machine) -> Path:
    """A session with a subagent, two models, and one that nobody knows."""
    path = machine.base / "p" / f"{SESSION}.jsonl"
    where = {"cwd": str(machine.repository)}
    child = {"agentId": "x", "attributionAgent": "tester", "isSidechain": True, **where}
    write(
        path.with_suffix("") / "subagents/agent-x.jsonl",
        said("c", call("t3"), model="claude-haiku-5-5", **child),
        said("d", model="wizard-9000", gitBranch="topic", **child),
    )
    return write(
        path,
        said("a", call("t1"), call("t2", "Read"), usage=usage((1, 3, 5, 7, 9)), **where),
        said("b", timestamp="2026-11-25T01:00:00Z", **where),
        said("e", model="<synthetic>", **where),
    )


def test_every_grouping_adds_up_to_the_same(machine: Machine, transcript: Path) -> None:
    wanted = {name: 3 * one + other for name, one, other in
              zip(TOKENS, (10, 20, 300, 40, 50), (1, 3, 5, 7, 9), strict=True)}  # fmt: skip
    for by in BY:
        rows = machine.run("cost", "--by", by, "--json", "--transcript", str(transcript)).rows()
        assert {name: sum(row[name] for row in rows) for name in TOKENS} == wanted
        assert sum(row["calls"] for row in rows) == 4
        assert sum(row["unpriced_calls"] for row in rows) == 1
        assert {row["basis"] for row in rows} == {"allocated" if by in ALLOCATED else "measured"}
        assert all(by in row for row in rows)
        assert all((row["cost_usd"] is None) == bool(row["unpriced_calls"]) for row in rows)


def keys(machine: Machine, by: str, transcript: Path) -> set[str | None]:
    ended = machine.run("cost", "--by", by, "--json", "--transcript", str(transcript))
    assert ended.code == 0, ended.err
    return {row[by] for row in ended.rows()}


def test_groups_are_named_by_their_keys(machine: Machine, transcript: Path) -> None:
    machine.write(".pointsman/config.toml", '[roles.checker]\nagents = ["test*"]\n')
    assert keys(machine, "session", transcript) == {SESSION}
    assert keys(machine, "agent", transcript) == {"main", "tester"}
    assert keys(machine, "subagent", transcript) == {"main", "x"}
    assert keys(machine, "repository", transcript) == {str(machine.repository)}
    assert keys(machine, "branch", transcript) == {"trunk", "topic"}
    assert keys(machine, "role", transcript) == {"orchestrator", "checker"}
    assert keys(machine, "day", transcript) == {"2026-11-24", "2026-11-25"}
    assert keys(machine, "tool", transcript) == {None, "Bash", "Read"}
    assert keys(machine, "call", transcript) == {None, "t1", "t2", "t3"}
    assert keys(machine, "task", transcript) == {None}


def test_rows_choose_by_session_repository_and_time(machine: Machine, transcript: Path) -> None:
    def calls(*words: str) -> int:
        ended = machine.run("cost", "--json", "--transcript", str(transcript), *words)
        assert ended.code == 0, ended.err
        return sum(row["calls"] for row in ended.rows())

    assert calls("--session", SESSION) == 4
    assert calls("--session", "another") == 0
    assert calls("--repository", str(machine.repository / "src")) == 4
    assert calls("--repository", "/") == 0
    assert calls("--since", "2026-11-25") == 1
    assert calls("--until", "2026-11-25") == 3


def test_a_person_sees_what_is_unpriced_and_what_is_allocated(
    machine: Machine, transcript: Path
) -> None:
    text = machine.run("cost", "--by", "model", "--transcript", str(transcript)).out
    (wizard,) = (line for line in text.splitlines() if line.startswith("wizard-9000"))
    assert "unpriced" in wizard
    assert "$" not in wizard
    assert "calls of models without a price, in no sum of dollars: 1" in text
    assert "prices.toml" in text
    text = machine.run("cost", "--by", "call", "--transcript", str(transcript)).out
    assert "t2 (Read)" in text
    assert "(no call)" in text
    assert "allocated:" in text


def test_own_prices_hold_and_their_faults_are_named(machine: Machine, transcript: Path) -> None:
    config = machine.base / "home/.config/pointsman"
    config.mkdir(parents=True)
    words = ("cost", "--by", "model", "--json", "--transcript", str(transcript))
    (config / "prices.toml").write_text("[models.wizard-9000]\ninput = 1\noutput = 1\n")
    rows = {row["model"]: row for row in machine.run(*words).rows()}
    used = (10 + 20 + 300 * 0.1 + 40 * 1.25 + 50 * 2) / 1e6
    assert rows["wizard-9000"]["cost_usd"] == pytest.approx(used)
    (config / "prices.toml").write_text("[models.wizard-9000]\ninput = 'much'\n")
    ended = machine.run(*words)
    assert ended.code == 1
    assert "models.wizard-9000.input = 'much': it is no price" in ended.err
    assert "models.wizard-9000.output is missing" in ended.err


def test_what_cannot_be_read_is_named(machine: Machine) -> None:
    for words in (("cost",), ("cost", "--host")):
        ended = machine.run(*words, "--transcript", "gone.jsonl")
        assert ended.code == 1
        assert f"{machine.repository}/gone.jsonl cannot be read" in ended.err
    ended = machine.run("cost")
    assert ended.code == 1
    assert "there is no ledger" in ended.err
    ended = machine.run("cost", "--since", "yesterday")
    assert ended.code == 1
    assert "'yesterday' is neither" in ended.err


def test_a_directory_is_all_that_lies_in_it(machine: Machine, transcript: Path) -> None:
    write(machine.base / "p/fork.jsonl", said("b", sessionId="fork"), said("f", sessionId="fork"))
    os.utime(transcript, (1, 1))
    ended = machine.run("cost", "--json", "--transcript", str(transcript.parent))
    assert {row["session"]: row["calls"] for row in ended.rows()} == {SESSION: 4, "fork": 1}


def test_a_ledger_without_usage_is_named(machine: Machine) -> None:
    machine.state.mkdir()
    with contextlib.closing(sqlite3.connect(machine.state / "ledger.db")) as old:
        old.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY)")
        old.commit()
    for words in (("cost",), ("cost", "--host")):
        ended = machine.run(*words)
        assert ended.code == 1
        assert "pointsman up --restart" in ended.err


def test_the_daemon_reads_what_events_name_and_the_command_what_it_has_not(
    machine: Machine, transcript: Path
) -> None:
    machine.up()
    shell = machine.shell("ls", transcript_path=str(transcript), session_id=SESSION)
    machine.decide(shell, words=("--record",))
    deadline = time.monotonic() + 60
    while machine.run("cost", "--json", "--by", "total").rows() == []:
        assert time.monotonic() < deadline
    with transcript.open("a") as file:
        file.write(json.dumps(said("z", cwd=str(machine.repository))) + "\n")
    alone = machine.run("cost", "--by", "model", "--json", "--transcript", str(transcript)).rows()
    assert machine.run("cost", "--by", "model", "--json").rows() == alone
    assert machine.run("down").code == 0
    with transcript.open("a") as file:
        file.write(json.dumps(said("y", cwd=str(machine.repository))) + "\n")
    assert sum(row["calls"] for row in machine.run("cost", "--json").rows()) == 6


def test_the_hosts_own_total_stands_beside_ours(machine: Machine, transcript: Path) -> None:
    used = {"inputTokens": 100, "outputTokens": 23, "cacheReadInputTokens": 305,
            "cacheCreationInputTokens": 106, "cacheCreationEphemeral5mInputTokens": 47,
            "cacheCreationEphemeral1hInputTokens": 59, "costUSD": 0.5}  # fmt: skip
    native = {"type": "cost-state", "sessionId": SESSION,
              "modelUsage": {"claude-opus-5-5": used}}  # fmt: skip
    with transcript.open("a") as file:
        file.write(json.dumps(native) + "\n")
    words = ("cost", "--host", "--transcript", str(transcript))
    (row,) = machine.run(*words, "--json").rows()
    assert (row["session"], row["model"]) == (SESSION, "claude-opus-5-5")
    assert (row["input_tokens"], row["host_input_tokens"]) == (11, 100)
    assert (row["output_tokens"], row["host_output_tokens"]) == (23, 23)
    assert row["host_usd"] == 0.5
    lines = machine.run(*words).out.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["transcript", "host", "only"]
    assert machine.run(*words, "--session", "another", "--json").rows() == []
