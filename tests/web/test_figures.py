"""The pages' figures are those of the commands, on a ledger that was written for real."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from meter.lines import SESSION, call, said, usage, write
from pointsman.cli.cost import command as cost_command
from pointsman.cli.hooks import command as hooks_command
from pointsman.cost.prices import Prices
from pointsman.meter.meter import Meter, Surroundings
from pointsman.model.decision import deny
from pointsman.model.event import Identity
from pointsman.model.events import PreToolUse, SessionEnd
from pointsman.model.hook import Outcome
from pointsman.store import browse, query
from pointsman.store.record import Record
from pointsman.store.rollups import HOUR_NS
from store.records import record, run

from .conftest import Site


def stamp(hours_ago: float = 0) -> str:
    """Return a time of a transcript."""
    return query.iso(time.time_ns() - int(hours_ago * HOUR_NS))[:23] + "Z"


def told(site: Site, monkeypatch: pytest.MonkeyPatch, command: Any, *words: str) -> Any:
    """Return what a command prints as JSON of the site's state directory."""
    monkeypatch.setenv("POINTSMAN_STATE_DIR", str(site.places.state))
    monkeypatch.setenv("POINTSMAN_CONFIG_DIR", str(site.places.config))
    ended = CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    text = ended.output
    return json.loads(text) if text.startswith("[") else [json.loads(x) for x in text.splitlines()]


@pytest.fixture
def metered(empty: Site, tmp_path: Path) -> Site:
    """A session of two models, one without a price, with a subagent, read by the real meter."""
    main = write(
        tmp_path / f"p/{SESSION}.jsonl",
        said("a", call("t1"), call("t2", "Read"), timestamp=stamp()),
        said("b", timestamp=stamp(3), model="claude-haiku-4-5", usage=usage((1, 2, 3, 4, 5))),
        said("c", timestamp=stamp(30), model="wizard-9000"),
        said("d", timestamp=stamp(24 * 40)),
    )
    write(
        tmp_path / f"p/{SESSION}/subagents/agent-x.jsonl",
        said("e", agentId="x", attributionAgent="tester", isSidechain=True, timestamp=stamp()),
    )
    now = time.time_ns()
    seen = PreToolUse(
        identity=Identity(host="claude-code", session=SESSION, repository="/shop"),
        received_ns=now, transcript_path=str(main), tool_name="Bash", tool_input={},
    )  # fmt: skip
    who = Identity(
        host="claude-code", session=SESSION, repository="/shop", agent_id="x", agent_type="tester"
    )
    spawned = PreToolUse(identity=who, received_ns=now, tool_name="Read", tool_input={})
    empty.ledger.append(
        [Record(event=seen), Record(event=spawned, decision=deny("no", rule="r.no"))]
    )
    around = Surroundings(
        role=lambda _repository, agent: "worker" if agent != "main" else "",
        cover=lambda text: text, report=lambda kind, text: pytest.fail(f"{kind}: {text}"),
    )  # fmt: skip

    async def look() -> None:
        meter = Meter(empty.ledger, Prices(tmp_path / "none.toml", lambda _error: None), around)
        meter.saw(seen)
        await meter.catch_up()
        await meter.close()

    asyncio.run(look())
    return empty


BY = (
    "session",
    "agent",
    "subagent",
    "task",
    "repository",
    "branch",
    "model",
    "role",
    "tool",
    "day",
)


@pytest.mark.parametrize("by", BY)
def test_costs_are_those_of_the_command(
    metered: Site, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    page = metered.get(f"/api/cost?by={by}&hours=8784").json()
    printed = told(metered, monkeypatch, cost_command, "--by", by)
    assert printed == page["rows"]
    assert len(printed) > 0
    (whole,) = told(metered, monkeypatch, cost_command, "--by", "total")
    assert page["total"] == whole
    assert page["basis"] == ("allocated" if by == "tool" else "measured")


def test_what_has_no_price_is_shown_so_and_never_as_0(metered: Site) -> None:
    page = metered.get("/api/cost?by=model&hours=48").json()
    rows = {row["model"]: row for row in page["rows"]}
    assert (rows["wizard-9000"]["cost_usd"], rows["wizard-9000"]["unpriced_calls"]) == (None, 1)
    assert rows["claude-opus-5-5"]["calls"] == 2
    assert (page["total"]["cost_usd"], page["total"]["unpriced_calls"]) == (None, 1)
    assert page["total"]["priced_usd"] > 0
    assert sum(point["unpriced"] for point in page["series"]) == 1


@pytest.mark.parametrize("hours", [1, 24, 200, 8784])
@pytest.mark.parametrize("by", ["model", "tool", "day"])
def test_the_course_adds_up_to_the_sums(metered: Site, hours: int, by: str) -> None:
    page = metered.get(f"/api/cost?by={by}&hours={hours}").json()
    rows, series = page["rows"], page["series"]
    assert sum(sum(point["usd"]) for point in series) == pytest.approx(page["total"]["priced_usd"])
    kinds = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
    tokens = sum(sum(row[f"{kind}_tokens"] for kind in kinds) for row in rows)
    assert tokens == sum(point["tokens"] for point in series) > 0
    assert len(series) <= 98
    assert len({len(point["usd"]) for point in series}) == 1


def test_costs_of_one_repository_and_of_none(metered: Site) -> None:
    whole = metered.get("/api/cost?by=repository&hours=8784").json()
    for row in whole["rows"]:
        if row["repository"]:
            one = metered.get(f"/api/cost?hours=8784&repository={row['repository']}").json()
            assert one["total"]["calls"] == row["calls"]
    assert metered.get("/api/cost?repository=/elsewhere").json()["total"] is None


def test_agents_outcome_by_agent_model_and_role(metered: Site) -> None:
    outcomes = metered.get("/api/agents?repository=/shop").json()["outcomes"]
    shown = {
        by: {row["name"]: (row["runs"], row["calls"], row["denied"]) for row in rows}
        for by, rows in outcomes.items()
    }
    assert shown["agent"] == {"main": (1, 1, 0), "tester": (1, 1, 1)}
    assert shown["role"] == {"orchestrator": (1, 1, 0), "worker": (1, 1, 1)}
    assert sum(calls for _, calls, _ in shown["model"].values()) == 2
    assert "claude-opus-5-5" in shown["model"]


def test_hooks_are_those_of_the_command(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found = site.get("/api/hooks?hours=0").json()
    printed = told(site, monkeypatch, hooks_command)
    order = sorted(printed, key=lambda row: (-row["runs"], row["hook"], row["event"]))
    assert found["hooks"] == order
    hooks = {each["hook"]: each for each in found["hooks"]}
    assert hooks["slow"]["outcomes"] == {"timed out": 1}
    assert hooks["slow"]["timeout_rate_high"] == 1.0
    assert hooks["scope"]["budget_ms"] == 2500
    assert 1.5 <= hooks["scope"]["p99_ms"] <= 1.5 * 1.25


def test_hooks_over_the_chosen_time(empty: Site) -> None:
    now = time.time_ns()
    slow = run("slow", outcome=Outcome.TIMED_OUT, started_ns=now, duration_ns=3 * 10**9)
    old = run("old", started_ns=now - 60 * 24 * HOUR_NS)
    empty.ledger.append([
        record("c1", runs=(slow,), at=now, duration_ns=4_000_000),
        record("c2", runs=(old,), at=now - 60 * 24 * HOUR_NS, duration_ns=900_000_000),
    ])  # fmt: skip
    day = empty.get("/api/hooks").json()
    assert [each["hook"] for each in day["hooks"]] == ["slow"]
    assert day["hooks"][0]["timeouts"] == 1
    assert (day["events"], len(day["series"])) == (1, 1)
    assert 4 <= day["all"]["p50"] == day["all"]["max"] <= 5
    ever = empty.get("/api/hooks?hours=0").json()
    assert [each["hook"] for each in ever["hooks"]] == ["old", "slow"]
    assert (ever["events"], len(ever["series"])) == (2, 2)
    assert ever["all"]["max"] >= 900


def test_a_session_is_over_until_somebody_comes_back(empty: Site) -> None:
    who = Identity(host="claude-code", session="s1")
    empty.ledger.append([record("c1"), Record(event=SessionEnd(identity=who, received_ns=2))])
    (row,) = empty.get("/api/sessions").json()["sessions"]
    assert row["over"]
    empty.ledger.append([record(f"c{n}") for n in range(30)])
    (row,) = empty.get("/api/sessions").json()["sessions"]
    assert not row["over"]


def test_how_far_a_record_is_signed(site: Site) -> None:
    site.ledger.seal()
    found = site.get("/api/verification").json()
    assert found["available"]
    assert found["entries"] == found["signed"] >= 5
    assert (found["checkpoint"], len(found["root"])) == (found["checkpoint"], 64)
    site.ledger.append([record("c9")])
    more = site.get("/api/verification").json()
    assert (more["entries"] > found["entries"], more["signed"]) == (True, found["signed"])


def test_totals_are_those_of_ledger_query_whatever_counts_them(empty: Site) -> None:
    hour = HOUR_NS
    empty.ledger.append([
        record(f"c{n}", at=n * hour // 3, tool="Write" if n % 4 else "Bash", session=f"s{n % 3}",
               decision=deny("no", rule="r.no") if n % 5 == 0 else record().decision)
        for n in range(40)
    ])  # fmt: skip
    for asked in (
        query.Filter(),
        query.Filter(session="s1"),
        query.Filter(session="s1", decision="deny"),
        query.Filter(tool="Write", decision="none"),
        query.Filter(rule="r.no"),
        query.Filter(agent="main"),
        query.Filter(since=hour + 5, until=9 * hour),
        query.Filter(since=hour, until=2 * hour - 1),
        query.Filter(since=hour + 1, until=hour + hour // 2, tool="Write"),
        query.Filter(since=3 * hour - 1, decision="deny"),
        query.Filter(until=3 * hour),
        query.Filter(session="s2", since=2 * hour),
    ):
        wanted = len(list(query.query(empty.places.ledger, asked)))
        with query.opened(empty.places.ledger) as connection:
            assert browse.count(connection, asked) == wanted, asked
            assert len(browse.page(connection, asked, "", None, 100).rows) == wanted, asked


def test_what_only_a_long_look_would_tell_is_not_counted_but_paged(
    empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "MOST_MATCHED", 10)
    empty.ledger.append([
        record(f"c{n}", at=n * HOUR_NS, path="/a" if n in {3, 20} else "") for n in range(40)
    ])  # fmt: skip
    found, before = [], ""
    while True:
        page = empty.get(f"/api/events?path=/a&total=1{before}").json()
        assert page["total"] is None
        found += [row["seq"] for row in page["rows"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert found == [21, 4]
    # Nothing older is of the wanted time: there is no further page.
    late = empty.get("/api/events?path=/a&since=1970-01-02T10:00:00").json()
    assert (late["rows"], late["next"]) == ([], None)
    assert empty.get("/api/events?total=1&decision=none").json()["total"] == 40


def test_a_search_that_takes_long_says_how_far_it_has_come_and_goes_on_there(
    empty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = b'{"tool_input": {"command": "a most peculiar word"}}'
    empty.ledger.append([record(f"c{n}", payload=say if n == 3 else b"{}") for n in range(900)])
    # Each look at the clock finds a second gone: every slice is the last one of its request.
    ticks = iter(range(10**6))
    monkeypatch.setattr(browse, "clock", lambda: float(next(ticks)))
    found, scanned, before = [], [], ""
    while True:
        page = empty.get(f"/api/events?q=peculiar{before}").json()
        found += [row["seq"] for row in page["rows"]]
        if page["next"] is None:
            break
        assert page["scanned"] == page["next"]
        scanned.append(page["scanned"])
        before = f"&before={page['next']}"
    assert found == [4]
    assert scanned == [651, 401, 151]
