"""What beside the detectors makes an alert: events that people must know of, faults of our own."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.model.alert import Finding, Severity
from pointsman.model.events import ErrorEscalation

APPROVAL = "approval"
"""The detector of questions that wait for a person; the key is the question's id."""
DAEMON = "daemon"


@dataclass(frozen=True, slots=True)
class Source:
    """How bad it is, and whether it stays until a person has seen to it.

    ``own`` is of what has no session: the same fault in two sessions is one alert.
    """

    severity: Severity
    detector: str
    lasting: bool = False
    own: bool = False


_CRITICAL, _WARNING = Severity.CRITICAL, Severity.WARNING

TRIGGERS: Mapping[str, Source] = {
    "command without a hook": Source(_CRITICAL, "unguarded-command", lasting=True),
    "outside contract": Source(_CRITICAL, "outside-contract", lasting=True),
    "could not verify": Source(_WARNING, "unverified-change", lasting=True),
    "validation failed": Source(_WARNING, "validation-failed"),
    "approval asked": Source(_WARNING, APPROVAL, lasting=True),
    "approval waiting": Source(_CRITICAL, APPROVAL, lasting=True),
    "hook failed": Source(_CRITICAL, "guard-failed", own=True),
    "budget blown": Source(_WARNING, "guard-failed", own=True),
}
"""By the trigger of an ``ErrorEscalation``. Not here: ``tool failed`` and ``denial burst``, at
which the detectors ``same-error`` and ``denials`` look with thresholds of their own."""

NOTES: Mapping[str, Source] = {
    "events lost": Source(_CRITICAL, DAEMON, lasting=True),
    "ledger failed": Source(_CRITICAL, DAEMON, lasting=True),
    "upkeep failed": Source(_CRITICAL, DAEMON, lasting=True),
    "no checkpoint": Source(_CRITICAL, DAEMON, lasting=True),
    "approvals failed": Source(_CRITICAL, DAEMON, lasting=True),
    "alerts set aside": Source(_CRITICAL, DAEMON, lasting=True),
    "spool file broken": Source(_WARNING, DAEMON, lasting=True),
    "detector failed": Source(_WARNING, DAEMON),
    "watch failed": Source(_WARNING, DAEMON),
    "limits failed": Source(_WARNING, DAEMON),
}
"""By the kind of a note of the daemon."""


def of_escalation(event: ErrorEscalation, seq: int = 0) -> tuple[Finding, bool] | None:
    """Return what an escalation is as a finding, and whether it lasts; ``None``: no alert."""
    source = TRIGGERS.get(event.trigger)
    # Whoever only helps may fail: the detector `hook-failures` counts that.
    if source is None or (source.own and not event.summary.startswith("guard ")):
        return None
    who = event.identity
    own = source.own
    finding = Finding(
        detector=source.detector, key=event.key, severity=source.severity, summary=event.summary,
        at_ns=event.received_ns, host=who.host, session="" if own else who.session,
        agent_id=None if own else who.agent_id, agent_type=None if own else who.agent_type,
        repository=who.repository, seqs=(seq,) if seq else (), figures={"count": event.count},
    )  # fmt: skip
    return finding, source.lasting


def of_note(kind: str, text: str, now_ns: int) -> tuple[Finding, bool] | None:
    """Return the same for a note of the daemon."""
    source = NOTES.get(kind)
    if source is None:
        return None
    finding = Finding(
        detector=source.detector, key=kind, severity=source.severity,
        summary=f"{kind}: {text}", at_ns=now_ns,
    )  # fmt: skip
    return finding, source.lasting
