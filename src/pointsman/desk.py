"""Where a question meets a person: at the host's own prompt, or else in the queue of approvals.

A run that nobody sits at would lose every question. There it becomes a denial that names an
approval, a person answers that one at a terminal, and the same call then passes, once.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import SystemRandom
from types import MappingProxyType

from pointsman.agents.all_agents import is_attended
from pointsman.case import Case
from pointsman.engine import approval as rules
from pointsman.engine.asked import Asked
from pointsman.engine.risk import Place, risk_of
from pointsman.model.approval import Approval, Binding, State, Timeout, Transition
from pointsman.model.decision import Action, Decision, failure
from pointsman.model.errors import ApprovalError
from pointsman.model.event import Event, Identity
from pointsman.model.events import ErrorEscalation, PermissionRequest, PreToolUse, SessionStart
from pointsman.model.hook import HookRun
from pointsman.model.secret import NoSecrets, Secrets
from pointsman.store.approvals import Approvals
from pointsman.witness import Witness

NAME = "approvals"
"""Who has decided, as the record calls it."""

WAITING, REFUSED, USED, FULL = (
    f"approval.{word}" for word in ("waiting", "refused", "used", "full")
)
"""The rules of a decision that hangs on an approval."""

TRIGGER, NEW = "approval waiting", "approval asked"
"""What sets an ``ErrorEscalation`` off that is about one: it has waited in vain; it is there."""

MOST_WAITING = 500
"""Questions that may wait at once: a person reads no more, and an agent may ask without end."""

_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_ID_LENGTH = 8
_RANDOM = SystemRandom()
_PASSED = {
    State.LAPSED: "nobody answered",
    State.EXPIRED: "no call came in time",
    State.UNKNOWN: "nothing that followed told",
}
Report = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class _Question:
    """A question that is to be put to somebody: the call as it would run, and who asks."""

    case: Case
    event: PreToolUse
    decision: Decision
    rules: tuple[str, ...]
    settings: dict[str, object]

    @property
    def input(self) -> dict[str, object]:
        # What hooks have made of the call is what would run, and what a person says yes to.
        changed = self.decision.updated_input
        return dict(self.event.tool_input if changed is None else changed)

    @property
    def call(self) -> str:
        return self.event.identity.tool_use_id or ""


class Desk:
    """Puts questions to people, and tells what they have said."""

    def __init__(
        self,
        store: Approvals,
        report: Report = lambda _kind, _text: None,
        secrets: Secrets | None = None,
    ) -> None:
        """``secrets`` covers what is kept to be shown; the hash is of the whole."""
        self.store = store
        self._report = report
        self._secrets: Secrets = secrets or NoSecrets()
        self._complaint = ""
        self._witness = Witness(store)
        self._asked = Asked()

    def answer(self, case: Case, decision: Decision, runs: Sequence[HookRun]) -> Decision:
        """Return what becomes of a decision, given who is there to be asked.

        A question stays one where the host has somebody to ask. Everything else than a question
        is returned as it came, but that a person who sits down is told of what waits.
        """
        event = case.event
        if isinstance(event, SessionStart):
            return self._greeted(case, decision)
        if isinstance(event, PermissionRequest) and decision.action is None:
            return self._passed(case, event, decision)
        if decision.action is not Action.ASK or not isinstance(event, PreToolUse):
            return decision
        settings = dict(case.setup.policy.approvals) if case.setup else {}
        asked = _Question(case, event, decision, rules.asking_rules(decision, runs), settings)
        if not _is_queued(case, str(settings.get("ask", "auto"))):
            self._look_on(asked)
            return decision
        try:
            return self._queued(asked)
        except ApprovalError as error:
            reason = f"{decision.reason}\nNo person could be asked: {error}. Next step: {error.fix}"
            return failure(reason, rule="approval.unavailable").by(NAME)

    def follow(self, event: Event) -> None:
        """See from what follows how somebody has answered the host's own prompt."""
        try:
            self._witness.follow(event)
        except ApprovalError as error:
            self._complain(error)

    def news(self) -> list[ErrorEscalation]:
        """Return the questions that have come since the last look, of which a person is told."""
        now_ns = self.store.clock().wall_ns
        return [_asked_for(one, count, now_ns) for one, count in self._asked.due(now_ns)]

    def sweep(self) -> list[ErrorEscalation]:
        """Let time pass: return the questions of which a person has to be told.

        Raises:
            ApprovalError: the store cannot be had.
        """
        now = self.store.clock()
        told = []
        for one in self.store.some((State.WAITING, State.APPROVED, State.ASKED), MOST_WAITING * 4):
            then = rules.next_state(one, now)
            if then is Timeout.ESCALATE and self._escalates(one, now.wall_ns):
                told.append(_escalation(one, now.wall_ns))
            elif isinstance(then, State):
                self.store.move(one.id, one.state, then, by="time", text=_PASSED[then])
        return told

    def _escalates(self, one: Approval, now_ns: int) -> bool:
        return self.store.move(
            one.id, State.WAITING, State.WAITING, by="time",
            text=f"nobody answered within {_span(one.terms.wait)}: escalated",
            escalated_ns=now_ns, wait_until_ns=now_ns + int(one.terms.wait * 1e9),
        )  # fmt: skip

    def _complain(self, error: ApprovalError) -> None:
        """Say of a failure that stops nothing, once until it is another one."""
        if str(error) != self._complaint:
            self._report("approvals failed", f"{error}; {error.fix}")
        self._complaint = str(error)

    # --- the queue --------------------------------------------------------------------------

    def _queued(self, asked: _Question) -> Decision:
        now = self.store.clock()
        known = [one for key in self._keys(asked) for one in self.store.find(key)]
        # A call that is asked about twice is one call: the host runs every entry that names us.
        for one in known:
            if rules.is_same_call(one, asked.call, now):
                return _let_through(asked, one)
        for one in known:
            if rules.usable(one, now) and self._use(asked, one, now.wall_ns):
                return _let_through(asked, one)
        for one in known:
            if rules.stands(one, now):
                return _refused(asked, one)
        for one in known:
            if one.state is State.WAITING and rules.next_state(one, now) is not State.LAPSED:
                self.store.ask_again(one.id, asked.call)
                return _waits(asked, one)
        return self._ask(asked)

    def _keys(self, asked: _Question) -> list[str]:
        """Return what an approval of this call may be kept under: its session's, or any's."""
        return [self._binding(asked, by).key for by in ("session", "agent")]

    @staticmethod
    def _binding(asked: _Question, by: str) -> Binding:
        return rules.bind(asked.event.identity, asked.event.tool_name, asked.input, asked.rules, by)

    def _use(self, asked: _Question, one: Approval, now_ns: int) -> bool:
        ran = asked.input if one.modified is None else one.modified
        return self.store.move(
            one.id, State.APPROVED, State.USED, by=asked.event.identity.agent,
            text=f"let through as call {asked.call or 'without an id'}", call=asked.call,
            used_ns=now_ns, asked_session=asked.event.identity.session,
            ran=rules.digest(asked.event.tool_name, ran),
        )  # fmt: skip

    def _ask(self, asked: _Question) -> Decision:
        if self.store.waiting() >= MOST_WAITING:
            text = (
                f"{asked.decision.reason}\n{_why_queued(asked)}, and {MOST_WAITING} "
                "questions wait already. A person answers some: pointsman approvals list"
            )
            return replace(_stopped(asked, text), rule=FULL)
        by = str(asked.settings.get("bind", "session"))
        one = self._new(asked, State.WAITING, by)
        self.store.add(one)
        self._asked.note(one)
        return _waits(asked, one)

    def _greeted(self, case: Case, decision: Decision) -> Decision:
        """Tell a person who has just sat down what other sessions have asked meanwhile."""
        if _is_queued(case, "auto") or not self.store.path.exists():
            return decision
        try:
            count = self.store.waiting()
        except ApprovalError as error:
            self._complain(error)
            return decision
        if not count:
            return decision
        what = "1 question waits" if count == 1 else f"{count} questions wait"
        said = f"Pointsman: {what} for a person's answer: pointsman approvals list"
        return replace(decision, notice="\n".join(filter(None, (decision.notice, said))))

    def _look_on(self, asked: _Question) -> None:
        """Put down that the host asks somebody; a failure of ours must not change that."""
        try:
            if asked.call and self.store.by_call(asked.call):
                return
            one = self._new(asked, State.ASKED, "session")
            self.store.add(one)
            self._witness.expect(one)
        except ApprovalError as error:
            self._complain(error)

    def _new(self, asked: _Question, state: State, by: str) -> Approval:
        who, decision = asked.event.identity, asked.decision
        now = self.store.clock().wall_ns
        whole = json.dumps(asked.input).encode()
        # Together: the reason quotes the call, and a value that only its key gives away.
        (body,), (reason,), _ = self._secrets.together([whole], [decision.reason])
        terms = rules.terms(asked.settings, asked.rules)
        place = Place(who.cwd, who.repository or "", os.environ.get("HOME", "/"))
        return Approval(
            id="".join(_RANDOM.choice(_LETTERS) for _ in range(_ID_LENGTH)),
            state=state,
            binding=self._binding(asked, by),
            terms=terms,
            rule=decision.rule,
            hook=decision.hook,
            reason=reason,
            cause=decision.cause.value,
            input=json.loads(body),
            risk=risk_of(asked.rules, asked.event.tool_name, asked.input, place),
            session=who.session,
            agent_id=who.agent_id,
            call=asked.call,
            host_pid=asked.case.delivery.host_pid,
            created_ns=now,
            wait_until_ns=now + int(terms.wait * 1e9) if state is State.WAITING else 0,
        )

    def _passed(self, case: Case, event: PermissionRequest, decision: Decision) -> Decision:
        """Answer the host's own question about a call that a person has just approved.

        The only ``allow`` of ours: nobody is there whose prompt it could skip, and the person
        who was asked has said yes to exactly this call.
        """
        if not _is_queued(case, "auto"):
            return decision
        try:
            since = self.store.clock().wall_ns - int(rules.SAME_CALL * 1e9)
            ran = rules.digest(event.tool_name, event.tool_input)
            found = self.store.pass_on(event.identity, event.tool_name, ran, since)
        except ApprovalError as error:
            self._complain(error)
            return decision
        if not found:
            return decision
        text = f"a person has approved exactly this call ({found})"
        return replace(decision, action=Action.ALLOW, reason=text, rule=USED, hook=NAME)


def _is_queued(case: Case, said: str) -> bool:
    if case.settle is not None:
        return True  # The host has left its prompt behind: this command is about to run.
    if said != "auto":
        return said == "queue"
    return not is_attended(case.delivery.host, case.delivery.entrypoint, case.delivery.host_pid)


def _let_through(asked: _Question, one: Approval) -> Decision:
    """Return no opinion, or the input that a person wrote; whatever hooks have added stays."""
    said = f" ({one.note})" if one.note else ""
    text = f"approved by {one.decided_by} as {one.id}{said}"
    changed = asked.decision.updated_input if one.modified is None else one.modified
    action = None if changed is None else Action.MODIFY
    given = replace(asked.decision, action=action, reason=text, rule=USED, hook=NAME)
    return replace(
        given, updated_input=changed if changed is None else MappingProxyType({**changed})
    )


def _refused(asked: _Question, one: Approval) -> Decision:
    why = f": {one.note}" if one.note else ", without a reason"
    text = (
        f"a person was asked about exactly this call and said no{why} (approval {one.id}). Do not "
        "make it again; do it in another way, or leave it."
    )
    return replace(_stopped(asked, text), rule=REFUSED)


def _waits(asked: _Question, one: Approval) -> Decision:
    text = (
        f"{asked.decision.reason}\n{_why_queued(asked)}, so a person has been asked: "
        f"approval {one.id}. This call did not run. Go on with other work; later make exactly the "
        "same call again: once a person has said yes, it runs, once. To answer, a person types: "
        f"pointsman approvals show {one.id}"
    )
    return replace(_stopped(asked, text), rule=WAITING)


def _why_queued(asked: _Question) -> str:
    if asked.case.settle is not None:
        return "No hook ran, and the host's own prompt comes too late"
    return "Nobody is at this session's prompt"


def _stopped(asked: _Question, text: str) -> Decision:
    return replace(asked.decision, action=Action.DENY, reason=text, hook=NAME, updated_input=None)


def _asked_for(one: Approval, count: int, now_ns: int) -> ErrorEscalation:
    more = (
        f" So do {count - 1} more of this session: pointsman approvals list." if count > 1 else ""
    )
    summary = (
        f"approval {one.id} waits for an answer: {one.binding.agent} wants {one.binding.tool}, and "
        f"nobody sits at its session: {one.reason}{more} Next step: pointsman approvals show "
        f"{one.id}"
    )
    return replace(_told(one, NEW, summary, now_ns), count=count)


def _escalation(one: Approval, now_ns: int) -> ErrorEscalation:
    bound = one.binding
    summary = (
        f"approval {one.id} has waited {_span(one.terms.wait)} for an answer: {bound.agent} wants "
        f"{bound.tool}, {one.reason} Next step: pointsman approvals show {one.id}"
    )
    return _told(one, TRIGGER, summary, now_ns)


def _told(one: Approval, trigger: str, summary: str, now_ns: int) -> ErrorEscalation:
    bound = one.binding
    who = Identity(
        host=bound.host, session=one.session, agent_id=one.agent_id,
        agent_type=None if bound.agent == "main" else bound.agent, cwd=bound.cwd,
        repository=bound.repository or None,
    )  # fmt: skip
    return ErrorEscalation(
        identity=who, received_ns=now_ns, trigger=trigger, key=one.id, summary=summary[:2000]
    )


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} minutes"


def spoken(change: Transition) -> str:
    """Return a change of state as the record says it."""
    how = f"{change.before} → {change.after}" if change.before else change.after
    return f"{change.id} {how}, by {change.by}" + (f": {change.text}" if change.text else "")
