"""What is known of servers, for whoever asks at once: the breakers, fed by calls and by probes."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pointsman.mcp_health import breaker as breakers
from pointsman.mcp_health.book import Book, Entry
from pointsman.mcp_health.judging import Says, judge
from pointsman.model.event import Event
from pointsman.model.events import PostToolBatch, PostToolUse, PostToolUseFailure
from pointsman.model.server_health import (
    ANSWERS,
    FAILING,
    Breaker,
    Health,
    Phase,
    Refusal,
    Verdict,
    key_of,
    server_of,
)

_MOST_CALLS = 64
_NO_TOOL = "No such tool"

Settings = Callable[[str | None], Mapping[str, Any]]
"""Returns what is set for a repository (``config/mcp_settings.py``)."""


class Board:
    """The breakers; nothing here waits, and what it keeps is bounded by the book.

    ``changed`` is told of each breaker that has moved, and of each verdict that is another one.
    """

    def __init__(
        self,
        book: Book,
        settings: Settings,
        clock: Callable[[], int] = time.time_ns,
        cover: Callable[[str], str] = str,
    ) -> None:
        self.book = book
        self.changed: Callable[[Entry], None] = lambda _entry: None
        self.wanted: dict[str, None] = {}
        """Keys of servers that a probe is to tell about."""
        self._settings, self._clock, self._cover = settings, clock, cover

    def watched(self, event: Event) -> bool:
        """Return whether the breaker of the called server is anything but closed."""
        entry = self._called(event)
        return entry is not None and entry.breaker.phase is not Phase.CLOSED

    def refusal(self, event: Event) -> Refusal | None:
        """Return why a call is held up; one that is let through as a trial is noted."""
        entry = self._called(event)
        if entry is None or not self.is_on(event.identity.repository, entry.name):
            return None
        now = self._clock()
        if not breakers.is_shut(entry.breaker, now):
            self._put(replace(entry, breaker=breakers.tried(entry.breaker, now)))
            return None
        wait = (entry.breaker.retry_ns - now) / 1e9 if entry.breaker.phase is Phase.OPEN else 0.0
        return Refusal(entry.name, entry.breaker.reason, max(0.0, wait), may_be_probed(entry))

    def down(self, name: str, event: Event) -> str:
        """Return why a server is not to be relied upon, empty where nothing speaks against it."""
        entry = self._named(name, event)
        if entry is None:
            return ""
        if entry.breaker.phase is Phase.OPEN:
            return entry.breaker.reason or "its calls fail"
        health = entry.health
        return health.detail if health is not None and health.verdict in FAILING else ""

    def saw(self, event: Event) -> None:
        """Take in what has become of calls."""
        for tool, error in _outcomes(event):
            name = server_of(tool)
            if name and self.is_on(event.identity.repository, name):
                self._came(event, name, error)

    def _came(self, event: Event, name: str, error: str | None) -> None:
        known = self._named(name, event)
        says = Says.ANSWER if error is None else judge(error)
        if says is Says.ANSWER:
            if known is not None and known.breaker != Breaker():
                self._put(replace(known, breaker=breakers.call_answered(known.breaker)))
            return
        who = event.identity
        entry = known or Entry(name=name, host=who.host, root=who.repository or who.cwd)
        if says is Says.OUTAGE:
            terms = breakers.terms_of(self._settings(who.repository))
            reason = self._cover(" ".join((error or "").split())[:200])
            now = breakers.call_failed(entry.breaker, reason, self._clock(), terms)
            self._put(replace(entry, breaker=now))
            return
        # A trial that ends so has told nothing: the next call is one again.
        self._put(replace(entry, breaker=replace(entry.breaker, trial_ns=0)))
        self.wanted[entry.key] = None

    def take(self, entry: Entry, health: Health) -> Entry:
        """Take in what a probe has found of a server; return what is kept of it now."""
        now = self.book.entries.get(entry.key)
        if now is not None and now.declared in {"", entry.declared}:
            # Calls may have been counted while the probe was under way.
            entry = replace(entry, breaker=now.breaker, baseline=now.baseline, health=now.health)
        # A child's last words, or a server's, may be anything.
        health = replace(health, detail=self._cover(health.detail))
        entry = self.book.took(entry, health)
        if self.is_on(entry.root or None, entry.name):
            entry = replace(entry, breaker=self._by_probe(entry, health))
        self._put(entry)
        return entry

    def _by_probe(self, entry: Entry, health: Health) -> Breaker:
        if health.verdict in ANSWERS:
            return breakers.probe_passed(entry.breaker)
        if health.verdict not in {Verdict.DOWN, Verdict.WEDGED}:
            return entry.breaker
        terms = breakers.terms_of(self._settings(entry.root or None))
        # A child of ours has our environment, and a slow answer may be a busy machine's.
        sure = health.verdict is Verdict.DOWN and entry.transport != "stdio"
        return breakers.probe_failed(entry.breaker, health.detail, self._clock(), terms, sure=sure)

    def waited(self, entry: Entry) -> None:
        """Let the next call of a server try: its time is over, and no probe can tell."""
        self._put(replace(entry, breaker=breakers.half_opened(entry.breaker)))

    def due(self) -> list[Entry]:
        """Return the servers that are to be tried again now."""
        now = self._clock()
        return [each for each in self.book.entries.values() if breakers.due(each.breaker, now)]

    def is_on(self, repository: str | None, name: str) -> bool:
        """Whether a server is looked after: by default, and nobody has said otherwise."""
        settings = self._settings(repository)
        return settings.get("enabled", True) and name not in settings.get("skip", ())

    def _put(self, entry: Entry) -> None:
        before = self.book.entries.get(entry.key)
        self.book.put(entry)
        if _told(before) != _told(entry):
            self.changed(entry)

    def _called(self, event: Event) -> Entry | None:
        name = server_of(event.tool)
        return self._named(name, event) if name else None

    def _named(self, name: str, event: Event) -> Entry | None:
        who = event.identity
        for root in dict.fromkeys((who.cwd, who.repository or "", "")):
            entry = self.book.entries.get(key_of(who.host, root, name))
            if entry is not None:
                return entry
        return None


def may_be_probed(entry: Entry) -> bool:
    """Whether a probe can tell of a server: it was found declared, and one has told before."""
    health = entry.health
    return bool(entry.declared) and (
        health is None or health.verdict not in {Verdict.UNKNOWN, Verdict.UNPROBED}
    )


def _told(entry: Entry | None) -> tuple[object, ...]:
    """Return what of an entry is news when it changes."""
    if entry is None:
        return (Phase.CLOSED, None, ())
    health = entry.health
    shown = (health.verdict, health.drift) if health else (None, ())
    return (entry.breaker.phase, *shown)


def _outcomes(event: Event) -> Iterator[tuple[str, str | None]]:
    """Yield each call that has come to its end, with its error or ``None``."""
    if isinstance(event, PostToolUseFailure):
        if not event.is_interrupt:
            yield event.tool_name, event.error
    elif isinstance(event, PostToolUse):
        yield event.tool_name, None
    elif isinstance(event, PostToolBatch):
        for call in event.tool_calls[:_MOST_CALLS]:
            told, name = call.get("tool_response"), call.get("tool_name")
            # Of a tool that is gone with its server no other event tells; a probe finds out.
            if isinstance(told, str) and isinstance(name, str) and _NO_TOOL in told[:200]:
                yield name, "not connected, perhaps: " + told[:200]
