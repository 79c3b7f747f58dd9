"""The second gate: a shell command asks once more, right before it runs.

``pointsman-exec`` stands before every command that a host gives to a shell, whatever has become
of the host's hooks. A command that a hook has let pass runs, held by the kernel to its agent's
contracts. One without a decision is judged here by the same guards and recorded as such. Nobody
can be asked at this point, so that a question is a stop; that nothing is on record never is.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from pointsman.agents.all_agents import AGENTS, Agent
from pointsman.assembly import Setup
from pointsman.case import Case, Delivery
from pointsman.engine.reached import Reached
from pointsman.engine.run import Clock, is_plain, run_plain
from pointsman.engine.whose import GATE, NO_HOOK, Who, told, whose
from pointsman.engine.witness import Claim, Session, Verdict, Witness
from pointsman.hooks.canary import DOCTOR
from pointsman.model.answer import STOP, Answer
from pointsman.model.confinement import Confinement, Prefix
from pointsman.model.contract import EVERY_AGENT, Contract
from pointsman.model.decision import Action, Decision, deny
from pointsman.model.errors import PayloadError
from pointsman.model.event import HOST, PERSON, Event, Identity
from pointsman.model.hook import Hook, HookRun, Outcome, Role
from pointsman.model.policy import Policy
from pointsman.store.lookback import Past

SANDBOX = "sandbox"
"""What the line among the hook runs is called that says how a command is held."""
EXEC = "exec"
"""The transport of a command that came without a hook."""
FIRST_RUN = 1000
"""The number of a sandbox's run among the hook runs of a call: behind those of every observer."""
_Asked = Callable[[Event, Setup], tuple[tuple[Hook, Event], ...]]
_Open = Callable[[Delivery], Case]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A command that is about to run: the host's whole text, and where.

    ``project`` is what the host says of its project, which it does for what it runs on its own
    account and for no tool; ``begun_in`` is the directory of the process that starts it, and
    ``pid`` the process that becomes the command.
    """

    agent: str
    session: str
    text: bytes
    cwd: str
    project: str = ""
    begun_in: str = ""
    pid: int = 0
    host_config: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    client: str = ""
    client_version: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """An answer that needs no row of its own; ``runs`` belong to the call ``seq``."""

    answer: Answer
    seq: int = 0
    runs: tuple[HookRun, ...] = ()


class Sandbox(Protocol):
    """What holds a command to contracts by the kernel."""

    def hold(
        self, contracts: Sequence[Contract], root: str, cwd: str, environ: Mapping[str, str]
    ) -> tuple[Confinement, Prefix]:
        """Return what all of these contracts let a command change, and the words for it."""


class NoSandbox:
    """Where nothing holds a command: for a runtime that runs none."""

    def hold(
        self, contracts: Sequence[Contract], root: str, cwd: str, environ: Mapping[str, str]
    ) -> tuple[Confinement, Prefix]:
        """Return a prefix without words."""
        del contracts, cwd, environ
        return Confinement(root=root, writable=()), Prefix(mechanism="none")


@dataclass(frozen=True, slots=True)
class Services:
    """What the gate needs beside the runtime: the kernel's hold, and the record's memory.

    ``past`` yields what hooks have delivered of a session before this time (ns), oldest first.
    ``home`` is where the user's own settings of a host lie. ``beside`` takes down, by repository,
    name and process, what runs beside the agents' calls: a change may be its work.
    """

    sandbox: Sandbox = field(default_factory=NoSandbox)
    past: Callable[[str, int], Iterable[Past]] = lambda _session, _before_ns: ()
    home: str = "/"
    beside: Callable[[str, str, int], None] = lambda _root, _name, _pid: None


NO_SERVICES = Services()


@dataclass(frozen=True, slots=True)
class _Trial:
    """A command without a decision, and what it is judged by."""

    run: Run
    who: Who
    contracts: tuple[Contract, ...]
    policy: Policy


class SecondGate:
    """Answers ``pointsman-exec``."""

    def __init__(
        self,
        witness: Witness,
        services: Services,
        setup_of: Callable[[str | None], Setup],
        asked: _Asked,
        clock: Clock,
        *,
        reached: Reached,
    ) -> None:
        self._witness = witness
        self._services = services
        self._setup_of = setup_of
        self._asked = asked
        self._clock = clock
        self._reached = reached
        # What came before is known from the record alone.
        self._since = clock.wall_ns()

    def open(self, run: Run, open_case: _Open) -> Case | Passage:
        """Return the case that is to be judged, or the answer where that has been done."""
        agent = AGENTS.get(run.agent) or next(iter(AGENTS.values()))
        text = run.text.decode("utf-8", "surrogateescape")
        command = agent.command_of(text)
        session = self._witness.session(run.session)
        claim = self._witness.claim(run.session, command) if command is not None else None
        if claim is None and not session.whole:
            self._look_back(run.session, agent)
            claim = self._witness.claim(run.session, command) if command is not None else None
        if claim is not None and claim.call.verdict is Verdict.PASSED:
            return self._passed(run, claim)
        case = open_case(_delivery(run, text if command is None else command, session))
        if case.setup is None:  # It could not be read, and the runtime has refused it.
            return replace(case, settle=_answered)
        if claim is not None:
            return self._refused(case, claim.call.verdict, claim.call.decision)
        return self._unrecorded(run, case, case.setup, command)

    def _passed(self, run: Run, claim: Claim) -> Passage:
        """Let a command run that its hook has let pass, held to its agent's contracts."""
        at = claim.call.identity
        policy = self._setup_of(at.repository).policy
        contracts = _contracts(policy, [each.agent for each in (at, *claim.others)])
        if not contracts:
            return Passage(Answer())
        answer, held = self._hold(run, policy, contracts, at.repository, at)
        return Passage(answer, claim.call.seq, (held,))

    def _look_back(self, name: str, agent: Agent) -> None:
        """Take in what the record has of a session that began before this process did."""
        before = Witness()
        for past in self._services.past(name, self._since):
            try:
                event = agent.read(past.payload, past.event, past.cwd, past.received_ns)
            except PayloadError:
                continue  # It was refused then, and nothing is known of it.
            before.opened(event, past.repository or "")
            if past.decision != Action.MODIFY:  # What it has become stands in no payload.
                action = Action(past.decision) if past.decision in list(Action) else None
                before.decided(event, Decision(action=action, reason=past.reason), past.seq)
        self._witness.take_in(name, before.session(name))

    def _lately(self, run: Run, agent: Agent) -> tuple[str, ...]:
        return agent.lately_at_work(run.session, run.host_config, self._services.home)

    @staticmethod
    def _refused(case: Case, verdict: Verdict, decision: Decision | None) -> Case:
        """Stop what the host runs although it was denied, or before it was answered."""
        if verdict is Verdict.STOPPED and decision is not None:
            refusal = deny(
                f"this command was denied, and is run all the same: {decision.reason}",
                rule="exec.denied",
            )
        else:
            refusal = deny(
                "the hook of this command has not been answered yet, and it is run all the same",
                rule="exec.unanswered",
            )
        refusal = refusal.by(GATE)
        return replace(
            case, asked=(), refusal=refusal, settle=_answered, alert=f"{refusal.reason[:500]}"
        )

    def _unrecorded(
        self, run: Run, case: Case, setup: Setup, command: str | None
    ) -> Case | Passage:
        """Have the guards judge a command for which no hook has come."""
        at = case.event.identity
        agent = AGENTS.get(run.agent) or next(iter(AGENTS.values()))
        session = self._witness.session(run.session)
        registered = agent.hooks_in_force(
            at.repository or run.cwd, run.host_config, self._services.home
        )
        if command is None and run.project and (registered or not session.hooked):
            who = Who(HOST, ((None, HOST),), explained=True)
        else:
            known = registered and session.hooked and command is not None
            lately = () if known else self._lately(run, agent)
            who = whose(session, setup.policy, trusted=known, lately=lately)
        events = [
            replace(case.event, identity=replace(at, agent_id=number, agent_type=kind))
            for number, kind in who.agents
        ]
        asked = tuple(
            pair
            for event in events
            for pair in self._asked(event, setup)
            if pair[0].role is Role.GUARD
        )
        contracts = _contracts(setup.policy, [each.identity.agent for each in events])
        if at.repository and (who.name in {HOST, PERSON} or not contracts):
            self._services.beside(at.repository, who.name, run.pid)
        if who.name == HOST:
            asked = tuple(pair for pair in asked if is_plain(pair[0]))
            runs = run_plain(asked, setup.budget, self._clock)
            # They run many times a minute and are the user's own: only a stop is worth a row.
            if not any(one.decision and one.decision.action is Action.DENY for one in runs):
                return Passage(Answer())
        alert = ""
        if (session.hooked or registered) and not who.explained and run.session != DOCTOR:
            shown = (command or run.text.decode(errors="replace"))[:300]
            alert = f"a shell command came without the hook that should have: {shown}"
        settle = partial(self._settle, _Trial(run, who, contracts, setup.policy))
        return replace(case, event=events[0], asked=asked, settle=settle, alert=alert)

    def _settle(
        self, trial: _Trial, decision: Decision, runs: tuple[HookRun, ...]
    ) -> tuple[Decision, tuple[HookRun, ...], Answer]:
        given = told(decision, trial.who)
        mark = Decision(action=None, rule=NO_HOOK)
        runs += (self._noted(GATE, f"no hook ran; judged for {trial.who.told}", mark),)
        if given.action is not None:
            return _answered(given, runs)
        if not trial.contracts:
            return given, runs, Answer()
        policy = trial.policy
        answer, held = self._hold(trial.run, policy, trial.contracts, policy.repository)
        return given, (*runs, held), answer

    def _hold(
        self,
        run: Run,
        policy: Policy,
        contracts: Sequence[Contract],
        root: str | None,
        who: Identity | None = None,
    ) -> tuple[Answer, HookRun]:
        if not policy.sandbox:
            held = self._noted(SANDBOX, "switched off by sandbox.enabled of the user's settings")
            return Answer(), held
        # Of an agent's contract without a repository, where it was declared.
        where = root or contracts[0].root
        confinement, prefix = self._services.sandbox.hold(contracts, where, run.cwd, run.environ)
        if who is not None and who.tool_use_id and prefix.words:
            self._reached.note(who.session, who.tool_use_id, confinement, prefix.mechanism)
        words = b"".join(os.fsencode(word) + b"\0" for word in prefix.words)
        return Answer(stdout=words), self._noted(SANDBOX, _how(confinement, prefix))

    def _noted(self, name: str, reason: str, decision: Decision | None = None) -> HookRun:
        """Return a line of ours for the record, in the shape of a hook's run."""
        return HookRun(
            hook=name,
            role=Role.GUARD,
            kind="PreToolUse",
            started_ns=self._clock.wall_ns(),
            duration_ns=0,
            outcome=Outcome.NO_OPINION,
            budget=0.0,
            reason=reason,
            decision=decision,
        )


def undelivered(run: Run, reason: str) -> Delivery:
    """Return a command that the client has stopped alone, as it is put on record afterwards."""
    agent = AGENTS.get(run.agent) or next(iter(AGENTS.values()))
    text = run.text.decode("utf-8", "surrogateescape")
    given = _delivery(run, agent.command_of(text) or text, Session())
    return replace(given, transport="spooled", undelivered=reason)


def _delivery(run: Run, command: str, session: Session) -> Delivery:
    """Return the call as its hook would have delivered it, had there been one."""
    payload = {
        "session_id": run.session,
        "hook_event_name": "PreToolUse",
        "cwd": run.cwd,
        "tool_name": "Bash",
        "tool_input": {"command": command},
    }
    return Delivery(
        host=run.agent,
        event="PreToolUse",
        payload=json.dumps(payload).encode(),
        cwd=run.cwd,
        project=session.project or run.project or run.begun_in,
        host_config=run.host_config,
        transport=EXEC,
        client=run.client,
        client_version=run.client_version,
    )


def _contracts(policy: Policy, agents: Iterable[str]) -> tuple[Contract, ...]:
    """Return every contract that binds one of these agents."""
    names = dict.fromkeys((*agents, EVERY_AGENT))
    return tuple(one for name in names for one in policy.contracts.get(name, ()))


def _answered(
    decision: Decision, runs: tuple[HookRun, ...] = ()
) -> tuple[Decision, tuple[HookRun, ...], Answer]:
    """Return the stop of a command: words on stderr, and nothing is run."""
    words = next(iter(AGENTS.values())).write("PreToolUse", decision).stderr
    return decision, runs, Answer(STOP, b"", words)


def _how(confinement: Confinement, prefix: Prefix) -> str:
    """Say how a command is held, for the record."""
    limits = f" ({'; '.join(prefix.limits)})" if prefix.limits else ""
    if not prefix.words:
        return f"no sandbox on this machine{limits}"
    counts = f"{len(confinement.writable)} writable, {len(confinement.protected)} protected"
    network = "" if confinement.network else ", no network"
    return f"{prefix.mechanism}: {counts}{network}{limits}"
