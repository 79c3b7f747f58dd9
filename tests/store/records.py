"""Records to put into a ledger."""

from dataclasses import replace
from typing import Any

from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION, Decision
from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse, PreToolUse
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.store.record import Record


def record(
    call: str = "t1", *, decision: Decision = NO_OPINION, guard: bool = True, **more: Any
) -> Record:
    """Return the record of one tool call; ``more`` goes to its event or its identity."""
    names = ("session", "agent_id", "agent_type", "repository", "cwd")
    who = {name: more.pop(name) for name in names if name in more}
    kind = PreToolUse if guard else PostToolUse
    event = kind(
        identity=Identity(host="claude-code", tool_use_id=call, **{"session": "s1", **who}),
        received_ns=more.pop("at", 1_000_000_000),
        tool_name=more.pop("tool", "Bash"),
        tool_input={"file_path": path} if (path := more.pop("path", "")) else {},
    )
    return replace(Record(event=event, decision=decision, payload=b"{}", answer=Answer(0)), **more)


def run(hook: str = "scope", **more: Any) -> HookRun:
    """Return what is recorded of one hook run."""
    values = {
        "hook": hook,
        "role": Role.GUARD,
        "kind": "PreToolUse",
        "started_ns": 7,
        "duration_ns": 1_500_000,
        "outcome": Outcome.NO_OPINION,
        "budget": 2.5,
    }
    return HookRun(**{**values, **more})
