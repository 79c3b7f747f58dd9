"""Every limit there can be takes hold on the very next call of whom it holds, also after a restart.

Whose use it is, times what is counted, times what becomes of the next call: the whole product, with
a record on disk, each through the same runtime that the daemon has.
"""

import asyncio
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import Setup
from pointsman.case import Delivery, Handled
from pointsman.cost.posting import post
from pointsman.engine.run import Clock
from pointsman.engine.select import HookTable
from pointsman.engine.spent import Spending
from pointsman.hooks import limits
from pointsman.hooks.kit import Kit
from pointsman.model.answer import STOP
from pointsman.model.decision import Action
from pointsman.model.limit import OF, PER, THEN, Limit
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.model.usage import Cost, Usage
from pointsman.runtime import Runtime
from pointsman.store import usage_rows
from pointsman.store.ledger import Ledger
from pointsman.store.past_spent import PastSpent
from pointsman.store.recorder import Recorder
from scene import Fixed

SECOND = 10**9
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
START = 20_000 * DAY + 8 * 60 * MINUTE
AT = {"tokens": 100, "usd": 1.0, "calls": 3, "minutes": 30}
SUBAGENT = {"agent_id": "a", "agent_type": "worker"}


class Machine:
    """A record on disk, and the daemon that stands above it just now."""

    def __init__(self, folder: Path, limit: Limit) -> None:
        self.folder, self.now, self.number = folder, START, 0
        self.ledger = Ledger.open(folder / "ledger.db")
        self.policy = Policy(limits=(limit,))
        self.prompt = "p1"
        self.warned: list[str] = []
        self.begin()

    def begin(self) -> None:
        """Start a daemon: all that it knows of the past is what is on record."""
        self.now += SECOND
        spent = Spending(
            PastSpent(self.folder / "ledger.db"), day_of=lambda ns: f"{ns // DAY:05}",
            begins=lambda ns: ns // DAY * DAY, since_ns=self.now,
        )  # fmt: skip
        kit = Kit(places=Places(self.folder, self.folder / "config"), spent=spent)
        setups = Fixed([limits.hook(self.policy, kit)], self.policy)
        setups._setup = Setup(self.policy, HookTable([limits.hook(self.policy, kit)]))
        setups.oversight.spent = spent
        setups.oversight._clock = lambda: self.now
        self.setups = setups
        self.runtime = Runtime(setups, Recorder(self.ledger), Clock(wall_ns=lambda: self.now))

    def send(self, event: str, **native: Any) -> Handled:
        self.now += SECOND
        payload = {
            "hook_event_name": event, "session_id": "s", "cwd": "/nowhere",
            "prompt_id": self.prompt, "tool_name": "Bash", "tool_input": {"command": "ls"},
            **native,
        }  # fmt: skip
        sent = Delivery(host="claude-code", event=event, payload=json.dumps(payload).encode())

        async def handled() -> Handled:
            done = await self.runtime.handle(sent)
            await self.runtime.settle()
            self.warned += [done.decision.context] if done.decision.context else []
            return done

        return asyncio.run(handled())

    def call(self, **native: Any) -> Handled:
        """Let a call be asked about, and end where it may run."""
        self.number += 1
        native["tool_use_id"] = f"t{self.number}"
        asked = self.send("PreToolUse", **native)
        if asked.answer.code == 0:
            self.send("PostToolUse", tool_response="x", **native)
        return asked

    def used(self, **who: Any) -> None:
        """Let a message have used as much as the limits of tokens and money say."""
        self.number += 1
        usage = Usage(
            host="claude-code", session="s", message_id=f"m{self.number}", model="m",
            at_ns=self.now, output_tokens=int(AT["tokens"]), **who,
        )  # fmt: skip
        cost = Cost(usd=AT["usd"], prices="1")
        with self.ledger.writing() as connection:
            usage_rows.write(connection, post(None, usage, lambda _usage: cost), self.now)
        self.setups.oversight.usage(usage, cost)

    def reach(self, of: str, **who: Any) -> None:
        """Use just as much as the limit allows, and check that nothing was said up to there."""
        self.send("UserPromptSubmit", prompt="go")
        assert said(self.call(**who)) is None
        assert said(self.call(**who)) is None
        if of == "calls":
            assert said(self.call(**who)) is None
        elif of == "minutes":
            self.now += 31 * MINUTE
        else:
            self.used(**who)


def said(handled: Handled) -> str | None:
    """Return what became of a call, in the words of the settings."""
    decision = handled.decision
    if decision.action is None:
        return "warn" if decision.context else None
    if decision.action is Action.ASK:
        return "ask"
    assert (decision.action, handled.answer.code) == (Action.DENY, STOP)
    return "end" if decision.ends else "deny"


@pytest.fixture
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    made = Machine(tmp_path, request.param)
    yield made
    made.ledger.close()


def limit(per: str, of: str, then: str) -> Limit:
    return Limit(per=per, of=of, at=AT[of], then=then, source="/me/config.toml")


EVERY = [limit(per, of, then) for per, of, then in product(PER, OF, THEN)]


def name(given: object) -> str:
    if isinstance(given, Limit):
        return f"{given.per}-{given.of}-{given.then}"
    return str(given)


def test_it_is_the_whole_product() -> None:
    assert len(EVERY) == len(PER) * len(OF) * len(THEN) == 80


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("machine", EVERY, ids=name, indirect=True)
def test_it_takes_hold_on_the_very_next_call(machine: Machine, *, restart: bool) -> None:
    (given,) = machine.policy.limits
    who = SUBAGENT if given.per in {"agent", "type"} else {}
    machine.reach(given.of, **who)
    if restart:
        machine.begin()
    before = len(machine.warned)
    found = machine.call(**who)
    if given.then == "warn":
        # With the next event: of calls that is the end of the one that reaches it.
        assert len(machine.warned) == 1 + (restart and given.of == "calls")
        assert before == (given.of == "calls")
        assert all("is reached" in each for each in machine.warned)
        assert said(machine.call(**who)) is None, "it is given once"
        return
    # A subagent cannot be ended from outside: each of its calls is denied.
    wanted = "deny" if given.then == "end" and who else given.then
    assert said(found) == wanted
    assert found.decision.rule == given.rule
    assert "is reached" in found.decision.reason
    assert "/me/config.toml" in found.decision.reason
    assert said(machine.call(**who)) == wanted, "and holds on"


OTHERS: list[tuple[str, dict[str, Any], bool]] = [
    ("agent", {"agent_id": "b", "agent_type": "worker"}, False),
    ("agent", {}, False),
    ("type", {"agent_id": "b", "agent_type": "worker"}, True),
    ("type", {"agent_id": "c", "agent_type": "explorer"}, False),
    ("task", {"prompt_id": "p2"}, False),
    ("session", {"session_id": "t"}, False),
    ("session", {"prompt_id": "p2"}, True),
    ("day", {"session_id": "t"}, True),
]
COUNTED = [of for of in OF if of != "minutes"]


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize(("per", "other", "held"), OTHERS, ids=str)
@pytest.mark.parametrize("of", COUNTED)
def test_it_holds_whom_it_is_for(
    tmp_path: Path, per: str, other: dict[str, Any], of: str, *, held: bool, restart: bool
) -> None:
    machine = Machine(tmp_path, limit(per, of, "deny"))
    machine.reach(of, **(SUBAGENT if per in {"agent", "type"} else {}))
    if restart:
        machine.begin()
    assert said(machine.call(**other)) == ("deny" if held else None)
    machine.ledger.close()


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("of", OF)
def test_the_next_day_begins_anew(tmp_path: Path, of: str, *, restart: bool) -> None:
    machine = Machine(tmp_path, limit("day", of, "deny"))
    machine.reach(of)
    assert said(machine.call()) == "deny"
    machine.send("Stop")
    machine.now += DAY
    if restart:
        machine.begin()
    machine.send("UserPromptSubmit", prompt="good morning")
    assert said(machine.call()) is None
    machine.ledger.close()
