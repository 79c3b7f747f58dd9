"""Entries of the ledger as JSON objects, one a line: for files, log shippers and webhooks."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pointsman.model.telemetry import Entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events go out; an empty list means any. ``notes``: the daemon's own words as well."""

    events: Collection[str] = ()
    decisions: Collection[str] = ()
    payloads: bool = False

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return not self.events and not self.decisions

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Whether an event is among them."""
        return (not self.events or event["event"] in self.events) and (
            not self.decisions or event["decision"] in self.decisions
        )


def objects_of(entries: Iterable[Entry], wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield entries that are wanted; notes where nothing is left out."""
    for entry in entries:
        if entry.note:
            if wanted.all:
                yield {"n": entry.n, "kind": "note", "time": _iso(entry.note["ns"]),
                       "note": entry.note["kind"], "text": entry.note["text"]}  # fmt: skip
        elif wanted.takes(entry.event):
            yield _event(entry, wanted)


def line_of(value: Mapping[str, Any]) -> bytes:
    """Return an object as one line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _event(entry: Entry, wanted: Wanted) -> dict[str, Any]:
    event, runs = entry.event, [_run(run) for run in entry.runs]
    head = {"n": entry.n, "kind": "event", "seq": event["seq"], "time": _iso(event["received_ns"])}
    if entry.late:
        return head | {"kind": "runs", "session": event["session"], "hook_runs": runs}
    kept = {key: value for key, value in event.items() if value not in (None, "")}
    for name in ("seq", "received_ns", "duration_ns"):
        kept.pop(name, None)
    body = {"payload": _json(entry.payload)} if wanted.payloads and entry.payload else {}
    return {**head, **kept, "ms": round(event["duration_ns"] / 1e6, 3), "hook_runs": runs, **body}


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("hook", "role", "event", "outcome", "decision", "rule", "reason", "budget_ms")
    return {
        **{key: run[key] for key in kept if run[key] not in (None, "")},
        "ms": round(run["duration_ns"] / 1e6, 3),
    }


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "backslashreplace")


def _iso(ns: int) -> str:
    seconds, rest = divmod(ns, 10**9)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds")
