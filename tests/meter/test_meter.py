"""The daemon's reader: what transcripts say comes on record, once, whatever happens in between."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.cost.prices import Prices
from pointsman.meter.meter import Meter, Surroundings, metered
from pointsman.meter.report import BY, Lens, of_files, of_ledger, total
from pointsman.model.contract import ToolRule
from pointsman.model.errors import LedgerError
from pointsman.model.event import Identity
from pointsman.model.events import PreToolUse, SubagentStop
from pointsman.model.limit import Limit
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.model.secret import NoSecrets
from pointsman.model.usage import Amount, Cost, Usage
from pointsman.store import query, totals
from pointsman.store.ledger import Ledger
from pointsman.store.usage_query import Chosen

from .lines import SESSION, call, line, said, usage, write


class Desk:
    """A ledger, a meter on it, and the notes that it made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[tuple[str, str]] = []
        self.told: list[tuple[Usage, Cost]] = []
        self.ledger = Ledger.open(folder / "ledger.db")
        self.prices = Prices(folder / "prices.toml", lambda error: self.note("broken", str(error)))
        self.meter = self.begin()

    def begin(self) -> Meter:
        """Return the meter of a daemon that has just been started."""
        around = Surroundings(
            role=lambda _repository, agent: "worker" if agent != "main" else "",
            cover=lambda text: text.replace("secret", "[redacted]"),
            report=self.note,
        )
        meter = Meter(self.ledger, Prices(self.folder / "prices.toml", lambda _error: None), around)
        meter.on_usage.append(lambda usage, cost: self.told.append((usage, cost)))
        return meter

    def note(self, kind: str, text: str) -> None:
        self.notes.append((kind, text))

    def saw(self, path: Path, **more: Any) -> None:
        """Let an event name a transcript, and everything be read."""

        async def look() -> None:
            self.meter.saw(event(path, **more))
            await self.meter.catch_up()
            await self.meter.close()

        asyncio.run(look())

    def rows(self, by: str = "total", chosen: Chosen | None = None) -> dict[str | None, Amount]:
        """Return the groups that are on record, and only there."""
        lens = Lens(price=_no_price)
        with query.opened(self.ledger.path) as connection:
            found = of_ledger(connection, by, chosen or Chosen(), lens)
        return {row.key: row.amount for row in found}


def _no_price(usage: Usage) -> Cost:
    raise AssertionError(f"{usage} is not on record")


def event(path: Path, **more: Any) -> PreToolUse:
    identity = Identity(host="claude-code", session=SESSION)
    return PreToolUse(identity=identity, transcript_path=str(path), tool_name="Bash", **more)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.ledger.close()


def main(desk: Desk) -> Path:
    return desk.folder / "p" / f"{SESSION}.jsonl"


def test_what_an_event_names_is_read_with_the_subagents(desk: Desk) -> None:
    write(main(desk), said("a", call("t1")), said("a", call("t2")), said("b"))
    child = desk.folder / "p" / SESSION / "subagents/agent-x.jsonl"
    write(child, said("c", agentId="x", attributionAgent="tester", isSidechain=True))
    desk.saw(main(desk))
    assert desk.rows()["total"].calls == 3
    assert desk.rows("subagent")["x"].calls == 1
    assert desk.rows("agent").keys() == {"main", "tester"}
    assert desk.rows("role").keys() == {"orchestrator", "worker"}
    assert desk.rows("tool")["Bash"].output_tokens == 20
    assert desk.rows("call")["t1"].output_tokens == 10
    assert not desk.notes


def test_a_subagents_transcript_leads_to_its_session(desk: Desk) -> None:
    child = write(desk.folder / "p" / SESSION / "subagents/agent-x.jsonl", said("c"))
    write(main(desk), said("a"))

    async def look() -> None:
        identity = Identity(host="claude-code", session=SESSION)
        desk.meter.saw(SubagentStop(identity=identity, agent_transcript_path=str(child)))
        await desk.meter.catch_up()
        await desk.meter.close()

    asyncio.run(look())
    assert desk.rows()["total"].calls == 2


def test_events_wake_it(desk: Desk) -> None:
    write(main(desk), said("a"))

    async def wait() -> None:
        told = asyncio.Event()
        desk.meter.on_usage.append(lambda _usage, _cost: told.set())
        desk.meter.saw(event(main(desk)))
        await told.wait()
        await desk.meter.close()

    asyncio.run(asyncio.wait_for(wait(), 30))
    assert desk.rows()["total"].calls == 1


def test_what_comes_after_the_last_event_is_read_by_the_tick(desk: Desk) -> None:
    write(main(desk), said("a"))
    desk.saw(main(desk))
    with main(desk).open("ab") as file:
        file.write(line(said("b")) + b"\n")
    asyncio.run(desk.meter.catch_up())
    assert desk.rows()["total"].calls == 2


def test_an_event_is_no_reason_to_look_into_other_sessions(desk: Desk) -> None:
    other = write(desk.folder / "p/other.jsonl", said("o", sessionId="other"))
    write(main(desk), said("a"))

    async def follow() -> list[int]:
        for path in (main(desk), other):
            desk.meter.saw(event(path))
            await desk.meter.catch_up()
        for path, name in ((main(desk), "b"), (other, "p")):
            with path.open("ab") as file:
                file.write(line(said(name)) + b"\n")
        await desk.meter.catch_up({str(other)})
        calls = [desk_calls(desk)]
        told = asyncio.Event()
        desk.meter.on_usage.append(lambda _usage, _cost: told.set())
        desk.meter.wake()
        await told.wait()
        await desk.meter.close()
        return [*calls, desk_calls(desk)]

    assert asyncio.run(asyncio.wait_for(follow(), 30)) == [3, 4]


def desk_calls(desk: Desk) -> int:
    with desk.ledger.writing() as connection:
        return int(connection.execute("SELECT sum(calls) FROM usage").fetchone()[0])


def test_another_hosts_transcripts_are_not_read(desk: Desk) -> None:
    write(main(desk), said("a"))

    async def look() -> None:
        identity = Identity(host="another", session=SESSION)
        named = PreToolUse(identity=identity, transcript_path=str(main(desk)), tool_name="Bash")
        desk.meter.saw(named)
        await desk.meter.catch_up()

    asyncio.run(look())
    assert desk.rows() == {}


def test_the_next_daemon_goes_on_where_the_last_one_was(desk: Desk) -> None:
    write(main(desk), said("a"), said("b"))
    desk.saw(main(desk))
    with main(desk).open("ab") as file:
        file.write(line(said("b", call("t"))) + b"\n" + line(said("c")) + b"\n" + b'{"type":"assi')
    desk.meter, desk.told = desk.begin(), []
    asyncio.run(desk.meter.catch_up())
    assert desk.rows()["total"].calls == 3
    assert [usage.message_id for usage, _ in desk.told] == ["c"]


def test_a_fork_counts_what_it_has_added(desk: Desk) -> None:
    write(main(desk), said("a"), said("b"))
    fork = desk.folder / "p/fork.jsonl"
    write(fork, *(said(name, sessionId="fork") for name in ("a", "b", "c")))
    desk.saw(main(desk))
    desk.saw(fork)
    assert {key: row.calls for key, row in desk.rows("session").items()} == {SESSION: 2, "fork": 1}


def test_listeners_are_told_what_was_added_after_it_is_on_record(desk: Desk) -> None:
    seen: list[int] = []
    desk.meter.on_usage.append(lambda _usage, _cost: seen.append(desk.rows()["total"].calls))
    early = usage((10, 1, 300, 40, 50))
    write(main(desk), said("a", usage=early, stop=None))
    desk.saw(main(desk))
    with main(desk).open("ab") as file:
        file.write(line(said("a", model="claude-opus-5-5")) + b"\n")
    desk.saw(main(desk))
    first, second = desk.told
    assert seen == [1, 1]
    assert (first[0].output_tokens, first[0].growth) == (1, False)
    assert (second[0].output_tokens, second[0].input_tokens, second[0].growth) == (19, 0, True)
    whole = (first[1].usd or 0) + (second[1].usd or 0)
    assert whole == pytest.approx(desk.rows()["total"].usd)


def test_a_listener_that_fails_costs_the_others_nothing(desk: Desk) -> None:
    def fail(_usage: Usage, _cost: Cost) -> None:
        raise RuntimeError("no")

    desk.meter.on_usage.insert(0, fail)
    write(main(desk), said("a"))
    desk.saw(main(desk))
    assert len(desk.told) == 1
    assert desk.notes == [("usage not read", "RuntimeError: no")]


def test_a_model_without_a_price_gets_one_when_the_user_gives_it(desk: Desk) -> None:
    write(main(desk), said("a", model="wizard-9000"), said("b"))
    desk.saw(main(desk))
    assert desk.rows()["total"].usd is None
    assert desk.rows("model")["wizard-9000"].unpriced == 1
    (desk.folder / "prices.toml").write_text("[models.wizard-9000]\ninput = 1\noutput = 2\n")
    asyncio.run(desk.meter.catch_up())
    row = desk.rows("model")["wizard-9000"]
    assert row.usd == pytest.approx((10 + 2 * 20 + 30 + 40 * 1.25 + 50 * 2) / 1e6)
    assert (row.calls, row.output_tokens) == (1, 20)
    assert desk.rows("tool")[None].usd == desk.rows()["total"].usd
    # Limits learn of the price, and of nothing that they know.
    usage, cost = desk.told[-1]
    assert (usage.repriced, usage.growth, usage.tokens, cost.usd) == (True, True, 0, row.usd)
    assert len(desk.told) == 3
    assert [kind for kind, _ in desk.notes] == ["usage priced"]


def test_no_secret_comes_on_record_by_a_name(desk: Desk) -> None:
    child = desk.folder / "p" / SESSION / "subagents/agent-x.jsonl"
    more = {"agentId": "x", "attributionAgent": "secret", "gitBranch": "secret"}
    write(child, said("a", call("t", "secret"), model="secret", **more))
    write(main(desk))
    desk.saw(main(desk))
    for by in ("agent", "branch", "model", "tool"):
        assert list(desk.rows(by)) == ["[redacted]"]


def test_what_cannot_be_read_is_left_alone(desk: Desk) -> None:
    desk.saw(desk.folder / "gone.jsonl")
    (desk.folder / "folder.jsonl").mkdir()
    desk.saw(desk.folder / "folder.jsonl")
    desk.saw(Path("/dev/zero"))
    assert desk.rows() == {}
    assert not desk.notes


def test_a_ledger_that_takes_nothing_is_told_of_once_and_caught_up_with(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(main(desk), said("a"))
    desk.saw(main(desk))
    with main(desk).open("ab") as file:
        file.write(line(said("b")) + b"\n")

    def full() -> Any:
        raise LedgerError("the disk is full", fix="df")

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "writing", full)
        asyncio.run(desk.meter.catch_up())
        asyncio.run(desk.meter.catch_up())
    assert desk.notes == [("usage not read", "the disk is full; df")]
    asyncio.run(desk.meter.catch_up())
    assert desk.rows()["total"].calls == 2


def test_a_message_that_cannot_be_recorded_holds_up_no_other(desk: Desk) -> None:
    write(main(desk), said("a"), said("b"), said("c"))

    def role(_repository: str | None, _agent: str) -> str:
        return ""

    def cover(text: str) -> str:
        return "\ud800" if text == "bad" else text

    desk.meter.around = Surroundings(role=role, cover=cover, report=desk.note)
    write(main(desk), said("a"), said("b", gitBranch="bad"), said("c"))
    desk.saw(main(desk))
    assert desk.rows()["total"].calls == 2
    assert all("surrogates not allowed" in text for _, text in desk.notes)
    with main(desk).open("ab") as file:
        file.write(line(said("d")) + b"\n")
    desk.saw(main(desk))
    assert desk.rows()["total"].calls == 3


def test_a_path_that_is_no_name_costs_the_others_nothing(desk: Desk) -> None:
    write(main(desk), said("a"))
    desk.saw(Path("/\ud800.jsonl"))
    desk.saw(main(desk))
    assert desk.rows()["total"].calls == 1
    assert not desk.notes


def test_a_long_line_is_passed_over_with_a_note(desk: Desk) -> None:
    long = said("long", {"type": "text", "text": "x" * 9 * 1024 * 1024})
    write(main(desk), said("a"), long, said("b"))
    desk.saw(main(desk))
    assert desk.rows()["total"].calls == 2
    assert [kind for kind, _ in desk.notes] == ["usage not read"]


def test_a_daemons_meter_knows_roles_secrets_and_faults_of_prices(desk: Desk) -> None:
    places = Places(state=desk.folder / "state", config=desk.folder / "config")
    places.config.mkdir()
    places.prices.write_text("[models.a]\ninput = -1\n")
    rule = ToolRule(role="tests", agents=("test*",), tools=None, disallowed=(), source="")

    def policy(_repository: str | None) -> Policy:
        return Policy(roles=(rule,))

    desk.meter = metered(desk.ledger, places, policy, NoSecrets(), desk.note)
    write(main(desk), said("a", agentId="x", attributionAgent="tester"), said("b"))
    desk.saw(main(desk))
    assert desk.rows("role").keys() == {"orchestrator", "tests"}
    assert desk.rows()["total"].usd is None
    assert [kind for kind, _ in desk.notes] == ["prices broken"]


NATIVES = [
    said("a", call("t1"), usage=usage((1, 2, 3, 4, 5)), stop=None),
    said("a", call("t2"), usage=usage((1, 9, 3, 4, 5))),
    said("b", usage=usage((7, 1, 0, 0, 11)), timestamp="2026-11-25T22:47:41Z"),
    said("b", call("t3", "Read"), usage=usage((7, 30, 0, 0, 11)), model="wizard-9000"),
    said("c", agentId="x", attributionAgent="tester", gitBranch="topic"),
    said("d", model="<synthetic>"),
    said("e", sessionId="fork"),
    said("e", sessionId="fork"),
    {"type": "user", "promptId": "p-1"},
]
WHOLE = [said("a", call("t1"), call("t2"), usage=usage((1, 9, 3, 4, 5))), *NATIVES[3:7]]


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    st.permutations(NATIVES),
    st.permutations(NATIVES),
    st.lists(st.tuples(st.booleans(), st.integers(1, 2000), st.booleans()), max_size=8),
)
def test_any_order_repetition_tearing_and_restart_gives_the_same_sums(
    tmp_path_factory: Any,
    natives: list[dict[str, Any]],
    theirs: list[dict[str, Any]],
    steps: list[tuple[bool, int, bool]],
) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    left = {main(desk): natives + natives[:4], desk.folder / "p/fork.jsonl": theirs[:5]}
    data = {path: b"".join(line(each) + b"\n" for each in lines) for path, lines in left.items()}
    paths = [write(path) for path in data]
    try:
        for first, cut, restarted in [*steps, (True, 10**6, True), (False, 10**6, False)]:
            path = paths[0] if first else paths[1]
            piece, data[path] = data[path][:cut], data[path][cut:]
            with path.open("ab") as file:
                file.write(piece)
            if restarted:
                desk.meter = desk.begin()
            desk.saw(path)
        _same_sums(desk, write(desk.folder / "wanted.jsonl", *WHOLE))
    finally:
        desk.ledger.close()
        shutil.rmtree(desk.folder)


def _same_sums(desk: Desk, wanted: Path) -> None:
    lens = Lens(price=desk.prices.of)
    whole = total(of_files([str(wanted)], "total", Chosen(), lens))
    assert whole.calls == 4
    for by in BY:
        rows = desk.rows(by)
        assert sum(rows.values(), Amount()) == whole, by
        if by in {"session", "model", "branch", "subagent", "tool", "call"}:
            alone = of_files([str(wanted)], by, Chosen(), lens)
            assert rows == {row.key: row.amount for row in alone}, by


@pytest.mark.parametrize(
    ("settings", "of", "reads"),
    [({}, "", True), ({"enabled": False}, "", False), ({"enabled": False}, "calls", False),
     ({"enabled": False}, "tokens", True), ({"enabled": False}, "usd", True)],
)  # fmt: skip
def test_reading_can_be_switched_off_but_for_limits_that_need_it(
    desk: Desk, settings: dict[str, Any], of: str, *, reads: bool
) -> None:
    limits = (Limit(per="day", of=of, at=1, then="deny"),) if of else ()
    policy = Policy(cost=settings, limits=limits)
    places = Places(desk.folder, desk.folder)
    desk.meter = metered(desk.ledger, places, lambda _repository: policy, NoSecrets(), desk.note)
    write(main(desk), said("a"))
    desk.saw(main(desk))
    assert bool(desk.rows()) is reads


def test_usage_that_is_too_old_goes_with_its_sums_and_does_not_come_back(desk: Desk) -> None:
    now = datetime.now(UTC)
    old, young = ((now - timedelta(days=days)).isoformat() for days in (50, 10))
    lines = [
        said("old", call("t1"), timestamp=old), said("young", call("t2"), timestamp=young),
        said("when", timestamp="?"),
    ]  # fmt: skip
    write(main(desk), *lines)
    desk.saw(main(desk))
    assert desk.rows()["total"].calls == 3
    with query.opened(desk.ledger.path) as connection:
        before = totals.models(connection)
    desk.meter.around = replace(desk.meter.around, days=lambda: 40)
    desk.meter._pruned = float("-inf")
    asyncio.run(desk.meter.catch_up())
    for by in BY:
        whole = sum(row.calls for row in desk.rows(by).values())
        assert whole == 2, by
    assert set(desk.rows("call")) == {None, "t2"}
    with query.opened(desk.ledger.path) as connection:
        assert totals.models(connection) == before, "a counter never goes down"
    # Read anew, as after a restart with a file that was replaced: what is too old stays out.
    shutil.copy(main(desk), main(desk).with_suffix(".copy"))
    main(desk).with_suffix(".copy").replace(main(desk))
    desk.meter = desk.begin()
    desk.meter.around = replace(desk.meter.around, days=lambda: 40)
    desk.saw(main(desk))
    assert desk.rows()["total"].calls == 2


def test_nobody_else_removes_usage(desk: Desk) -> None:
    write(main(desk), said("a", call("t1")))
    desk.saw(main(desk))
    for table in ("usage", "usage_tools"):
        with pytest.raises(LedgerError, match="append-only"), desk.ledger.writing() as connection:
            connection.execute(f"DELETE FROM {table}")
