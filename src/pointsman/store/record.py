"""One thing to put on record: an event, what became of it, and every hook that was asked."""

import json
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.answer import Answer
from pointsman.model.decision import NO_OPINION, Decision
from pointsman.model.event import Event
from pointsman.model.hook import HookRun

NO_DECISION = "none"
"""How the record spells that nobody had an opinion."""

_MOST_TEXT = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event with its decision, its hook runs, the payload and the answer as bytes.

    ``derived`` are the events that were derived from it and have a row of their own.
    """

    event: Event
    decision: Decision = NO_OPINION
    runs: tuple[HookRun, ...] = ()
    payload: bytes = b""
    answer: Answer = field(default_factory=Answer)
    duration_ns: int = 0
    transport: str = "hook"
    client: str = ""
    client_version: str = ""
    derived: tuple["Record", ...] = ()
    covered: bool = False
    """Whether the secrets in it are covered (``store/redacting.py``)."""


def event_row(seq: int, derived_from: int | None, record: Record) -> tuple[Any, ...]:
    """Return the row of ``events``, in the order of its columns."""
    event, decision = record.event, record.decision
    who = event.identity
    paths = event.paths
    stopped = decision.action is not None
    return (
        seq, event.received_ns, _text(who.host), _text(event.kind), _text(who.session),
        _maybe(who.agent_id), _maybe(who.agent_type), _maybe(who.parent), _maybe(who.prompt_id),
        _maybe(who.tool_use_id), _text(event.tool), _text(paths[0]) if paths else "",
        _text(who.cwd), _maybe(who.repository), _text(event.permission_mode),
        decision.action.value if decision.action else NO_DECISION, _text(decision.rule),
        _text(decision.reason), _text(decision.hook), decision.cause.value if stopped else None,
        _text(decision.context), record.duration_ns, record.answer.code, record.transport,
        _text(record.client), _text(record.client_version), _problems(event), derived_from,
    )  # fmt: skip


def run_row(seq: int, n: int, run: HookRun) -> tuple[Any, ...]:
    """Return the row of ``hook_runs``, in the order of its columns."""
    decision = run.decision
    action = decision.action if decision else None
    return (
        seq, n, _text(run.hook), run.role.value, _text(run.kind), run.started_ns, run.duration_ns,
        run.outcome.value, int(run.budget * 1000), _text(run.reason),
        action.value if action else NO_DECISION, _text(decision.rule) if decision else "",
        json.dumps(run.lines) if run.lines else None,
    )  # fmt: skip


def _problems(event: Event) -> str | None:
    if not event.problems and not event.unknown:
        return None
    return json.dumps({"problems": event.problems, "unknown_fields": event.unknown})


def _maybe(text: str | None) -> str | None:
    return None if text is None else _text(text)


def _text(text: str) -> str:
    """Return what SQLite can hold: no lone surrogates, no megabytes."""
    if len(text) > _MOST_TEXT:
        text = text[: _MOST_TEXT - 1] + "…"
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()
