"""When a server's calls are held up, and how they come to pass again: states, no clock of its own.

closed → open after so many failures in a row; open → half-open when a probe or the time says
that it may be back; half-open → closed or open again by the one call that is let through.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pointsman.model.backoff import delay
from pointsman.model.server_health import Breaker, Phase

CALLS, PROBE = "calls", "probe"
_TRIAL_NS = 120 * 10**9
"""After so long a call that was let through, and of which no word has come, counts for nothing."""
_S = 10**9

Draw = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What opens a breaker, and for how long: seconds, jittered (``model/backoff.py``)."""

    failures: int = 3
    first: float = 5.0
    most: float = 300.0


def terms_of(settings: Mapping[str, Any]) -> Terms:
    """Return what the settings say (``config/mcp_settings.py``)."""
    return Terms(
        failures=settings.get("failures", 3),
        first=settings.get("retry_first", 5.0),
        most=settings.get("retry_most", 300.0),
    )


def call_failed(
    now: Breaker, reason: str, at_ns: int, terms: Terms, draw: Draw = random.random
) -> Breaker:
    """Take in a call that nobody has answered."""
    counted = replace(now, failures=now.failures + 1, reason=reason)
    if now.phase is Phase.CLOSED and counted.failures < terms.failures:
        return counted
    return _opened(counted, CALLS, at_ns, terms, draw)


def call_answered(now: Breaker) -> Breaker:
    """Take in a call that was answered, by success or by an error of the tool's own."""
    return now if now == Breaker() else Breaker()


def probe_failed(
    now: Breaker,
    reason: str,
    at_ns: int,
    terms: Terms,
    *,
    sure: bool = True,
    draw: Draw = random.random,
) -> Breaker:
    """Take in a probe that found the server down.

    ``sure`` says that it is down for the host, too: nobody listens. Without it (a child that the
    probe started in an environment of its own; an answer that took too long) a breaker that is
    closed lets one call try.
    """
    counted = replace(now, failures=now.failures + 1, reason=reason)
    if sure or now.phase is Phase.OPEN:
        return _opened(counted, now.by or PROBE, at_ns, terms, draw)
    if now.phase is Phase.HALF_OPEN:
        return now
    return replace(counted, phase=Phase.HALF_OPEN, by=PROBE, trial_ns=0)


def probe_passed(now: Breaker) -> Breaker:
    """Take in a probe that found the server well.

    What failing calls have opened is half-open by that: the host's own connection may be lost for
    good though a new one would do, and one call says so. What a probe has opened, a probe closes.
    """
    if now.by == CALLS and now.phase is not Phase.CLOSED:
        return replace(now, phase=Phase.HALF_OPEN)
    # Calls that fail while probes pass are counted by themselves.
    return now if now.phase is Phase.CLOSED else Breaker()


def due(now: Breaker, at_ns: int) -> bool:
    """Whether an open breaker has waited long enough."""
    return now.phase is Phase.OPEN and at_ns >= now.retry_ns


def half_opened(now: Breaker) -> Breaker:
    """Let the next call try: the time is over, and no probe can tell."""
    return replace(now, phase=Phase.HALF_OPEN, trial_ns=0)


def is_shut(now: Breaker, at_ns: int) -> bool:
    """Whether a call is held up at this moment."""
    if now.phase is Phase.OPEN:
        return True
    trying = now.trial_ns > 0 and at_ns - now.trial_ns < _TRIAL_NS
    return now.phase is Phase.HALF_OPEN and trying


def tried(now: Breaker, at_ns: int) -> Breaker:
    """Note that a call is let through; where it is a trial, the next ones wait for its end."""
    return replace(now, trial_ns=at_ns) if now.phase is Phase.HALF_OPEN else now


def _opened(now: Breaker, by: str, at_ns: int, terms: Terms, draw: Draw) -> Breaker:
    trips = now.trips + 1
    # A call that was under way when it opened, and fails after that, does not prolong it.
    if now.phase is Phase.OPEN and at_ns < now.retry_ns:
        return now
    wait = delay(trips, terms.first, terms.most, draw)
    return replace(
        now, phase=Phase.OPEN, trips=trips, by=by, opened_ns=now.opened_ns or at_ns,
        retry_ns=at_ns + int(wait * _S), trial_ns=0,
    )  # fmt: skip
