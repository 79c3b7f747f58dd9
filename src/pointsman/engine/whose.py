"""For whom a shell command is judged that came without a hook, and what becomes of the verdict."""

from dataclasses import dataclass, replace

from pointsman.engine.witness import Session, Turn
from pointsman.model.decision import Action, Decision
from pointsman.model.event import HOST, PERSON
from pointsman.model.policy import Policy

GATE = "second-gate"
"""Who speaks, on record, where no guard does."""
_MOST_CANDIDATES = 16
"""Types of agents that a command without a hook is judged as, one by one."""
NO_HOOK = "exec.no-hook"


@dataclass(frozen=True, slots=True)
class Who:
    """For whom a command without a decision is judged: what to call it, and as which agents."""

    name: str
    agents: tuple[tuple[str | None, str | None], ...]
    """Ids and types; the main thread has neither."""
    explained: bool

    @property
    def told(self) -> str:
        """Name them for a reader."""
        if self.name in {PERSON, HOST}:
            return self.name
        kinds = ", ".join(kind for _, kind in self.agents if kind)
        return f"the main thread and {kinds}" if kinds else "the main thread"

    @property
    def advice(self) -> str:
        """Say what a person can do."""
        if self.name == PERSON:
            return "Where you mean it, type it in a terminal of your own."
        if self.name == HOST:
            return "It is a shell command of the host's settings (hook, status line): look at it."
        return (
            "A person who means it types it in a terminal of their own; whether the hooks are in "
            "force tells: pointsman doctor"
        )


def whose(session: Session, policy: Policy, *, trusted: bool, lately: tuple[str, ...] = ()) -> Who:
    """Return for whom a command is judged that came without a hook.

    While the main thread waits and our hooks are in force (``trusted``), no agent can have given
    it: every call of one would have come with its hook. Else it may be anybody's who is at work.
    ``lately`` are types of agents that are by the host's own files: of one that has been started
    since the hooks are gone, no hook has told.
    """
    if trusted and session.turn is Turn.IDLE:
        return Who(PERSON, ((None, PERSON),), explained=True)
    live = list(dict.fromkeys((*session.agents.values(), *lately)))
    if session.overflowed or len(live) > _MOST_CANDIDATES:
        live = list(policy.contracts)
    types: tuple[tuple[str | None, str | None], ...] = tuple((None, kind) for kind in live)
    expanding = trusted and session.turn is Turn.EXPANDING
    return Who("whoever is at work", ((None, None), *types), explained=expanding)


def told(decision: Decision, who: Who) -> Decision:
    """Return what becomes of the guards' decision where nobody can be asked.

    A person who has typed the command has answered the question by that.
    """
    action = decision.action
    if action in {None, Action.ALLOW} or (action is Action.ASK and who.name == PERSON):
        typed = f"{who.told} typed what would be asked about: {decision.reason}"
        judged = f"no hook ran; judged for {who.told}"
        reason = (
            typed if action is Action.ASK else "; ".join(filter(None, (judged, decision.reason)))
        )
        return Decision(action=None, rule=NO_HOOK, reason=reason, hook=GATE)
    if action is Action.MODIFY:
        why = f"a guard would have it changed, which is too late now. {decision.reason}"
    elif action is Action.ASK:
        why = f"nobody can be asked here, as no hook ran: {decision.reason}"
    else:
        why = decision.reason
    gap = " " if why.endswith((".", "!", "?")) else "\n"
    reason = f"{why}{gap}{who.advice}"
    return replace(decision, action=Action.DENY, reason=reason, updated_input=None)
