"""The guard that looks, after each call of a scoped agent, at what has really changed.

Scope judges what a call says; this judges what it has done: a snapshot before, one after, and what
changed outside the contract is put back, if it was the call's own work. The work is the prover's
(``proof/``); here is who is asked about, when, and what is said of it.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from pointsman.hooks.foretold import READING, foretold
from pointsman.hooks.held import Held
from pointsman.hooks.kit import Kit
from pointsman.hooks.proof_words import decision_after, decision_before, not_ready
from pointsman.model.contract import EVERY_AGENT
from pointsman.model.decision import Decision
from pointsman.model.event import Event, ToolEvent
from pointsman.model.events import (
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    PreToolUse,
    SessionEnd,
    SessionStart,
    Stop,
    SubagentStart,
    SubagentStop,
)
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.proof import Call, Outside, Prover, Report

NAME = "proof"
_BEGINS = (SessionStart, SubagentStart)
_ENDS = (PostToolUse, PostToolUseFailure)
_SETTLES = (PostToolBatch, SubagentStop, Stop, SessionEnd)
_EVENTS = (PreToolUse, *_ENDS, *_BEGINS, *_SETTLES)
_MARGIN = 0.5
"""Seconds of the budget that are left to say that it was not enough."""
_MOST_REMEMBERED = 1 << 18
_MOST_LATE = 256
_POOL = ThreadPoolExecutor(max_workers=8, thread_name_prefix="proof")
"""Threads of their own: those that wait for a large tree must not hold up the daemon's others."""


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the contracts of this policy."""
    contracts = _Contracts(policy)
    guard = _Guard(contracts, kit)
    return Hook(
        name=NAME,
        role=Role.GUARD,
        run=guard.run,
        events=frozenset(kind.KIND for kind in _EVENTS),
        when=guard.concerns if kit.prover is not None else _never,
    )


def _never(event: Event) -> bool:
    del event
    return False


class _Contracts:
    """The contracts in force as judges of paths, by repository and agent."""

    def __init__(self, policy: Policy) -> None:
        self._held = {
            agent: [held for held in map(Held, contracts) if held.binds]
            for agent, contracts in policy.contracts.items()
        }
        self.bind = any(self._held.values())
        self._judges: dict[str, dict[str, Outside]] = {}

    def of(self, root: str, agent: str) -> dict[str, Outside]:
        """Return the judges for a repository; this agent's is among them if it is held to one."""
        if root not in self._judges:
            if len(self._judges) > 64:
                self._judges.clear()
            self._judges[root] = {}
            for known in self._held:
                self._add(root, known)
        if agent not in self._judges[root]:
            self._add(root, agent)
        # A copy: a thread goes through it while the next agent's is added.
        return dict(self._judges[root])

    def holds(self, agent: str) -> bool:
        """Whether an agent is held to anything."""
        return bool(self._held.get(agent) or self._held.get(EVERY_AGENT))

    def _add(self, root: str, agent: str) -> None:
        held = [*self._held.get(agent, ()), *self._held.get(EVERY_AGENT, ())]
        if held:
            self._judges[root][agent] = lru_cache(_MOST_REMEMBERED)(partial(_outside, held, root))


def _outside(held: list[Held], root: str, path: str) -> str:
    for each in held:
        reason = each.outside(path, root)
        if reason:
            return f"{reason} ({each.contract.source})"
    return ""


class _Guard:
    def __init__(self, contracts: _Contracts, kit: Kit) -> None:
        self._contracts = contracts
        self._kit = kit
        self._late: OrderedDict[tuple[str, str], Report] = OrderedDict()

    def concerns(self, event: Event) -> bool:
        """Whether there is anything to look at; what others do is taken down on the way.

        It is evidence for whose a change is, and nobody has to wait for it: as a coroutine it
        would cost every event of an agent without a contract a turn of the loop.
        """
        who, prover = event.identity, self._kit.prover
        if not who.repository or prover is None:
            return False
        begun = self._kit.begun.of(event)
        # Where nobody is held to a contract, nothing is looked at and nothing is recorded.
        if not self._contracts.bind and not begun:
            return False
        held = self._contracts.holds(who.agent)
        if isinstance(event, PreToolUse) and begun and not held:
            self._kit.begun.end(event)
        elif begun:
            held = True
        if isinstance(event, ToolEvent):
            if event.tool_name in READING:
                return False
            # Of what has come without a hook, nobody will tell the end: the gate takes that down.
            if not held and who.tool_use_id:
                _note(prover, event, _call(event, self._kit))
        if held and isinstance(event, _SETTLES):
            # After a batch of calls that have all ended there is nothing to wait for a thread for.
            late = (who.session, who.agent_id or "") in self._late
            return late or prover.unsettled(_call(event, self._kit))
        return held or isinstance(event, _BEGINS)

    async def run(self, event: Event, context: HookContext) -> Decision | None:
        """Take a baseline, or compare with it."""
        prover, who = self._kit.prover, event.identity
        if prover is None or not who.repository:
            return None
        judges = self._contracts.of(who.repository, who.agent)
        if isinstance(event, _BEGINS):
            # Nobody waits for it here: the first call does, if it has not been read by then.
            _later(partial(prover.prepare, who.repository, judges))
            return None
        call = _call(event, self._kit)
        if isinstance(event, PreToolUse):
            self._kit.begun.begin(event, judges)
            report = await self._within(context, call, partial(prover.before, call, judges))
            return decision_before(report, call) if report else not_ready(call)
        # Its contract may be gone by now, or be another: the call itself may have seen to that.
        judges |= self._kit.begun.of(event)
        if isinstance(event, _ENDS):
            work = partial(prover.after, call, judges)
        else:
            over = isinstance(event, SubagentStop | SessionEnd) or _is_last(event)
            work = partial(prover.settle, call, judges, over=over)
            if over:
                self._kit.begun.end(event)
        return decision_after(event, await self._within(context, call, work), call, context)

    async def _within(
        self, context: HookContext, call: Call, work: Callable[[], Report]
    ) -> Report | None:
        """Do the work in a thread; ``None`` where it takes longer, which it then goes on to do."""
        future = _later(work)
        seconds = max(0.05, context.budget.remaining() - _MARGIN)
        done, _ = await asyncio.wait({future}, timeout=seconds)
        who = (call.session, call.agent_id)
        if not done:
            future.add_done_callback(partial(self._told_late, who))
            return None
        report, late = future.result(), self._late.pop(who, None)
        if late is None:
            return report
        found = (*late.findings, *report.findings)
        return replace(report, findings=found, id=report.id or late.id)

    def _told_late(self, who: tuple[str, str], future: "asyncio.Future[Report]") -> None:
        """Keep what was found when nobody waited any more, for this agent's next event."""
        if future.cancelled() or future.exception() is not None:
            return
        report, before = future.result(), self._late.pop(who, Report())
        if report.findings or before.findings:
            found = (*before.findings, *report.findings)
            self._late[who] = Report(found, id=report.id or before.id)
            if len(self._late) > _MOST_LATE:
                self._late.popitem(last=False)


def _note(prover: Prover, event: Event, call: Call) -> None:
    if isinstance(event, PreToolUse):
        prover.note(call)
    elif isinstance(event, _ENDS):
        prover.noted(call)


def _is_last(event: Event) -> bool:
    """Whether a turn ends and leaves nothing running that the host knows of."""
    return isinstance(event, Stop) and not event.background_tasks


def _call(event: Event, kit: Kit) -> Call:
    who = event.identity
    known: dict[str, Any] = {}
    if isinstance(event, ToolEvent):
        writes, lasting = foretold(event.tool_name, event.tool_input, who)
        command = event.tool_input.get("command")
        known = {
            "foretold": writes,
            "lasting": lasting,
            "tool": event.tool_name,
            "text": command if isinstance(command, str) else "",
            "writable": kit.writable(event),
        }
    if isinstance(event, _ENDS):
        known["ended_ns"] = event.received_ns
        if event.duration_ms:
            known["ran_ns"] = event.received_ns - event.duration_ms * 1_000_000
    return Call(
        root=who.repository or "",
        session=who.session,
        agent=who.agent,
        agent_id=who.agent_id or "",
        id=who.tool_use_id or "",
        **known,
    )


def _later(work: Callable[[], Report]) -> "asyncio.Future[Report]":
    future = asyncio.get_running_loop().run_in_executor(_POOL, work)
    future.add_done_callback(_retrieve)
    return future


def _retrieve(future: "asyncio.Future[Report]") -> None:
    """Fetch what went wrong in a thread that nobody waits for any more."""
    with contextlib.suppress(asyncio.CancelledError):
        future.exception()
