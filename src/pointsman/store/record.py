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
    action = decision.action
    texts: tuple[str, ...] = (
        who.host, event.kind, who.session, event.tool, paths[0] if paths else "", who.cwd,
        event.permission_mode, decision.rule, decision.reason, decision.hook, decision.context,
        record.client, record.client_version,
    )  # fmt: skip
    ids: tuple[str | None, ...] = (
        who.agent_id, who.agent_type, who.parent, who.prompt_id, who.tool_use_id, who.repository,
    )  # fmt: skip
    # All at once: nearly every row is short, and of ASCII alone.
    if not _fits("".join(texts) + "".join(filter(None, ids))):
        texts = tuple(map(_text, texts))
        ids = tuple(map(_maybe, ids))
    host, kind, session, tool, path, cwd, mode, rule, reason, hook, context, client, version = texts
    agent_id, agent_type, parent, prompt, call, repository = ids
    return (
        seq, event.received_ns, host, kind, session, agent_id, agent_type, parent, prompt, call,
        tool, path, cwd, repository, mode, action.value if action else NO_DECISION, rule,
        reason, hook, decision.cause.value if action else None, context, record.duration_ns,
        record.answer.code, record.transport, client, version, _problems(event), derived_from,
    )  # fmt: skip


def run_row(seq: int, n: int, run: HookRun) -> tuple[Any, ...]:
    """Return the row of ``hook_runs``, in the order of its columns."""
    decision = run.decision
    action = decision.action if decision else None
    hook, kind, reason, rule = run.hook, run.kind, run.reason, decision.rule if decision else ""
    if not _fits(hook + kind + reason + rule):
        hook, kind, reason, rule = map(_text, (hook, kind, reason, rule))
    return (
        seq, n, hook, run.role.value, kind, run.started_ns, run.duration_ns, run.outcome.value,
        int(run.budget * 1000), reason, action.value if action else NO_DECISION, rule,
        json.dumps(run.lines) if run.lines else None,
    )  # fmt: skip


def _problems(event: Event) -> str | None:
    if not event.problems and not event.unknown:
        return None
    return json.dumps({"problems": event.problems, "unknown_fields": event.unknown})


def _maybe(text: str | None) -> str | None:
    return None if text is None else _text(text)


def _fits(text: str) -> bool:
    """Whether SQLite can hold it as it is, in whatever parts."""
    return len(text) <= _MOST_TEXT and text.isascii()


def _text(text: str) -> str:
    """Return what SQLite can hold: no lone surrogates, no megabytes."""
    if len(text) > _MOST_TEXT:
        text = text[: _MOST_TEXT - 1] + "…"
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode()
