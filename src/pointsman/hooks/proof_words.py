"""What the proof of a call says: to the agent, to the record, to a person."""

from collections.abc import Iterable

from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event
from pointsman.model.events import (
    PostToolUse,
    PostToolUseFailure,
    Stop,
    SubagentStop,
)
from pointsman.model.hook import HookContext
from pointsman.model.proof import Call, Finding, Outcome, Report

OUTSIDE = "proof.outside-contract"
UNVERIFIED = "proof.unverified"
NOT_READY = "proof.not-ready"
_MOST_SHOWN = 12
_DONE = frozenset({Outcome.RESTORED, Outcome.UNRESTORED})


def not_ready(call: Call) -> Decision:
    """Stop a call whose baseline is not there in time; the reading goes on meanwhile."""
    reason = (
        f"{call.root} is still being read for the first time, so that it could not be proven "
        "afterwards what the call changes. Nothing forbids it: try the same call again"
    )
    return Decision(action=Action.DENY, reason=reason, rule=NOT_READY, cause=Cause.UNVERIFIED)


def decision_before(report: Report, call: Call) -> Decision | None:
    """Say what was found while the baseline was taken: something of an earlier call's."""
    return _said(report, call, action=None)


def decision_after(
    event: Event, report: Report | None, call: Call, context: HookContext
) -> Decision | None:
    """Say what a comparison has found."""
    if report is None:
        report = Report(problem=f"{call.root} could not be read again in time")
    for each in report.findings:
        context.log(
            each.outcome.value, path=each.path, what=each.what, why=each.why, kept=each.kept
        )
    return _said(report, call, action=Action.DENY if _is_heard(event) else None)


def _is_heard(event: Event) -> bool:
    """Whether a refusal reaches the agent here, and does no more than that."""
    if isinstance(event, Stop | SubagentStop):
        return not event.stop_hook_active
    # Of a batch it would end the loop; its context reaches the agent as well.
    return isinstance(event, PostToolUse | PostToolUseFailure)


def _said(report: Report, call: Call, action: Action | None) -> Decision | None:
    done = [each for each in report.findings if each.outcome in _DONE]
    untold = [each for each in report.findings if each.outcome is Outcome.UNTOLD]
    texts = []
    if done:
        texts.append(_outside(done, report, call))
    if untold:
        texts.append(_untold(untold, call))
    if report.problem:
        texts.append(_unproven(report, call))
    if not texts:
        return None
    reason = "\n".join(texts)
    cause = Cause.VIOLATION if done else Cause.UNVERIFIED
    return Decision(
        action=action if done else None,
        reason=reason,
        rule=OUTSIDE if done else UNVERIFIED,
        cause=cause,
        # Where it is refused, the reason is what the agent reads.
        context="" if done and action is Action.DENY else reason,
    )


def _outside(done: list[Finding], report: Report, call: Call) -> str:
    back = [each for each in done if each.outcome is Outcome.RESTORED]
    stuck = [each for each in done if each.outcome is Outcome.UNRESTORED]
    why = next(iter(done)).why
    text = f"agent {call.agent!r} changed outside its contract: {_list(done)}: {why}."
    if back:
        text += f" Put back as before: {_count(back)}."
    if stuck:
        text += (
            " NOT put back: " + "; ".join(f"{each.path}: {each.why}" for each in stuck[:5]) + "."
        )
    if report.id:
        text += (
            f" The agent's versions are kept; a person sees them with: "
            f"pointsman proof show {report.id}."
        )
    return (
        f"{text} Work within the contract, and say in your answer what would have to be changed "
        "outside of it"
    )


def _untold(untold: list[Finding], call: Call) -> str:
    why = "; ".join(dict.fromkeys(each.why for each in untold[:5]))
    return (
        f"while a call of agent {call.agent!r} ran, files outside its contract changed, and whose "
        f"work that is could not be verified: {_list(untold)}: {why}. They were left as they are; "
        "a person looks at them with: git diff"
    )


def _unproven(report: Report, call: Call) -> str:
    what = f"what {call.tool or 'the agent'} changed" if call.tool else "what has changed"
    return f"{what} in {call.root} could not be verified: {report.problem}"


def _list(findings: Iterable[Finding]) -> str:
    every = [f"{each.path} ({each.what})" for each in findings]
    more = f", and {len(every) - _MOST_SHOWN} more" if len(every) > _MOST_SHOWN else ""
    return ", ".join(every[:_MOST_SHOWN]) + more


def _count(findings: list[Finding]) -> str:
    return "1 file" if len(findings) == 1 else f"{len(findings)} files"
