"""What hooks say of MCP servers: at the start, before a call, and for whoever needs one."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pointsman.hooks import mcp_breaker, mcp_health
from pointsman.hooks.kit import Kit
from pointsman.hooks.mcp_needs import needing
from pointsman.model.budget import Budget
from pointsman.model.contract import AgentCard
from pointsman.model.decision import Action, Cause, Decision, inject
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreToolUse, SessionStart
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.model.server_health import (
    Breaker,
    Health,
    NobodyWatches,
    Phase,
    Refusal,
    Server,
    Standing,
    Verdict,
)

WHO = Identity(host="claude-code", session="s")
START = SessionStart(identity=WHO)
CALL = PreToolUse(identity=WHO, tool_name="mcp__wiki__read")
DOWN = Health(verdict=Verdict.DOWN, detail="nobody listens on x: connection refused", at_ns=0)
WELL = Health(verdict=Verdict.HEALTHY, detail="3 tools", at_ns=0)
CLOSED = Breaker()
OPEN = Breaker(phase=Phase.OPEN, reason="gone")


class Told(NobodyWatches):
    """Says what the test says."""

    def __init__(self, *standings: Standing, refusal: Refusal | None = None) -> None:
        self.standings = standings
        self.refused = refusal
        self.within = 0.0

    def watched(self, event: Event) -> bool:
        return self.refused is not None

    def refusal(self, event: Event) -> Refusal | None:
        return self.refused

    def down(self, name: str, event: Event) -> str:
        return next((s.breaker.reason for s in self.standings if s.server.name == name), "")

    async def at_start(
        self, event: Event, within: float, settings: Mapping[str, Any]
    ) -> Sequence[Standing]:
        self.within = within
        return self.standings


def kit(servers: Told) -> Kit:
    return Kit(places=Places(Path("/state"), Path("/config")), servers=servers)


def standing(health: Health | None, breaker: Breaker = CLOSED, name: str = "wiki") -> Standing:
    server = Server(
        name=name, host="claude-code", scope="user", file="/f", transport="http",
        url="http://127.0.0.1:9/mcp",
    )  # fmt: skip
    return Standing(server=server, health=health, breaker=breaker)


def ask(hook: Hook, event: Event, seconds: float = 5.0) -> tuple[Decision | None, list[str]]:
    lines: list[str] = []

    def log(message: str, /, **fields: object) -> None:
        lines.append(message)

    context = HookContext(Budget.of(seconds), log)
    answer = hook.run(event, context)
    if answer is None or isinstance(answer, Decision):
        return answer, lines

    async def wait() -> Decision | None:
        return await answer

    return asyncio.run(wait()), lines


def start(policy: Policy, *standings: Standing) -> tuple[Decision | None, list[str]]:
    return ask(mcp_health.hook(policy, kit(Told(*standings))), START)


def test_a_dead_server_is_named_with_what_goes_without_it() -> None:
    card = AgentCard(name="writer", source="f", tools=("Read", "mcp__wiki__*"))
    other = AgentCard(name="builder", source="f", tools=("Read", "mcp__*"))
    policy = Policy(
        mcp_health={"features": {"wiki-context": ["wiki"], "jira": ["jira"]}},
        agents={"writer": (card,), "builder": (other,)},
    )
    said, lines = start(policy, standing(DOWN, OPEN), standing(WELL, name="fine"))
    assert said is not None
    assert said.action is None
    for word in ("wiki", "is down", "connection refused", "mcp__wiki__*", "wiki-context", "writer"):
        assert word in said.context
    assert "fine" not in said.context
    assert "jira" not in said.context
    assert "builder" not in said.context
    assert said.notice
    assert any("is down" in line for line in lines), "a warning is on record"


@pytest.mark.parametrize(
    ("health", "breaker", "word"),
    [
        (Health(verdict=Verdict.WEDGED, detail="no answer", at_ns=0), Breaker(), "hangs"),
        (Health(verdict=Verdict.AFFINITY, detail="404", at_ns=0), Breaker(), "loses its sessions"),
        (None, Breaker(), "had not answered"),
        (None, OPEN, "held up"),
        (WELL, OPEN, "have failed"),
        (WELL, Breaker(), ""),
        (Health(verdict=Verdict.AUTH, detail="401", at_ns=0), Breaker(), ""),
        (Health(verdict=Verdict.UNPROBED, detail="nobody", at_ns=0), Breaker(), ""),
        (Health(verdict=Verdict.UNKNOWN, detail="KEY", at_ns=0), Breaker(), ""),
    ],
)
def test_what_is_said_at_the_start(health: Health | None, breaker: Breaker, word: str) -> None:
    said, _ = start(Policy(), standing(health, breaker))
    assert (said is not None) is bool(word)
    assert word in (said.context if said else "")


def test_drift_is_said_to_the_person_alone() -> None:
    moved = Health(verdict=Verdict.HEALTHY, detail="", at_ns=0, drift=("read_mail is new",))
    said, _ = start(Policy(), standing(moved))
    assert said is not None
    assert "read_mail is new" in said.notice
    assert not said.context


@pytest.mark.parametrize(
    ("settings", "budget", "within"), [({}, 5.0, 2.5), ({"wait": 9}, 5.0, 4.0), ({}, 1.0, 0.8)]
)
def test_it_waits_inside_its_budget(settings: dict[str, Any], budget: float, within: float) -> None:
    told = Told()
    ask(mcp_health.hook(Policy(mcp_health=settings), kit(told)), START, budget)
    assert within - 0.1 <= told.within <= within


def test_a_call_to_an_open_breaker_is_denied_with_reason_and_time() -> None:
    guard = mcp_breaker.hook(Policy(), kit(Told(refusal=Refusal("wiki", "gone", 41.6, True))))
    assert guard.when is not None
    assert guard.when(CALL)
    said, _ = ask(guard, CALL)
    assert said is not None
    assert (said.action, said.cause) == (Action.DENY, Cause.UNVERIFIED)
    for word in ("wiki", "gone", "in 42 s", "not made", "probed", "pointsman mcp-health"):
        assert word in said.reason
    calm = mcp_breaker.hook(Policy(), kit(Told()))
    assert calm.when is not None
    assert not calm.when(CALL)


@pytest.mark.parametrize("settings", [{"enabled": False}, {"breaker": False}])
def test_the_breaker_can_be_switched_off(settings: dict[str, Any]) -> None:
    told = Told(refusal=Refusal("wiki", "gone", 41.6, True))
    guard = mcp_breaker.hook(Policy(mcp_health=settings), kit(told))
    assert guard.when is not None
    assert not guard.when(CALL)


@pytest.mark.parametrize(
    ("role", "needs", "skipped"),
    [
        (Role.ENRICHER, ["wiki"], True),
        (Role.OBSERVER, ["fine", "wiki"], True),
        (Role.ENRICHER, ["fine"], False),
        (Role.GUARD, ["wiki"], False),
    ],
)
@pytest.mark.parametrize("later", [True, False])
def test_what_needs_a_dead_server_is_skipped_but_never_a_guard(
    role: Role, needs: list[str], skipped: bool, later: bool
) -> None:
    async def waits(event: Event, context: HookContext) -> Decision | None:
        return inject("the wiki says")

    def at_once(event: Event, context: HookContext) -> Decision | None:
        return inject("the wiki says")

    mine = Hook(name="mine", role=role, run=waits if later else at_once)
    policy = Policy(mcp_health={"features": {"mine": needs}})
    made = needing(mine, policy, kit(Told(standing(DOWN, OPEN))))
    said, lines = ask(made, CALL)
    assert (said is None) is skipped
    assert any("skipped" in line and "gone" in line for line in lines) is skipped
