"""What stands in front of the ledger: no record reaches a file before its secrets are covered."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from pointsman.model.event import Event, Identity, ToolEvent, UnknownEvent
from pointsman.model.events import PreEdit
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.secret import Redaction, Secrets
from pointsman.store.record import Record
from pointsman.store.recorder import Journal

NAME = "redaction"
"""The hook run that says on a record what was covered in it, or why that may not be all."""
_MOST_AT_ONCE = 256 * 1024
"""Bytes of a batch that are searched as one text."""
_IDENTITY = tuple(entry.name for entry in fields(Identity))


class Redacting:
    """A journal that covers secrets in what it is given, and hands it on."""

    def __init__(self, journal: Journal, secrets: Secrets) -> None:
        self._journal = journal
        self._secrets = secrets

    def append(self, records: Sequence[Record]) -> list[int]:
        """Record these, all or none; return the sequence number of each.

        Raises:
            LedgerError: nothing is on record.
        """
        if _is_clear([each for each in records if not each.covered], self._secrets):
            return self._journal.append(records)
        return self._journal.append([covered(record, self._secrets) for record in records])

    def append_runs(self, seq: int, first: int, runs: Sequence[HookRun]) -> None:
        """Add hook runs that ended after the answer was out."""
        texts = _Texts(self._secrets.together([], _said(runs))[1])
        # One further on: the place behind the event's own runs may be that of the redaction.
        self._journal.append_runs(seq, first + 1, texts.runs(runs))


def _is_clear(records: Sequence[Record], secrets: Secrets) -> bool:
    """Whether there is nothing to cover in any of these: most often so, and found at once."""
    bodies = [body for record in records for body in _bodies(record)]
    if sum(map(len, bodies)) > _MOST_AT_ONCE:
        return False
    texts = (
        text
        for record in records
        for one in _family(record)
        for text in (*_texts(one), *_beside(one.event))
    )
    return secrets.clear(bodies, texts)


def covered(record: Record, secrets: Secrets) -> Record:
    """Return a record with every secret covered, and with a hook run that says so."""
    if record.covered:
        return record
    started, began = time.time_ns(), time.perf_counter_ns()
    bodies = _bodies(record)
    said = [text for one in _family(record) for text in _texts(one)]
    beside = [text for one in _family(record) for text in _beside(one.event)]
    given, texts, told = secrets.together(bodies, [*said, *beside])
    texts = texts[: len(said)]
    if told.kinds:
        # The other columns hold parts of the payload: there was nothing in them before.
        said += [text for one in _family(record) for text in _named(one.event)]
        given, texts, told = secrets.together(bodies, said)
    if not told:
        return replace(record, covered=True)
    run = _run(record, told, started, time.perf_counter_ns() - began)
    return _rebuilt(record, given, _Texts(texts), run)


def _run(record: Record, told: Redaction, started_ns: int, duration_ns: int) -> HookRun:
    return HookRun(
        hook=NAME,
        role=Role.OBSERVER,
        kind=record.event.kind,
        started_ns=started_ns,
        duration_ns=duration_ns,
        outcome=Outcome.DEGRADED if told.fault else Outcome.NO_OPINION,
        budget=0.0,
        reason=str(told),
    )


def _rebuilt(record: Record, bodies: Sequence[bytes], texts: "_Texts", run: HookRun) -> Record:
    payload, stdout, stderr = bodies
    family = [texts.record(one) for one in (record, *record.derived)]
    if not texts.ended:
        family = [replace(one, event=texts.event(one.event)) for one in family]
    return replace(
        family[0],
        payload=payload,
        answer=replace(record.answer, stdout=stdout, stderr=stderr),
        runs=(*family[0].runs, replace(run, kind=family[0].event.kind)),
        derived=tuple(family[1:]),
        covered=True,
    )


def _bodies(record: Record) -> tuple[bytes, bytes, bytes]:
    return record.payload, record.answer.stdout, record.answer.stderr


def _family(record: Record) -> tuple[Record, ...]:
    return record, *record.derived


def _texts(record: Record) -> Iterator[str]:
    """Yield the texts of a record that are written down, in the order ``_Texts`` takes them."""
    yield record.decision.reason
    yield record.decision.context
    yield from _said(record.runs)


def _said(runs: Sequence[HookRun]) -> Iterator[str]:
    for run in runs:
        yield run.kind  # An event that we do not know is called as its host likes.
        yield run.reason
        yield from run.lines


def _beside(event: Event) -> Iterator[str]:
    """Yield what the columns say of an event that the client has told, and no payload."""
    yield event.kind
    yield event.identity.cwd
    yield event.identity.repository or ""


def _named(event: Event) -> Iterator[str]:
    """Yield what the columns say of an event, in the order ``_Texts`` takes them."""
    yield from (getattr(event.identity, name) or "" for name in _IDENTITY)
    yield event.tool
    yield event.kind
    yield from event.paths[:1]
    yield from event.problems
    yield from event.unknown


class _Texts:
    """Covered texts, put back in the order in which they were taken out."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._left = list(reversed(texts))

    @property
    def ended(self) -> bool:
        """Whether all are back in their places."""
        return not self._left

    def record(self, record: Record) -> Record:
        reason, context = self._next(), self._next()
        decision = replace(record.decision, reason=reason, context=context)
        return replace(record, decision=decision, runs=tuple(self.runs(record.runs)))

    def runs(self, runs: Sequence[HookRun]) -> list[HookRun]:
        return [
            replace(
                run,
                kind=self._next(),
                reason=self._next(),
                lines=tuple(self._next() for _ in run.lines),
            )
            for run in runs
        ]

    def event(self, event: Event) -> Event:
        """Return an event of which only what the columns say of it may be read."""
        identity = {name: self._next() or None for name in _IDENTITY}
        given: dict[str, Any] = {
            "identity": replace(
                event.identity, **{key: text for key, text in identity.items() if text}
            )
        }
        tool, kind = self._next(), self._next()
        paths = tuple(self._next() for _ in event.paths[:1])
        given["problems"] = tuple(self._next() for _ in event.problems)
        given["unknown"] = tuple(self._next() for _ in event.unknown)
        if isinstance(event, PreEdit):
            given["files"] = paths
        if isinstance(event, ToolEvent):
            given["tool_name"] = tool
            given["tool_input"] = {"file_path": paths[0]} if paths else {}
        elif isinstance(event, UnknownEvent):
            given["name"] = kind
        elif paths:
            given["file_path"] = paths[0]
        return replace(event, **given)

    def _next(self) -> str:
        return self._left.pop()
