"""Our records against the host's own transcript: what ran, and no hook record answers for it."""

from collections.abc import Callable, Iterable, Sequence

from pointsman.model.coverage import Call, Coverage, Fate, Heard, HostHook, Unguarded

CANCELLED = "hook cancelled"
FAILED = "hook failed"
GONE = "settings gone"
SUBAGENT = "subagent"
UNTRUSTED = "untrusted folder"
NONE_RAN = "no hook ran in this session"
NO_RECORD = "no record"


def reconcile(
    calls: Iterable[Call],
    heard: Callable[[str], Heard],
    trusted: Callable[[str], bool | None] = lambda _folder: None,
) -> Coverage:
    """Return how many of these calls a record answers for, and each that ran without one."""
    by_session: dict[str, list[Call]] = {}
    refused = 0
    for call in calls:
        if call.ran:
            by_session.setdefault(call.session, []).append(call)
        else:
            refused += 1
    unguarded: list[Unguarded] = []
    for session, made in by_session.items():
        # A file per agent: only together do they tell what came after what.
        made.sort(key=lambda call: call.at_ns)
        unguarded += _of_session(made, heard(session), trusted)
    unguarded.sort(key=lambda each: each.call.at_ns)
    ran = sum(map(len, by_session.values()))
    return Coverage(ran=ran, refused=refused, unguarded=tuple(unguarded))


def without_copies(calls: Iterable[Call], heard: Callable[[str], Heard]) -> list[Call]:
    """Return each call once: a fork begins with a copy of its parent's lines, times and all.

    Of copies the one counts whose session has a record of it, or else the first.
    """
    found: dict[tuple[str, ...], Call] = {}
    for call in calls:
        key = (call.id, str(call.at_ns)) if call.at_ns else (call.id, "", call.session)
        before = found.get(key)
        if before is None or (
            before.id not in heard(before.session).answered
            and call.id in heard(call.session).answered
        ):
            found[key] = call
    return list(found.values())


def _of_session(
    calls: Sequence[Call], heard: Heard, trusted: Callable[[str], bool | None]
) -> list[Unguarded]:
    answered = [_is_answered(call, heard) for call in calls]
    agents = {call.agent_id for call, yes in zip(calls, answered, strict=True) if yes}
    last = max((place for place, yes in enumerate(answered) if yes), default=-1)
    judged = dict(heard.judged)
    found = []
    for place, (call, yes) in enumerate(zip(calls, answered, strict=True)):
        if yes:
            continue
        cause = _own_cause(call)
        if not cause and not heard.any:
            untrusted = call.terminal and trusted(call.cwd) is False
            cause = UNTRUSTED if untrusted else NONE_RAN
        elif not cause and call.agent_id is not None and call.agent_id not in agents and agents:
            cause = SUBAGENT
        elif not cause:
            cause = GONE if place > last >= 0 else NO_RECORD
        left = judged.get(call.command, 0) if call.command else 0
        judged[call.command] = left - 1
        found.append(Unguarded(call=call, cause=cause, judged=left > 0))
    return found


def _is_answered(call: Call, heard: Heard) -> bool:
    return call.id in heard.answered and not _own_cause(call)


def _own_cause(call: Call) -> str:
    """Return what the host says became of our own hook before the call, where that let it run."""
    for hook in call.hooks:
        if hook.event == "PreToolUse" and hook.ours and hook.fate is not Fate.ANSWERED:
            return _told(hook)
    return ""


def _told(hook: HostHook) -> str:
    if hook.fate is Fate.FAILED:
        return f"{FAILED}: {hook.detail}" if hook.detail else FAILED
    why = f"timed out after {hook.ms} ms" if hook.timed_out else f"after {hook.ms} ms"
    return f"{CANCELLED}: {why}"
