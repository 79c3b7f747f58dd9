"""The one file where the rooms meet: bytes in, event, decision, record, bytes out.

``Runtime.handle`` is the path of one event.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pointsman.agents.all_agents import AGENTS
from pointsman.assembly import Setup, Setups
from pointsman.case import (
    HOOK,
    MOST_AT_ONCE,
    MOST_PAYLOAD,
    Case,
    Delivery,
    Handled,
    escalation_record,
    record_of,
    shown,
)
from pointsman.desk import Desk
from pointsman.engine.escalate import Escalation
from pointsman.engine.fold import fold
from pointsman.engine.lineage import Lineage
from pointsman.engine.run import Clock, run_all, run_plain
from pointsman.engine.witness import Witness
from pointsman.hooks.edits import edited_paths
from pointsman.hooks.shell_writes import writes_of
from pointsman.model.answer import PASS, STOP, Answer
from pointsman.model.decision import NO_OPINION, Action, Decision, failure
from pointsman.model.errors import LedgerError, PayloadError
from pointsman.model.event import PERSON, Event, Identity, UnknownEvent
from pointsman.model.events import ErrorEscalation, PreEdit, PreToolUse, WatchFinding
from pointsman.model.guard_events import GUARD_EVENTS
from pointsman.model.hook import Hook, HookRun, Role
from pointsman.model.policy import Policy
from pointsman.paths.canonical import canonical
from pointsman.paths.repository import anchored_root
from pointsman.second_gate import EXEC, NO_SERVICES, Passage, Run, SecondGate, Services
from pointsman.store.record import Record
from pointsman.store.recorder import Recorder
from pointsman.store.redacting import covered

_Told = ErrorEscalation | WatchFinding
_Choose = Callable[[Event], Iterable[Hook]]


def derive_edit(event: Event, policy: Policy) -> PreEdit | None:
    """Return the ``PreEdit`` of a call that changes files, by a file tool or by the shell.

    Raises:
        PayloadError: a tool that edits files does not say which.
    """
    if not isinstance(event, PreToolUse):
        return None
    written = edited_paths(event.tool_name, event.tool_input, policy.mcp_writers)
    if written is not None:
        files = tuple(canonical(path, event.identity.cwd).path for path in written)
    else:
        files = tuple(dict.fromkeys(write.path for write in writes_of(event)))
    if written is None and not files:
        return None
    return PreEdit(
        identity=event.identity,
        received_ns=event.received_ns,
        native=event.native,
        transcript_path=event.transcript_path,
        permission_mode=event.permission_mode,
        host_config=event.host_config,
        environment=event.environment,
        tool_name=event.tool_name,
        tool_input=event.tool_input,
        mcp_server=event.mcp_server,
        files=files,
    )


class Runtime:
    """Decides about events, puts them on record, and lets observers see them afterwards."""

    def __init__(
        self,
        setups: Setups,
        recorder: Recorder | None,
        clock: Clock | None = None,
        *,
        report: Callable[[str, str], None] = lambda _kind, _text: None,
        desk: Desk | None = None,
        gate: Services = NO_SERVICES,
    ) -> None:
        self._setups = setups
        self._recorder = recorder
        self._report = report
        self._desk = desk
        self._clock = clock or Clock()
        self._secrets = setups.secrets
        self._lineage = Lineage()
        self._escalation = Escalation()
        self._witness = Witness()
        self._gate = SecondGate(
            self._witness, gate, setups.of, _asked_of, self._clock, reached=setups.reached
        )
        self._background: set[asyncio.Task[None]] = set()

    async def handle(self, delivery: Delivery) -> Handled:
        """Decide about one event; it returns only once that is on record.

        Raises:
            LedgerError: it could not be put on record, so it must not be answered as if it were.
        """
        return await self.finish(self.open(delivery))

    def open(self, delivery: Delivery, seen: dict[str | None, Setup] | None = None) -> Case:
        """Read a delivery and select the hooks; what cannot be read becomes a refusal.

        ``seen`` holds, by repository, what was in force when a batch began: whether anything
        has changed is then looked up once for requests that were all there already.
        """
        started = time.perf_counter_ns()
        try:
            event = self._read(delivery)
            setup = self._setup_of(event.identity.repository, seen)
            edit = derive_edit(event, setup.policy)
        except PayloadError as error:
            return self._refused(delivery, error, started)
        if delivery.transport == HOOK:
            self._witness.opened(event, delivery.project)
        asked = _pairs(event, edit, setup.table.deciding)
        lacking = self._setups.oversight.lacking(event, setup.policy)
        return Case(delivery, started, event, edit, setup, asked, lacking=lacking)

    def open_exec(self, run: Run) -> Case | Passage:
        """Open the second gate's case of a command that is about to run, or let it pass at once."""
        return self._gate.open(run, self.open)

    def _setup_of(self, repository: str | None, seen: dict[str | None, Setup] | None) -> Setup:
        if seen is None:
            return self._setups.of(repository)
        if repository not in seen:
            seen[repository] = self._setups.of(repository)
        return seen[repository]

    async def finish(self, case: Case) -> Handled:
        """Ask the hooks, fold their answers, put it on record, let observers follow."""
        await case.ready()
        seconds = self._seconds(case)
        runs = await run_all(case.asked, seconds, self._clock)
        again = _opened_again(case, runs)
        if again is not None:
            runs += await run_all(again.asked, seconds, self._clock)
        decision, last = self._answered(again or case, runs)
        if last is not None:
            runs += (more := await run_all(last.asked, seconds, self._clock))
            decision = _stricter(last, more, decision)
        handled = self._conclude(case, decision, runs)
        seq = await self._recorder.record(await self._covered(handled)) if self._recorder else None
        self.recorded(case, handled, seq)
        return handled

    def finish_at_once(self, case: Case) -> Handled:
        """Do the same for a case in which nothing waits; the caller records, then says so."""
        seconds = self._seconds(case)
        runs = run_plain(case.asked, seconds, self._clock)
        again = _opened_again(case, runs)
        if again is not None:
            runs += run_plain(again.asked, seconds, self._clock)
        decision, last = self._answered(again or case, runs)
        if last is not None:
            runs += (more := run_plain(last.asked, seconds, self._clock))
            decision = _stricter(last, more, decision)
        return self._conclude(case, decision, runs)

    def _answered(self, case: Case, runs: Sequence[HookRun]) -> tuple[Decision, Case | None]:
        """Fold the answers, and put a question to whoever is there.

        What a person wrote in the place of a call is a call that no guard has seen yet: the case
        that comes with it is for them.
        """
        folded = case.refusal or _folded(case.event, runs)
        # At the second gate, whoever has typed the command has answered the question by that.
        desk = None if case.event.identity.agent == PERSON else self._desk
        decision = desk.answer(case, folded, runs) if desk else folded
        written = decision.updated_input
        if decision is folded or written is None or written == folded.updated_input or case.settle:
            return decision, None
        return decision, _modified(case, written, frozenset({decision.hook}))

    def recorded(self, case: Case, handled: Handled, seq: int | None) -> None:
        """Let observers and escalations follow, beside and after the answer.

        Without a recorder nothing has happened that anybody could observe.
        """
        if case.setup is None:
            return
        if case.delivery.transport == HOOK:
            self._witness.decided(handled.event, handled.decision, seq or 0)
        if handled.decision.action is Action.DENY:
            self._lineage.refused(handled.event)
        real = case.delivery.transport in {HOOK, EXEC}
        found = self._setups.oversight.after(case.setup.policy, handled, seq, real=real)
        self._setups.team.note(handled.event, case.edit, handled.decision, handled.runs)
        if self._desk is not None:
            self._desk.follow(handled.event)
        if self._recorder is None:
            return
        escalations: list[_Told] = [*found, *self._escalation.derive(
            handled.event, handled.runs, handled.decision, case.setup.policy.escalation, case.alert
        )]  # fmt: skip
        watched = _pairs(handled.event, case.edit, case.setup.table.observing)
        if not watched and not escalations:
            return
        following = self._observe(case.setup, handled, watched, escalations, seq)
        task = asyncio.ensure_future(following)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def take_in(self, delivery: Delivery) -> None:
        """Put an event on record that a client could not deliver and answered alone."""
        case = self.open(delivery)
        stopped = delivery.event in GUARD_EVENTS
        reason = f"the client answered alone: {delivery.undelivered}"
        # The client has answered already: no hook is asked, for none could change that.
        given = replace(
            failure(reason, rule="client.undelivered").by("client"),
            action=Action.DENY if stopped else None,
        )
        record = record_of(case, given, (), Answer(STOP if stopped else PASS), 0)
        if self._recorder is not None:
            await self._recorder.record(record)

    async def escalate(self, escalations: Iterable[_Told]) -> None:
        """Let a person know of these, which no event of a host gave rise to.

        Raises:
            LedgerError: one of them could not be put on record.
        """
        for escalation in escalations:
            await self._escalate(self._setups.of(escalation.identity.repository), escalation)

    async def settle(self) -> None:
        """Wait for the observers of everything answered so far."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    def _read(self, delivery: Delivery) -> Event:
        agent = AGENTS.get(delivery.host)
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
        root = anchored_root(delivery.project, event.identity.cwd)
        _complete(event.identity, repository=root, parent=self._lineage.parent_of(event))
        _complete(event, host_config=delivery.host_config, environment=delivery.environment)
        _complete(event, entrypoint=delivery.entrypoint)
        return event

    def _refused(self, delivery: Delivery, error: PayloadError, started: int) -> Case:
        """Decide about what could not be read: a stop where somebody waits for a yes or a no."""
        guarding = delivery.event in GUARD_EVENTS
        text = failure(f"{error}. Next step: {error.fix}", rule="payload.unreadable").by("runtime")
        root = anchored_root(delivery.project, delivery.cwd)
        event = UnknownEvent(
            name=delivery.event,
            identity=Identity(host=delivery.host, cwd=delivery.cwd, repository=root),
            received_ns=self._clock.wall_ns(),
            problems=(str(error),),
        )
        return Case(delivery, started, event, refusal=text if guarding else NO_OPINION)

    @staticmethod
    def _seconds(case: Case) -> Callable[[Hook, Event], float]:
        return case.setup.budget if case.setup else lambda _hook, _event: 0.0

    async def _covered(self, handled: Handled) -> Record:
        """Return the record without secrets; where that takes long, only its own event waits."""
        if len(handled.record.payload) <= MOST_AT_ONCE:
            return handled.record  # Done by the journal, as for all.
        return await asyncio.to_thread(covered, handled.record, self._secrets)

    def _conclude(self, case: Case, decision: Decision, runs: Sequence[HookRun]) -> Handled:
        event = case.event
        decision = shown(decision, self._secrets)
        if case.settle is not None:
            decision, runs, answer = case.settle(decision, tuple(runs))
        else:
            # For an unknown host the words of the first: a stop is exit code 2 everywhere.
            writer = AGENTS.get(case.delivery.host) or next(iter(AGENTS.values()))
            answer = writer.write(event.kind, decision)
        took = time.perf_counter_ns() - case.started_ns
        record = record_of(case, decision, runs, answer, took)
        return Handled(event, decision, tuple(runs), answer, took, record)

    async def _observe(
        self,
        setup: Setup,
        handled: Handled,
        watched: Iterable[tuple[Hook, Event]],
        escalations: Iterable[_Told],
        seq: int | None,
    ) -> None:
        runs = await run_all(watched, setup.budget, self._clock)
        # NO_OPINION: a denial of this event was counted when it was recorded.
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

    async def _escalate(self, setup: Setup, escalation: _Told) -> None:
        # Whoever is told may pass it on to where no secret belongs.
        escalation = replace(escalation, summary=self._secrets.text(escalation.summary))
        # Nobody waits for a decision here: whatever their role, hooks only get to know of it.
        hooks = (*setup.table.deciding(escalation), *setup.table.observing(escalation))
        runs = await run_all([(hook, escalation) for hook in hooks], setup.budget, self._clock)
        if self._recorder is not None:
            seq = await self._recorder.record(escalation_record(escalation, runs))
            if isinstance(escalation, ErrorEscalation):
                self._setups.oversight.on_escalation(escalation, seq)


def _folded(event: Event, runs: Iterable[HookRun]) -> Decision:
    return fold((run.decision for run in runs if run.decision), getattr(event, "tool_input", None))


def _pairs(event: Event, edit: PreEdit | None, choose: _Choose) -> tuple[tuple[Hook, Event], ...]:
    """Return the hooks chosen for an event and for the edit derived from it, each with its own."""
    pairs = [(hook, event) for hook in choose(event)]
    if edit is not None:
        pairs += [(hook, edit) for hook in choose(edit)]
    return tuple(pairs)


def _asked_of(event: Event, setup: Setup) -> tuple[tuple[Hook, Event], ...]:
    """Return the hooks that decide about an event and about the edit derived from it."""
    return _pairs(event, derive_edit(event, setup.policy), setup.table.deciding)


def _opened_again(case: Case, runs: Sequence[HookRun]) -> Case | None:
    """Return the case with the guards that must look at what hooks made of a call's input.

    Nobody has judged that call yet: those asked before saw another one. A hook that is alone in
    changing it is not asked about its own work.
    """
    event = case.event
    by = {run.hook for run in runs if run.decision and run.decision.updated_input is not None}
    given = _folded(event, runs).updated_input if by else None
    if given is None:
        return None
    return _modified(case, given, frozenset(by))


def _modified(case: Case, given: Mapping[str, Any], by: frozenset[str]) -> Case | None:
    event, setup = case.event, case.setup
    if setup is None or not isinstance(event, PreToolUse):
        return None
    modified = replace(event, tool_input=given)
    try:
        edit = derive_edit(modified, setup.policy)
    except PayloadError as error:
        reason = f"what {', '.join(sorted(by))} made of the call: {error}. Next step: {error.fix}"
        refusal = failure(reason, rule="payload.unreadable").by("runtime")
        return replace(case, asked=(), refusal=refusal)
    spared = by if len(by) == 1 else set()
    asked = _pairs(modified, edit, setup.table.deciding)
    guards = [pair for pair in asked if pair[0].role is Role.GUARD and pair[0].name not in spared]
    return replace(case, asked=tuple(guards))


def _stricter(case: Case, runs: Sequence[HookRun], decision: Decision) -> Decision:
    """Return what guards say of a person's own wording: no denial of theirs is overruled by it.

    A question of theirs is: whoever would be asked has just written it.
    """
    said = case.refusal or _folded(case.event, runs)
    return said if said.action is Action.DENY else decision


def _complete(value: Event | Identity, **known: str | None) -> None:
    """Fill in what the host did not say, before anybody else has seen the value.

    A copy by ``dataclasses.replace`` costs more than reading the payload did.
    """
    for name, text in known.items():
        object.__setattr__(value, name, text)
