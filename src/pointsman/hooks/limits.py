"""The guard that holds a run to its limits: of tokens, money, calls and minutes.

It is asked before every call, so that a limit takes hold on the very next one; where the run is to
end, also at the events in between, which end it before the model is asked again.
"""

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Action, Cause, Decision, ask, deny, inject
from pointsman.model.event import Event
from pointsman.model.events import PreToolUse, UserPromptSubmit
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.limit import THEN, UNPRICED, Limit, Used
from pointsman.model.policy import Policy

NAME = "limits"
UNPRICED_RULE = "limit.unpriced"
EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "UserPromptSubmit")
_RANK = {None: 0, Action.ASK: 2, Action.DENY: 3}
_WHAT = {"tokens": "{:,.0f} tokens", "usd": "${:,.2f}", "calls": "{:,.0f} calls",
         "minutes": "{:,.1f} minutes"}  # fmt: skip
_SCOPE = {
    "agent": "for agent {agent!r}", "type": "for all agents of the type {agent!r}",
    "task": "for this task", "session": "for this session", "day": "for today",
}  # fmt: skip
_ANEW = {
    "agent": "starts another agent", "type": "begins a new session",
    "task": "gives the next task", "session": "begins a new session", "day": "waits for tomorrow",
}  # fmt: skip
_LATE = " (as far as the transcript has been read)"


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the limits of this policy."""

    def run(event: Event, context: HookContext) -> Decision | None:
        found = list(_found(policy, kit, event, context))
        answers = [decision for _, decision in found]
        said = max(answers, key=_rank, default=None)
        if said is None or said.action is not Action.DENY:
            told = [(limit, each.rule) for limit, each in found if each.action is None]
            if told or isinstance(event, PreToolUse):
                kit.spent.begin(event, told)
        return _together(said, answers)

    return Hook(
        name=NAME,
        role=Role.GUARD,
        run=run,
        events=frozenset(EVENTS),
        # Without a limit there is nothing to say, and no line of it on the record.
        when=lambda _event: bool(policy.limits),
    )


def _rank(decision: Decision) -> int:
    return _RANK[decision.action] + decision.ends


def _together(said: Decision | None, answers: list[Decision]) -> Decision | None:
    """Return the strictest answer; of several warnings all."""
    if said is None or said.action is not None:
        return said
    texts = dict.fromkeys(each.context for each in answers if each.context)
    return inject("\n".join(texts), rule=said.rule) if texts else None


def _found(
    policy: Policy, kit: Kit, event: Event, context: HookContext
) -> Iterator[tuple[Limit, Decision]]:
    agent = event.identity.agent
    for limit in policy.limits:
        if limit.agents and not any(fnmatchcase(agent, each) for each in limit.agents):
            continue
        used = kit.spent.used(event, limit)
        decision = _reached(event, limit, used) or _unpriced(event, limit, used, context)
        if decision is not None:
            yield limit, decision


def _reached(event: Event, limit: Limit, used: Used) -> Decision | None:
    """Return what a limit that is reached means for this event."""
    if used.amount < limit.at:
        return None
    return _DO[limit.then](event, limit, used)


def _warned(event: Event, limit: Limit, used: Used) -> Decision | None:
    if limit.rule in used.told:
        return None
    text = f"{_said(event, limit, used)} Bring the work to an end."
    return inject(f"Pointsman: {text}", rule=limit.rule)


def _asked(event: Event, limit: Limit, used: Used) -> Decision | None:
    if not isinstance(event, PreToolUse):
        return None
    text = f"{_said(event, limit, used)} A person decides about each further call{_way_on(limit)}"
    return ask(text, rule=limit.rule)


def _denied(event: Event, limit: Limit, used: Used) -> Decision | None:
    if not isinstance(event, PreToolUse):
        return None
    text = (
        f"{_said(event, limit, used)} No further call runs: say what is done and what is left. "
        f"A person who wants more{_way_on(limit)}"
    )
    return deny(text, rule=limit.rule)


def _ended(event: Event, limit: Limit, used: Used) -> Decision | None:
    # A subagent cannot be ended from outside; with every call denied it comes to its end itself.
    if event.identity.agent_id is not None:
        return _denied(event, limit, used)
    # The next prompt is the next task, and a person who has more to say to it may.
    if isinstance(event, UserPromptSubmit) and limit.per == "task":
        return None
    text = f"{_said(event, limit, used)} The run ends here. A person who wants more{_way_on(limit)}"
    return Decision(action=Action.DENY, reason=text, rule=limit.rule, ends=True)


_DO: dict[str, Callable[[Event, Limit, Used], Decision | None]] = {
    "warn": _warned,
    "ask": _asked,
    "deny": _denied,
    "end": _ended,
}
assert tuple(_DO) == THEN  # noqa: S101 - the words of the settings are these


def _unpriced(event: Event, limit: Limit, used: Used, context: HookContext) -> Decision | None:
    """Return what use without a price means under a limit of money: it could not be verified."""
    if limit.of != "usd" or not used.unpriced:
        return None
    said = limit.unpriced or ("warn" if limit.then == "warn" else "ask")
    text = (
        f"whether the limit of {_amount(limit, limit.at)} {_scope(event, limit)} holds cannot be "
        f"told: {used.unpriced} messages come from a model without a price, besides "
        f"{_amount(limit, used.amount)} that are known. A person adds the price, or sets "
        f'unpriced = "off" for this limit in {limit.source or "the settings"}'
    )
    context.log(text)
    if said == "warn":
        return (
            None if UNPRICED_RULE in used.told else inject(f"Pointsman: {text}", rule=UNPRICED_RULE)
        )
    if said == "off" or not isinstance(event, PreToolUse):
        return None
    return Decision(
        action=Action(said), reason=text, rule=UNPRICED_RULE, cause=Cause.UNVERIFIED
    )  # fmt: skip


assert {"warn", "off", *map(str, (Action.ASK, Action.DENY))} == set(UNPRICED)  # noqa: S101


def _said(event: Event, limit: Limit, used: Used) -> str:
    late = _LATE if limit.of in {"tokens", "usd"} else ""
    return (
        f"the limit of {_amount(limit, limit.at)} {_scope(event, limit)} is reached: "
        f"{_amount(limit, used.amount)} are used{late}."
    )


def _scope(event: Event, limit: Limit) -> str:
    where = " in this repository" if limit.own and limit.per == "day" else ""
    return _SCOPE[limit.per].format(agent=event.identity.agent) + where


def _amount(limit: Limit, value: float) -> str:
    return _WHAT[limit.of].format(value)


def _way_on(limit: Limit) -> str:
    where = limit.source or "the settings"
    return (
        f' raises it in {where} ([[limits]] per = "{limit.per}", of = "{limit.of}"), or '
        f"{_ANEW[limit.per]}."
    )
