"""The real client and a model whose every message has known usage: what the ledger makes of it."""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from pointsman.meter.report import BY
from pointsman.store import query

from .messages_api import MessagesApi, Refused, Request, Said, agent, bash, used
from .pointsman_session import Guarded, guarded
from .session import Claude, Result

pytestmark = pytest.mark.host

FIELDS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "ephemeral_5m_input_tokens": "cache_write_5m_tokens",
    "ephemeral_1h_input_tokens": "cache_write_1h_tokens",
}
MAIN = [(11, 101, 18_001, 707, 303), (13, 103, 19_003, 0, 1_009), (17, 211, 20_011, 2_003, 0)]
LAST, CHILD = (19, 7, 23_003, 0, 0), [(23, 401, 0, 9_001, 0), (29, 37, 9_001, 41, 43)]


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def run(under: Guarded, prompt: str, *more: str) -> Result:
    result = under.claude.run(prompt, env=under.env, extra_args=more)
    assert result.returncode == 0, result.stderr
    return result


def transcripts(under: Guarded) -> Counter[str]:
    """Return what the client's own files say, each message once: told apart by its id alone."""
    messages: dict[str, dict[str, Any]] = {}
    for file in under.claude.config.glob("projects/**/*.jsonl"):
        for line in file.read_text().splitlines():
            said = json.loads(line).get("message") or {}
            if "usage" in said and said["model"] != "<synthetic>":
                messages[said["id"]] = {**said["usage"], **said["usage"]["cache_creation"]}
    sums: Counter[str] = Counter(calls=len(messages))
    for usage in messages.values():
        sums.update({ours: usage[theirs] for theirs, ours in FIELDS.items()})
    return sums


def cost(under: Guarded, *words: str) -> list[dict[str, Any]]:
    text = under.command("cost", "--json", *words)
    return [json.loads(line) for line in text.splitlines()]


def summed(rows: list[dict[str, Any]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums.update({name: row[name] for name in (*FIELDS.values(), "calls")})
    return sums


def known(*messages: tuple[int, ...]) -> Counter[str]:
    sums: Counter[str] = Counter(calls=len(messages))
    for message in messages:
        sums.update(dict(zip(FIELDS.values(), message, strict=True)))
    return sums


def recorded(under: Guarded) -> Counter[str]:
    """Return what the daemon itself has put on record: no command of ours has added to it."""
    columns = [*FIELDS.values(), "calls"]
    asked = f"SELECT {', '.join(f'coalesce(sum({name}), 0)' for name in columns)} FROM usage"
    with query.opened(under.state / "ledger.db") as connection:
        return Counter(dict(zip(columns, connection.execute(asked).fetchone(), strict=True)))


def wait_for_record(under: Guarded, wanted: Counter[str]) -> None:
    """Wait until the daemon has read what a session has left."""
    deadline = time.monotonic() + 60
    while recorded(under) != wanted:
        assert time.monotonic() < deadline, recorded(under)
        time.sleep(0.1)


def flaky(said: Said) -> Any:
    """Return a turn that the service refuses once, as one that is overloaded does."""
    tries = itertools.count()

    def turn(_request: Request) -> Said:
        if next(tries) == 0:
            raise Refused(529)
        return said

    return turn


def scripts(api: MessagesApi) -> None:
    """Two calls in one message, a retry, a subagent on another model, caches of both kinds."""
    api.script(
        "main",
        used(["I look.", bash("echo one"), bash("echo two")], MAIN[0]),
        used(bash("echo three"), MAIN[1]),
        used(agent("child", model="haiku"), MAIN[2]),
        used("all done", LAST),
    )
    api.script("child", used(bash("echo child"), CHILD[0]), used("child done", CHILD[1]))


def test_ledger_transcript_and_host_agree(under: Guarded, api: MessagesApi) -> None:
    scripts(api)
    result = run(under, "Begin. SCRIPT=main")
    wanted = known(*MAIN, LAST, *CHILD)
    assert transcripts(under) == wanted
    wait_for_record(under, wanted)
    for by in BY:
        assert summed(cost(under, "--by", by)) == wanted, by
    (session,) = cost(under, "--by", "session")
    assert session["session"] == result.session_id
    assert session["cost_usd"] == pytest.approx(result.end["total_cost_usd"], abs=1e-8)
    for model, theirs in result.end["modelUsage"].items():
        (row,) = [row for row in cost(under, "--by", "model") if row["model"] == model]
        assert row["cost_usd"] == pytest.approx(theirs["costUSD"], abs=1e-8)
    agents = {row["agent"]: row for row in cost(under, "--by", "agent")}
    assert summed([agents["general-purpose"]]) == known(*CHILD)
    assert summed([agents["main"]]) == known(*MAIN, LAST)
    calls = {row["call"]: row for row in cost(under, "--by", "call")}
    assert calls["toolu_child_0_0"]["output_tokens"] == CHILD[0][1]
    assert (
        calls["toolu_main_0_1"]["output_tokens"] + calls["toolu_main_0_2"]["output_tokens"] == 101
    )
    assert {row["basis"] for row in calls.values()} == {"allocated"}
    compared = cost(under, "--host")
    assert all(row[name] == row[f"host_{name}"] for row in compared for name in FIELDS.values())
    assert len(compared) == 2


def test_retry_costs_what_was_answered(under: Guarded, api: MessagesApi) -> None:
    api.script("main", flaky(bash("echo one")), used("all done", LAST))
    result = run(under, "Begin. SCRIPT=main")
    assert len(api.answered("main")) == 3
    (session,) = cost(under)
    assert session["calls"] == 2
    assert summed([session]) == transcripts(under)
    assert session["cost_usd"] == pytest.approx(result.end["total_cost_usd"], abs=1e-8)


def test_fork_resume_and_compaction_count_each_message_once(
    under: Guarded, api: MessagesApi
) -> None:
    scripts(api)
    for name in ("more", "fork", "after"):
        api.script(name, used(bash(f"echo {name}"), MAIN[0]), used("done", LAST))
    first = run(under, "Begin. SCRIPT=main").session_id
    run(under, "More. SCRIPT=more", "--resume", first)
    forked = run(under, "Fork. SCRIPT=fork", "--resume", first, "--fork-session").session_id
    both = known(*MAIN, LAST, *CHILD, MAIN[0], LAST)
    rows = {row["session"]: row for row in cost(under)}
    assert summed([rows[first]]) == both
    assert summed([rows[forked]]) == known(MAIN[0], LAST)
    run(under, "/compact", "--resume", first)
    run(under, "After. SCRIPT=after", "--resume", first)
    rows = {row["session"]: row for row in cost(under)}
    assert summed([rows[first]]) == both + known(MAIN[0], LAST)
    assert summed(list(rows.values())) == transcripts(under)
    wait_for_record(under, transcripts(under))
    # The calls that compact stand in no transcript: the host alone counts them, and says so.
    compacted = [row for row in cost(under, "--host", "--session", first) if "opus" in row["model"]]
    assert compacted[0]["host_output_tokens"] > compacted[0]["output_tokens"]


def test_a_daemon_that_died_has_missed_nothing(under: Guarded, api: MessagesApi) -> None:
    scripts(api)

    def kill(_request: Request) -> Said:
        under.kill_daemon()
        return bash("echo killed")

    api.script("other", bash("echo one"), kill, used("all done", LAST))
    run(under, "Begin. SCRIPT=main")
    run(under, "Begin. SCRIPT=other")
    under.command("down", "--force", check=False)
    wanted = transcripts(under)
    assert wanted["calls"] == 9
    # Nobody runs: the command reads what is not on record yet, and leaves the record alone.
    assert summed(cost(under)) == wanted
    assert summed(cost(under, "--by", "tool")) == wanted
    under.command("up")
    wait_for_record(under, wanted)
    assert summed(cost(under)) == wanted


def test_transcript_alone_says_the_same(under: Guarded, api: MessagesApi) -> None:
    scripts(api)
    result = run(under, "Begin. SCRIPT=main")
    (file,) = under.claude.config.glob(f"projects/*/{result.session_id}.jsonl")
    for by in BY:
        assert summed(cost(under, "--by", by, "--transcript", str(file))) == transcripts(under)
        assert {row[by]: row["cost_usd"] for row in cost(under, "--by", by)} == {
            row[by]: row["cost_usd"] for row in cost(under, "--by", by, "--transcript", str(file))
        }
