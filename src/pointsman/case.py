"""What is known of one delivery on its way: as it came, as it was read, as it was handled."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from pointsman.assembly import Setup
from pointsman.engine.run import is_plain
from pointsman.model.answer import Answer
from pointsman.model.canonical import event_to_json
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.events import ErrorEscalation, PreEdit, WatchFinding
from pointsman.model.hook import Hook, HookRun
from pointsman.model.secret import Secrets
from pointsman.store.record import NO_DECISION, Record

HOOK = "hook"
"""The transport of an event that a hook of ours has delivered."""
MOST_PAYLOAD = 4 * 1024 * 1024
"""Bytes of a payload that a client sends; a larger one is recorded in part and not judged."""


MOST_AT_ONCE = 32 * 1024
"""Bytes of a payload in which secrets are covered on the spot; a larger one waits for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a client hands over: the payload and how it came.

    ``size`` is what the host sent; more than ``len(payload)`` means that it was cut.
    ``project`` is the directory the session was started in, where the host says so.
    ``undelivered`` is the client's reason for having had to answer alone. ``entrypoint`` and
    ``host_pid`` say how the host was started, and as which process (0: it does not say).
    """

    host: str
    event: str
    payload: bytes
    size: int = -1
    cwd: str = ""
    project: str = ""
    host_config: str = ""
    transport: str = HOOK
    client: str = ""
    client_version: str = ""
    undelivered: str = ""
    entrypoint: str = ""
    host_pid: int = 0
    environment: str = ""
    """The names of the variables that the host's process has, commas between them."""


Settle = Callable[[Decision, tuple[HookRun, ...]], tuple[Decision, tuple[HookRun, ...], Answer]]
"""Makes of what the hooks said what is recorded and answered, where that is not the host's way."""


@dataclass(frozen=True, slots=True)
class Case:
    """A delivery that has been read, with the hooks that are to be asked."""

    delivery: Delivery
    started_ns: int
    event: Event
    edit: PreEdit | None = None
    setup: Setup | None = None
    asked: tuple[tuple[Hook, Event], ...] = ()
    refusal: Decision | None = None
    settle: Settle | None = None
    alert: str = ""
    """What a person has to be told of it, beside whatever else goes wrong."""
    lacking: Callable[[], Awaitable[None]] | None = None
    """What has to be read before its hooks are asked."""

    async def ready(self) -> None:
        """Wait for what has to be there before its hooks are asked."""
        if self.lacking is not None:
            await self.lacking()

    @property
    def at_once(self) -> bool:
        """Whether nothing in it has to be waited for."""
        small = len(self.delivery.payload) <= MOST_AT_ONCE and self.lacking is None
        return small and all(is_plain(hook) for hook, _ in self.asked)


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a delivery, and what goes on record of it."""

    event: Event
    decision: Decision
    runs: tuple[HookRun, ...]
    answer: Answer
    duration_ns: int
    record: Record


def shown(decision: Decision, secrets: Secrets) -> Decision:
    """Return a decision with every secret in its words covered; the input it gives is not words."""
    said = (decision.reason, decision.context, decision.notice)
    if not any(said):
        return decision
    reason, context, notice = secrets.together([], said)[1]
    return replace(decision, reason=reason, context=context, notice=notice)


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


def escalation_record(
    escalation: ErrorEscalation | WatchFinding, runs: Sequence[HookRun]
) -> Record:
    """Return the row of an escalation: its trigger is the rule, its summary the reason."""
    if isinstance(escalation, WatchFinding):
        rule = f"watch.{escalation.detector}"
    else:
        rule = f"escalation.{escalation.trigger.replace(' ', '-')}"
    return Record(
        event=escalation,
        decision=Decision(action=None, reason=escalation.summary, rule=rule),
        runs=tuple(runs),
        payload=json.dumps(event_to_json(escalation)).encode(),
        transport="derived",
    )


def record_of(
    case: Case, decision: Decision, runs: Sequence[HookRun], answer: Answer, duration_ns: int
) -> Record:
    """Return the row of the event, with that of the edit derived from it."""
    delivery, edit = case.delivery, case.edit
    own = tuple(runs)
    derived: tuple[Record, ...] = ()
    if edit is not None:
        own = tuple(run for run in runs if run.kind != edit.kind)
        theirs = tuple(run for run in runs if run.kind == edit.kind)
        derived = (Record(event=edit, decision=decision, runs=theirs, transport="derived"),)
    return Record(
        event=case.event,
        decision=decision,
        runs=own,
        payload=delivery.payload,
        answer=answer,
        duration_ns=duration_ns,
        transport=delivery.transport,
        client=delivery.client,
        client_version=delivery.client_version,
        derived=derived,
    )
