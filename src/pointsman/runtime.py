"""The one file where the rooms meet: bytes in, event, decision, record, bytes out.

``Runtime.handle`` is the path of one event.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pointsman.agents.all_agents import AGENTS, Agent
from pointsman.engine.escalate import Escalation
from pointsman.engine.fold import fold
from pointsman.engine.lineage import Lineage
from pointsman.engine.run import Clock, run_all
from pointsman.engine.select import HookTable
from pointsman.hooks.all_hooks import shipped_hooks
from pointsman.hooks.edits import edited_paths
from pointsman.model.answer import PASS, STOP, Answer
from pointsman.model.budget import LONGEST
from pointsman.model.decision import NO_OPINION, Action, Decision, failure
from pointsman.model.errors import LedgerError, PayloadError
from pointsman.model.event import Event, Identity, UnknownEvent
from pointsman.model.events import ErrorEscalation, PreEdit, PreToolUse
from pointsman.model.guard_events import GUARD_EVENTS
from pointsman.model.hook import Hook, HookRun, Role, Run
from pointsman.model.places import Places
from pointsman.model.policy import DeclaredHook, Policy
from pointsman.paths.canonical import canonical
from pointsman.paths.repository import anchored_root
from pointsman.store.record import NO_DECISION, Record
from pointsman.store.recorder import Recorder
from pointsman.workers.executable import executable_hook
from pointsman.workers.python_worker import PythonWorker

MOST_PAYLOAD = 4 * 1024 * 1024
"""Bytes of a payload that a client sends; a larger one is recorded in part and not judged."""

_MOST_SETUPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a client hands over: the payload and how it came.

    ``size`` is what the host sent; more than ``len(payload)`` means that it was cut.
    ``project`` is the directory the session was started in, where the host says so.
    ``undelivered`` is the client's reason for having had to answer alone.
    """

    host: str
    event: str
    payload: bytes
    size: int = -1
    cwd: str = ""
    project: str = ""
    transport: str = "hook"
    client: str = ""
    client_version: str = ""
    undelivered: str = ""


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a delivery."""

    event: Event
    decision: Decision
    runs: tuple[HookRun, ...]
    answer: Answer
    duration_ns: int


@dataclass(frozen=True, slots=True)
class Setup:
    """A policy with the hooks it amounts to."""

    policy: Policy
    table: HookTable
    workers: tuple[PythonWorker, ...] = ()

    def budget(self, hook: Hook, event: Event) -> float:
        """Return the seconds that this hook has on this event, never more than ``LONGEST``."""
        return min(hook.budget or self.policy.budget(event.kind), LONGEST)


class Policies(Protocol):
    """Where policies come from: the same object as long as nothing changed."""

    def policy_for(self, repository: str | None) -> Policy:
        """Return the policy in force for a repository, or for none."""


class Setups:
    """Turns policies into hook tables, and keeps them while the policy is the same."""

    def __init__(self, policies: Policies, places: Places) -> None:
        self._policies = policies
        self._places = places
        self._built: OrderedDict[str | None, Setup] = OrderedDict()
        self._retired: list[PythonWorker] = []

    def of(self, repository: str | None) -> Setup:
        """Return what is in force for this repository now."""
        policy = self._policies.policy_for(repository)
        setup = self._built.get(repository)
        if setup is None or setup.policy is not policy:
            self._retire(setup)
            setup = self._built[repository] = self._build(policy)
            if len(self._built) > _MOST_SETUPS:
                self._retire(self._built.popitem(last=False)[1])
        return setup

    async def close_retired(self) -> None:
        """End the workers of policies that are no longer in force."""
        retired, self._retired = self._retired, []
        for worker in retired:
            await worker.close()

    async def close(self) -> None:
        """End every worker."""
        while self._built:
            self._retire(self._built.popitem()[1])
        await self.close_retired()

    def _retire(self, setup: Setup | None) -> None:
        self._retired.extend(setup.workers if setup else ())

    def _build(self, policy: Policy) -> Setup:
        workers: dict[str, PythonWorker] = {}
        declared = [_declared(hook, workers) for hook in policy.hooks]
        table = HookTable([*shipped_hooks(policy, self._places), *declared])
        return Setup(policy, table, tuple(workers.values()))


def _declared(hook: DeclaredHook, workers: dict[str, PythonWorker]) -> Hook:
    """Turn a declaration into a hook; one that was tampered with stops where it would guard."""
    run: Run
    if hook.tampered and hook.role is Role.GUARD:
        run = _tampered(hook)
    elif hook.command:
        run = executable_hook(hook.command, hook.base)
    else:
        run = workers.setdefault(hook.base, PythonWorker(hook.base)).hook(hook.file, hook.name)
    return Hook(
        name=hook.name,
        role=hook.role,
        run=run,
        events=frozenset(hook.events) - {"*"},
        tools=hook.tools,
        budget=hook.budget,
        settings=hook.settings,
        skip="" if hook.tampered and hook.role is Role.GUARD else hook.skip,
    )


def _tampered(hook: DeclaredHook) -> Run:
    reason = (
        f"the guard {hook.name!r} is no longer what was trusted: {hook.skip}. "
        "A person looks at it and types: pointsman trust"
    )
    return lambda _event, _context: failure(reason, rule="guard.tampered")


def derive_edit(event: Event, policy: Policy) -> PreEdit | None:
    """Return the ``PreEdit`` of a call that changes files through a file tool.

    Raises:
        PayloadError: a tool that edits files does not say which.
    """
    if not isinstance(event, PreToolUse):
        return None
    written = edited_paths(event.tool_name, event.tool_input, policy.mcp_writers)
    if written is None:
        return None
    return PreEdit(
        identity=event.identity,
        received_ns=event.received_ns,
        native=event.native,
        transcript_path=event.transcript_path,
        permission_mode=event.permission_mode,
        tool_name=event.tool_name,
        tool_input=event.tool_input,
        mcp_server=event.mcp_server,
        files=tuple(canonical(path, event.identity.cwd).path for path in written),
    )


class Runtime:
    """Decides about events, puts them on record, and lets observers see them afterwards."""

    def __init__(
        self,
        setups: Setups,
        recorder: Recorder | None,
        clock: Clock | None = None,
        report: Callable[[str, str], None] = lambda _kind, _text: None,
    ) -> None:
        self._setups = setups
        self._recorder = recorder
        self._report = report
        self._clock = clock or Clock()
        self._lineage = Lineage()
        self._escalation = Escalation()
        self._background: set[asyncio.Task[None]] = set()

    async def handle(self, delivery: Delivery) -> Handled:
        """Decide about one event; the answer is out of our hands only once it is on record.

        Raises:
            LedgerError: it could not be put on record, so it must not be answered as if it were.
        """
        started = time.perf_counter_ns()
        agent = AGENTS.get(delivery.host)
        try:
            event = self._read(agent, delivery)
            setup = self._setups.of(event.identity.repository)
            edit = derive_edit(event, setup.policy)
        except PayloadError as error:
            return await self._refuse(delivery, error, started)
        runs = await self._ask(setup, [event] if edit is None else [event, edit])
        decision = fold((run.decision for run in runs if run.decision), _input(event))
        answer = _write(agent, event, decision)
        handled = Handled(
            event=event,
            decision=decision,
            runs=tuple(runs),
            answer=answer,
            duration_ns=time.perf_counter_ns() - started,
        )
        seq = await self._record(delivery, handled, edit)
        self._afterwards(setup, handled, seq)
        return handled

    async def take_in(self, delivery: Delivery) -> None:
        """Put an event on record that a client could not deliver and answered alone."""
        guarding = delivery.event in GUARD_EVENTS
        agent = AGENTS.get(delivery.host)
        try:
            event = self._read(agent, delivery)
        except PayloadError as error:
            event = _unread(delivery, error, self._clock.wall_ns())
        reason = f"the client answered alone: {delivery.undelivered}"
        decision = failure(reason, rule="client.undelivered").by("client")
        answer = Answer(STOP if guarding else PASS)
        passed = Decision(action=None, reason=reason, rule="client.undelivered", hook="client")
        given = decision if guarding else passed
        await self._record(delivery, Handled(event, given, (), answer, 0), None)

    async def settle(self) -> None:
        """Wait for the observers of everything answered so far."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    def _read(self, agent: Agent | None, delivery: Delivery) -> Event:
        if agent is None:
            known = ", ".join(sorted(AGENTS))
            raise PayloadError(
                f"the host {delivery.host!r} is unknown (known: {known})", fix="pointsman init"
            )
        if delivery.size > len(delivery.payload):
            raise PayloadError(
                f"the payload has {delivery.size} bytes; more than {MOST_PAYLOAD} are not read",
                fix="let the agent do it in smaller steps",
            )
        event = agent.read(delivery.payload, delivery.event, delivery.cwd, self._clock.wall_ns())
        identity = event.identity
        root = anchored_root(delivery.project, identity.cwd)
        parent = self._lineage.parent_of(event)
        return replace(event, identity=replace(identity, repository=root, parent=parent))

    async def _ask(self, setup: Setup, events: Sequence[Event]) -> list[HookRun]:
        asked = [(hook, event) for event in events for hook in setup.table.deciding(event)]
        return await run_all(asked, setup.budget, self._clock)

    async def _refuse(self, delivery: Delivery, error: PayloadError, started: int) -> Handled:
        """Answer what could not be read: a stop where somebody waits for a yes or a no."""
        guarding = delivery.event in GUARD_EVENTS
        reason = f"{error}. Next step: {error.fix}"
        decision = (
            failure(reason, rule="payload.unreadable").by("runtime") if guarding else NO_OPINION
        )
        event = _unread(delivery, error, self._clock.wall_ns())
        agent = AGENTS.get(delivery.host) or next(iter(AGENTS.values()))
        handled = Handled(
            event=event,
            decision=decision,
            runs=(),
            answer=_write(agent, event, decision),
            duration_ns=time.perf_counter_ns() - started,
        )
        await self._record(delivery, handled, None)
        return handled

    async def _record(self, delivery: Delivery, handled: Handled, edit: Event | None) -> int | None:
        if self._recorder is None:
            return None
        own = tuple(run for run in handled.runs if edit is None or run.kind != edit.kind)
        derived: tuple[Record, ...] = ()
        if edit is not None:
            edits = tuple(run for run in handled.runs if run.kind == edit.kind)
            derived = (Record(event=edit, decision=handled.decision, runs=edits),)
        return await self._recorder.record(
            Record(
                event=handled.event,
                decision=handled.decision,
                runs=own,
                payload=delivery.payload,
                answer=handled.answer,
                duration_ns=handled.duration_ns,
                transport=delivery.transport,
                client=delivery.client,
                client_version=delivery.client_version,
                derived=derived,
            )
        )

    def _afterwards(self, setup: Setup, handled: Handled, seq: int | None) -> None:
        """Let observers and escalations follow, beside and after the answer."""
        if handled.decision.action is Action.DENY:
            self._lineage.refused(handled.event)
        escalations = self._escalation.derive(
            handled.event, handled.runs, handled.decision, setup.policy.escalation
        )
        watched = setup.table.observing(handled.event)
        if not watched and not escalations:
            return
        task = asyncio.ensure_future(self._observe(setup, handled, watched, escalations, seq))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _observe(
        self,
        setup: Setup,
        handled: Handled,
        watched: Iterable[Hook],
        escalations: Iterable[ErrorEscalation],
        seq: int | None,
    ) -> None:
        runs = await run_all([(hook, handled.event) for hook in watched], setup.budget, self._clock)
        more = self._escalation.derive(handled.event, runs, NO_OPINION, setup.policy.escalation)
        if self._recorder is None:
            return
        try:
            if runs and seq is not None:
                self._recorder.record_runs(seq, len(handled.runs), runs)
            for escalation in (*escalations, *more):
                await self._escalate(setup, escalation)
        except LedgerError as error:
            self._report("ledger failed", f"{error}; {error.fix}")

    async def _escalate(self, setup: Setup, escalation: ErrorEscalation) -> None:
        hooks = (*setup.table.deciding(escalation), *setup.table.observing(escalation))
        runs = await run_all([(hook, escalation) for hook in hooks], setup.budget, self._clock)
        if self._recorder is not None:
            await self._recorder.record(
                Record(event=escalation, runs=tuple(runs), transport="derived")
            )


def as_row(handled: Handled) -> dict[str, object]:
    """Return what became of a delivery as one flat JSON object."""
    event, decision = handled.event, handled.decision
    row: dict[str, object] = {
        "event": event.kind,
        "tool": event.tool,
        "decision": decision.action.value if decision.action else NO_DECISION,
        "rule": decision.rule,
        "reason": decision.reason,
        "hook": decision.hook,
        "cause": decision.cause.value if decision.action else None,
        "ms": round(handled.duration_ns / 1e6, 3),
        "agent": event.identity.agent,
        "session": event.identity.session,
        "tool_use_id": event.identity.tool_use_id,
    }
    if decision.context:
        row["context"] = decision.context
    if decision.updated_input is not None:
        row["updated_input"] = dict(decision.updated_input)
    return row


def _unread(delivery: Delivery, error: PayloadError, received_ns: int) -> Event:
    """Return what can be said of a payload that could not be read."""
    root = anchored_root(delivery.project, delivery.cwd)
    return UnknownEvent(
        name=delivery.event,
        identity=Identity(host=delivery.host, cwd=delivery.cwd, repository=root),
        received_ns=received_ns,
        problems=(str(error),),
    )


def _input(event: Event) -> dict[str, object]:
    return dict(getattr(event, "tool_input", None) or {})


def _write(agent: Agent | None, event: Event, decision: Decision) -> Answer:
    assert agent is not None  # noqa: S101 - an unknown agent was refused above
    return agent.write(event.kind, decision)
