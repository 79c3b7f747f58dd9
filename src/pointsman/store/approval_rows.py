"""An approval as a row of the store, and back."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pointsman.model.approval import (
    Approval,
    Binding,
    Moment,
    Risk,
    State,
    Terms,
    Timeout,
    Transition,
)

MOST_INPUT = 256 * 1024
"""Characters of a call's input that are kept to be shown; what it is bound to is its hash."""

_MOST_TEXT = 16 * 1024


def to_row(approval: Approval) -> dict[str, Any]:
    """Return the columns of a new row."""
    bound, terms = approval.binding, approval.terms
    return {
        "id": approval.id,
        "state": approval.state.value,
        "key": bound.key,
        "host": bound.host,
        "session": bound.session,
        "agent": bound.agent,
        "agent_id": approval.agent_id,
        "asked_session": approval.session,
        "repository": bound.repository,
        "cwd": bound.cwd,
        "tool": bound.tool,
        **input_columns(approval.input),
        "digest": bound.digest,
        "rules": json.dumps(bound.rules),
        "rule": approval.rule,
        "hook": approval.hook,
        "reason": fitting(approval.reason),
        "cause": approval.cause,
        "risk": json.dumps(asdict(approval.risk)),
        "call": approval.call,
        "host_pid": approval.host_pid,
        "requests": approval.requests,
        "wait_s": terms.wait,
        "on_timeout": terms.on_timeout.value,
        "valid_s": terms.valid_for,
        "created_ns": approval.created_ns,
        "wait_until_ns": approval.wait_until_ns,
    }


def input_columns(tool_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of an input: all of it, or its beginning as one text."""
    whole = json.dumps(dict(tool_input), ensure_ascii=True)
    cut = len(whole) > MOST_INPUT
    kept = json.dumps({"beginning": whole[:MOST_INPUT]}) if cut else whole
    return {"input": kept, "cut": int(cut)}


def from_row(row: sqlite3.Row) -> Approval:
    """Rebuild an approval."""
    decided = Moment(row["decided_ns"], row["decided_boot_ns"], row["decided_boot"])
    risk = json.loads(row["risk"])
    return Approval(
        id=row["id"],
        state=State(row["state"]),
        binding=_binding(row),
        terms=Terms(
            wait=row["wait_s"], on_timeout=Timeout(row["on_timeout"]), valid_for=row["valid_s"]
        ),
        rule=row["rule"],
        hook=row["hook"],
        reason=row["reason"],
        cause=row["cause"],
        input=json.loads(row["input"]),
        cut=bool(row["cut"]),
        risk=Risk(**{**risk, "reach": tuple(risk["reach"])}),
        session=row["asked_session"],
        agent_id=row["agent_id"],
        call=row["call"],
        host_pid=row["host_pid"],
        requests=row["requests"],
        created_ns=row["created_ns"],
        wait_until_ns=row["wait_until_ns"],
        escalated_ns=row["escalated_ns"],
        shown_ns=row["shown_ns"],
        decided=decided if row["decided_ns"] else None,
        decided_by=row["decided_by"],
        note=row["note"],
        modified=json.loads(row["modified"]) if row["modified"] else None,
        used_ns=row["used_ns"],
    )


def _binding(row: sqlite3.Row) -> Binding:
    return Binding(
        host=row["host"],
        session=row["session"],
        agent=row["agent"],
        repository=row["repository"],
        cwd=row["cwd"],
        tool=row["tool"],
        digest=row["digest"],
        rules=tuple(json.loads(row["rules"])),
    )


def transition(row: sqlite3.Row) -> Transition:
    """Rebuild a change of state."""
    return Transition(
        number=row["n"],
        id=row["id"],
        ns=row["ns"],
        before=row["before"],
        after=row["after"],
        by=row["by"],
        text=row["text"],
    )


def fitting(value: str) -> str:
    """Return what SQLite can hold: no lone surrogates, no megabytes."""
    return value[:_MOST_TEXT].encode("utf-8", "backslashreplace").decode()
