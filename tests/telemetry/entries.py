"""Entries as the ledger gives them."""

from typing import Any

from pointsman.model.telemetry import Entry

AT = 1_700_000_000_000_000_000


def event(seq: int = 1, **more: Any) -> dict[str, Any]:
    """Return the columns of an event."""
    return {
        "seq": seq, "received_ns": AT, "host": "claude-code", "event": "PreToolUse",
        "session": "s1", "agent_id": None, "agent_type": None, "parent": None, "prompt_id": None,
        "tool_use_id": "c1", "tool": "Bash", "path": "", "cwd": "/repo", "repository": "/repo",
        "permission_mode": "default", "decision": "none", "rule": "", "reason": "", "hook": "",
        "cause": None, "context": "", "duration_ns": 1_500_000, "exit_code": 0,
        "transport": "hook", "client": "native", "client_version": "1", "problems": None,
        "derived_from": None, **more,
    }  # fmt: skip


def run(n: int = 0, **more: Any) -> dict[str, Any]:
    """Return the columns of a hook run."""
    return {
        "seq": 1, "n": n, "hook": "scope", "role": "guard", "event": "PreToolUse",
        "started_ns": AT, "duration_ns": 1000, "outcome": "no opinion", "budget_ms": 2500,
        "reason": "", "decision": "none", "rule": "", "lines": None, **more,
    }  # fmt: skip


def entry(n: int = 1, *runs: dict[str, Any], **more: Any) -> Entry:
    """Return an entry; ``started_ns``, ``late`` and ``payload`` are its own."""
    own = {key: more.pop(key) for key in ("started_ns", "late", "payload", "used") if key in more}
    return Entry(n=n, event=event(more.pop("seq", n), **more), runs=runs, **own)


def note(n: int = 9) -> Entry:
    """Return a note of the daemon's."""
    return Entry(n=n, note={"n": 1, "ns": AT, "kind": "retention", "text": "some went"})
