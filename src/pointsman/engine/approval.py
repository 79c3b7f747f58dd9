"""The rules of approvals: what one is bound to, how long it holds, what a timeout comes to."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from pointsman.model.approval import Approval, Binding, Moment, State, Terms, Timeout
from pointsman.model.decision import Action, Decision
from pointsman.model.event import Identity
from pointsman.model.hook import HookRun

SAME_CALL = 60.0
"""Seconds within which one call may be asked about again: a host whose settings name us twice."""

FORGOTTEN = 86_400.0
"""Seconds after which nothing tells any more how the host's own prompt was answered."""

_BACKWARDS = 2.0
"""Seconds that the wall clock may have gone back (it is steered) without an approval being void."""

_WORDS_ONLY = {"Bash": frozenset({"description"})}
"""Inputs that a tool only shows: an agent words them anew each time, and nothing hangs on them."""


def digest(tool: str, tool_input: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the arguments as canonical JSON, in hexadecimal.

    Keys are sorted; numbers and texts are as JSON spells them, so that ``1``, ``1.0``, ``"1"``
    and ``true`` are four things. What a tool only shows does not count.
    """
    shown = _WORDS_ONLY.get(tool, frozenset())
    counting = {key: value for key, value in tool_input.items() if key not in shown}
    # Escaped: a lone surrogate has no UTF-8.
    text = json.dumps(counting, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def bind(
    who: Identity, tool: str, tool_input: Mapping[str, Any], rules: Iterable[str], by: str
) -> Binding:
    """Return what an approval of this call is good for.

    ``by`` is ``session`` (this session) or ``agent`` (any session of this agent). The working
    directory counts: the same words do something else in another one.
    """
    return Binding(
        host=who.host,
        session=who.session if by == "session" else "",
        agent=who.agent,
        repository=who.repository or "",
        cwd=who.cwd,
        tool=tool,
        digest=digest(tool, tool_input),
        rules=tuple(sorted(set(rules))),
    )


def asking_rules(decision: Decision, runs: Iterable[HookRun]) -> tuple[str, ...]:
    """Return every rule that asks: a yes to one of them is no yes to another."""
    own = {run.decision.rule for run in runs if run.decision and run.decision.action is Action.ASK}
    return tuple(sorted(own | {decision.rule}))


def terms(settings: Mapping[str, Any], rules: Iterable[str]) -> Terms:
    """Return how long a question of these rules waits, and how long a yes to it is good.

    Of several rules the shortest times count, and to escalate counts before to deny.
    """
    each = [_terms(settings, rule) for rule in rules] or [_terms(settings, "")]
    escalates = any(one.on_timeout is Timeout.ESCALATE for one in each)
    return Terms(
        wait=min(one.wait for one in each),
        on_timeout=Timeout.ESCALATE if escalates else Timeout.DENY,
        valid_for=min(one.valid_for for one in each),
    )


def _terms(settings: Mapping[str, Any], rule: str) -> Terms:
    said: dict[str, Any] = dict(settings)
    tuned = settings.get("rules", ())
    said |= next((one for one in tuned if fnmatchcase(rule, one["rule"])), {})
    default = Terms()
    return Terms(
        wait=said.get("wait", default.wait / 60) * 60,
        on_timeout=Timeout(said.get("on_timeout", default.on_timeout)),
        valid_for=said.get("valid_for", default.valid_for / 60) * 60,
    )


def is_fresh(since: Moment | None, now: Moment, seconds: float) -> bool:
    """Whether at most so many seconds have passed, by every clock that can tell.

    A wall clock that was set back makes it stale: how long ago it was is then not known.
    """
    if since is None:
        return False
    passed = (now.wall_ns - since.wall_ns) / 1e9
    if not -_BACKWARDS <= passed < seconds:
        return False
    if not now.boot or now.boot != since.boot:
        return True
    return 0 <= (now.boot_ns - since.boot_ns) / 1e9 < seconds


def usable(approval: Approval, now: Moment) -> bool:
    """Whether a call may be let through on this yes."""
    return approval.state is State.APPROVED and is_fresh(
        approval.decided, now, approval.terms.valid_for
    )


def is_same_call(approval: Approval, call: str, now: Moment) -> bool:
    """Whether this very call has been let through a moment ago, and is only asked about again."""
    passed = now.wall_ns - approval.used_ns
    recent = -_BACKWARDS * 1e9 <= passed < SAME_CALL * 1e9
    return approval.state is State.USED and bool(call) and approval.call == call and recent


def stands(approval: Approval, now: Moment) -> bool:
    """Whether a person's no still answers the same question, for as long as it had waited."""
    return approval.state is State.REFUSED and is_fresh(approval.decided, now, approval.terms.wait)


def next_state(approval: Approval, now: Moment) -> State | Timeout | None:
    """Return what time has made of an approval: a state, ``ESCALATE``, or nothing yet."""
    if approval.state is State.APPROVED and not usable(approval, now):
        return State.EXPIRED
    if approval.state is State.ASKED and now.wall_ns - approval.created_ns > FORGOTTEN * 1e9:
        return State.UNKNOWN
    if approval.is_over(now.wall_ns):
        return State.LAPSED
    waited = approval.state is State.WAITING and now.wall_ns >= approval.wait_until_ns
    return Timeout.ESCALATE if waited else None
