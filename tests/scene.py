"""A runtime with made-up hooks and a journal that can be read, and payloads to hand to it."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pointsman.assembly import Setup, Setups
from pointsman.case import Delivery, Handled
from pointsman.desk import Desk
from pointsman.engine.run import Clock
from pointsman.engine.select import HookTable
from pointsman.model.decision import Decision
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, HookRun, Role
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.runtime import Runtime
from pointsman.store.record import Record
from pointsman.store.recorder import Recorder


class Fixed(Setups):
    """The same hooks everywhere."""

    def __init__(self, hooks: Sequence[Hook], policy: Policy) -> None:
        super().__init__(self, Places(Path("/state"), Path("/config")))
        self.asked_for: list[str | None] = []
        self._setup = Setup(policy, HookTable(hooks))

    def policy_for(self, repository: str | None) -> Policy:
        del repository
        return self._setup.policy

    def of(self, repository: str | None) -> Setup:
        self.asked_for.append(repository)
        return self._setup


class Journal:
    """Keeps what is recorded; ``full`` refuses it."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.later: list[tuple[int, int, Sequence[HookRun]]] = []
        self.full = False

    def append(self, records: Sequence[Record]) -> list[int]:
        if self.full:
            raise LedgerError("the disk is full", fix="free space")
        first = len(self.records) + 1
        self.records.extend(records)
        return list(range(first, first + len(records)))

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        if self.full:
            raise LedgerError("the disk is full", fix="free space")
        self.later.append((seq, first, runs))


class Scene:
    """A runtime with these hooks."""

    def __init__(
        self,
        *hooks: Hook,
        policy: Policy | None = None,
        recorded: bool = True,
        desk: Desk | None = None,
    ) -> None:
        self.journal = Journal()
        self.said: list[tuple[str, str]] = []
        self.setups = Fixed(hooks, policy or Policy())
        self.runtime = Runtime(
            self.setups,
            Recorder(self.journal) if recorded else None,
            Clock(wall_ns=lambda: 42),
            report=lambda kind, text: self.said.append((kind, text)),
            desk=desk,
        )

    def handle(self, *deliveries: Delivery) -> list[Handled]:
        async def run() -> list[Handled]:
            done = [await self.runtime.handle(each) for each in deliveries]
            await self.runtime.settle()
            return done

        return asyncio.run(run())

    def one(self, event: str = "PreToolUse", **native: Any) -> Handled:
        return self.handle(delivery(event, **native))[0]


def delivery(event: str = "PreToolUse", **native: Any) -> Delivery:
    payload = {"hook_event_name": event, "session_id": "s", "cwd": "/nowhere", **native}
    if event == "PreToolUse":
        payload = {"tool_name": "Bash", "tool_input": {"command": "ls"}, **payload}
    return Delivery(host="claude-code", event=event, payload=json.dumps(payload).encode())


def hook(
    name: str, answer: Any, role: Role = Role.GUARD, *events: str, later: bool = False
) -> Hook:
    """Make a hook that gives an answer, raises one, or awaits it."""

    def at_once(event: Event, context: HookContext) -> Decision | None:
        given = answer(event) if callable(answer) else answer
        if isinstance(given, Exception):
            raise given
        return given  # type: ignore[no-any-return]

    async def waits(event: Event, context: HookContext) -> Decision | None:
        await asyncio.sleep(0)
        return at_once(event, context)

    return Hook(name=name, role=role, run=waits if later else at_once, events=frozenset(events))
