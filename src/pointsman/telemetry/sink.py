"""What a sink is: a place outside, told in the settings, that takes entries of the ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.model.telemetry import Entry, Family
from pointsman.telemetry.lines import Wanted
from pointsman.telemetry.otlp import Resource
from pointsman.telemetry.post import fault_of_url

TRACES, METRICS, LOGS, EVENTS = "traces", "metrics", "logs", "events"
CHATS = "chats"
"""Messages of models, which are traces too, and followed for themselves."""
DEFAULT_TIMEOUT = 10.0
MOST_BODY = 4 * 1024 * 1024
"""Bytes of a request before it is compressed; what is larger is sent in halves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sink:
    """One sink as the settings have it, and what every one of its requests says of us."""

    name: str
    kind: str
    to: str
    signals: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: str = field(default="", repr=False)
    wanted: Wanted = field(default_factory=Wanted)
    timeout: float = DEFAULT_TIMEOUT
    most_bytes: int = 100 * 1024 * 1024
    keep: int = 5
    resource: Resource = field(default_factory=dict)
    version: str = ""


class Reject(Exception):
    """A part of what was sent is not taken by the other end, for good; ``count`` events."""

    def __init__(self, text: str, count: int) -> None:
        super().__init__(text)
        self.count = count


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of the ledger now, counted since a time; both in ns since the epoch."""

    families: Sequence[Family]
    since_ns: int
    now_ns: int


Deliver = Callable[[Sink, str, Sequence[Entry]], None]
"""Takes a sink, one of its signals and entries; returns when they are there.

Raises ``post.NotDelivered`` (to be tried again), ``post.Rejected`` (never as it is), ``OSError``,
``Reject`` (the rest has arrived).
"""


def sink_of(
    given: Mapping[str, Any], signals: Sequence[str], resource: Resource, version: str
) -> Sink:
    """Return a sink from its settings, with the secrets that lie in files of their own.

    Raises:
        OSError, ValueError: the file of a secret cannot be read, or it is no place of this kind.
    """
    fault = _misplaced(given["to"]) if given["kind"] == "file" else fault_of_url(given["to"])
    if fault:
        raise ValueError(f"to = {given['to']!r}: {fault}")
    secret = ""
    if "secret_file" in given:
        secret = Path(given["secret_file"]).read_text(encoding="utf-8").strip()
    return Sink(
        name=given["name"],
        kind=given["kind"],
        to=given["to"],
        signals=tuple(each for each in given.get("signals", signals) if each in signals),
        headers={key.lower(): _said(value) for key, value in given.get("headers", {}).items()},
        secret=secret,
        wanted=Wanted(
            tuple(given.get("events", ())),
            tuple(given.get("decisions", ())),
            bool(given.get("payloads", False)),
        ),
        timeout=float(given.get("timeout", DEFAULT_TIMEOUT)),
        most_bytes=int(given.get("max_mb", 100)) * 1024 * 1024,
        keep=int(given.get("keep", 5)),
        resource=resource,
        version=version,
    )


def _misplaced(path: str) -> str:
    return "" if path.startswith("/") else "it is no absolute path"


def _said(value: str) -> str:
    """Return the value of a header, which may lie in a file: ``file:/path``."""
    if not value.startswith("file:"):
        return value
    return Path(value.removeprefix("file:")).read_text(encoding="utf-8").strip()
