"""A ledger with two sessions in it, and agents that ask."""

import json
from pathlib import Path
from typing import Any

from pointsman.cost.posting import Book
from pointsman.mcp.answers import Answers
from pointsman.meter.meter import known
from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION, Decision, ask, deny
from pointsman.model.event import Identity
from pointsman.model.events import SessionEnd, SubagentStart, SubagentStop, WatchFinding
from pointsman.model.hook import HookRun, Outcome
from pointsman.model.places import Places
from pointsman.model.usage import Cost, Usage
from pointsman.store import usage_rows
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record
from store.records import record, run

NOW = 1_760_000_000 * 10**9
SECOND = 10**9
CALL_KEY = "claudecode/toolUseId"


class World:
    """One machine: a repository, a ledger, and what is written to it as time goes on."""

    def __init__(self, base: Path) -> None:
        self.repository = base / "repo"
        (self.repository / ".git").mkdir(parents=True)
        self.places = Places(base / "state", base / "config")
        self.places.state.mkdir(mode=0o700)
        self.ns = NOW
        self.ledger = Ledger.open(self.places.ledger, clock=lambda: self.ns)
        self.numbers = 0

    def call(
        self,
        call: str,
        *,
        tool: str = "Bash",
        over: bool = True,
        decision: Decision | None = None,
        runs: tuple[HookRun, ...] = (),
        **who: Any,
    ) -> None:
        """Put a call on record; ``who`` is its session and its agent."""
        who = {"session": "mine", "repository": str(self.repository), **who}
        who.setdefault("cwd", str(self.repository))
        self.ns += SECOND
        made = record(call, tool=tool, at=self.ns, runs=runs, **who)
        if decision is not None:
            made = record(call, tool=tool, at=self.ns, runs=runs, decision=decision, **who)
        self.ledger.append([made])
        if over and (decision is None or decision.action != deny("").action):
            self.ns += SECOND
            self.ledger.append([record(call, guard=False, tool=tool, at=self.ns, **who)])

    def event(self, kind: type, decision: Decision | None = None, **more: Any) -> None:
        """Put another event on record."""
        names = ("session", "agent_id", "agent_type", "parent")
        who = {name: more.pop(name) for name in names if name in more}
        self.ns += SECOND
        identity = Identity(host="claude-code", **{"session": "mine", **who})
        event = kind(identity=identity, received_ns=self.ns, **more)
        self.ledger.append(
            [Record(event=event, decision=decision or NO_OPINION, payload=b"{}", answer=Answer(0))]
        )

    def finding(self, detector: str, **who: Any) -> None:
        """Put what a detector has found on record."""
        said = {"severity": "warning", "figures": {"calls": 5}}
        self.ns += SECOND
        identity = Identity(host="claude-code", **{"session": "mine", **who})
        event = WatchFinding(identity=identity, received_ns=self.ns, detector=detector)
        decision = Decision(action=None, reason=f"{detector} was found", rule=f"watch.{detector}")
        body = json.dumps(said).encode()
        self.ledger.append([Record(event=event, decision=decision, payload=body)])

    def used(self, message: str, tokens: int, usd: float | None = 0.5, **who: Any) -> None:
        """Put on record what a message has used."""
        usage = Usage(
            host="claude-code", message_id=message, at_ns=self.ns, input_tokens=tokens,
            **{"session": "mine", "model": "big", "repository": str(self.repository), **who},
        )  # fmt: skip
        add(self.ledger, usage, usd)

    def ask(self, name: str, meta: object = None, **who: Any) -> dict[str, Any]:
        """Let an agent ask: its call begins, is answered, and ends."""
        given = who.pop("given", {})
        environ = who.pop("environ", {})
        self.numbers += 1
        call = f"asks-{self.numbers}"
        tool = f"mcp__pointsman__{name}"
        self.call(call, tool=tool, over=False, **who)
        answers = Answers(self.places, environ, lambda: self.ns + 1)
        answer = answers.call(name, given, {CALL_KEY: call} if meta is None else meta)
        self.ns += SECOND
        self.ledger.append(
            [record(call, guard=False, tool=tool, at=self.ns, session=who.get("session", "mine"))]
        )
        return answer


def add(ledger: Ledger, usage: Usage, usd: float | None) -> None:
    """Put one message on record, at a price or without one."""
    with ledger.writing() as connection:
        book = Book(lambda _usage: Cost(usd=usd, prices="t"), lambda key: known(connection, key))
        usage_rows.write(connection, book.add([usage]), 1)


def crowded(world: World) -> None:
    """Two sessions: mine with two subagents, one below the other, and another one."""
    world.call("o1", session="foreign")
    world.call("o2", session="foreign", decision=deny("another's secret", rule="x").by("scope"))
    world.used("mo", 1000, session="foreign")
    world.call("m1", runs=(run(), run("late", outcome=Outcome.TIMED_OUT, reason="5 s are over")))
    world.call("m2", decision=deny("outside of its scope", rule="scope.allowed").by("scope"))
    world.call("m3", decision=ask("a push needs a person", rule="git.push").by("command-safety"))
    world.used("m", 100)
    child: dict[str, Any] = {"agent_id": "c1", "agent_type": "tester", "parent": "main"}
    grand: dict[str, Any] = {"agent_id": "c2", "agent_type": "writer", "parent": "c1"}
    world.event(SubagentStart, **child)
    world.call("c1a", agent_id="c1", agent_type="tester")
    world.used("mc", 30, None, agent_id="c1", agent_type="tester", model="unknown")
    world.event(SubagentStart, **grand)
    world.call("c2a", agent_id="c2", agent_type="writer")
    world.event(SubagentStop, agent_id="c2", agent_type="writer")
    world.finding("repetition", agent_id="c1", agent_type="tester")
    world.finding("repetition", session="foreign")


def end(world: World, session: str) -> None:
    """End a session."""
    world.event(SessionEnd, session=session)
