"""The detectors there are and their thresholds: what the settings say of them, and the defaults.

Which way is stricter stands with each threshold: a repository may only go that way. The formulas
and their sources are in docs/watching.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

REPEAT_AFTER = 300.0
"""Seconds before the same is found again, where it has not become worse."""
UNGUARDED = "unguarded"
"""The one that looks at the host's transcripts, and not at what happens."""
LOWER, HIGHER = "lower", "higher"
"""Which value finds more: a smaller or a greater one."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of a detector: its default, its bounds, and which way it is stricter."""

    default: float
    doc: str
    low: float
    high: float
    stricter: str = LOWER
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Watched:
    """One detector, as the settings know it."""

    doc: str
    thresholds: Mapping[str, Threshold]


_MOST = 100_000
_DAY = 24 * 60


def _warn(default: float, doc: str) -> Threshold:
    return Threshold(default, doc, 2, _MOST)


DETECTORS: Mapping[str, Watched] = {
    "repetition": Watched(
        "The same call, with nothing changed in between.",
        {
            "warn": _warn(5, "So many identical calls are a warning."),
            "critical": _warn(10, "So many are critical."),
        },
    ),
    "cycle": Watched(
        "The same one to four calls round and round, with nothing new in them.",
        {
            "warn": _warn(3, "So many rounds are a warning."),
            "critical": _warn(6, "So many are critical."),
        },
    ),
    "same-error": Watched(
        "The same error again and again.",
        {
            "warn": _warn(5, "So many within the window are a warning."),
            "critical": _warn(10, "So many are critical."),
            "window": Threshold(40, "The window, in calls.", 2, _MOST, HIGHER),
        },
    ),
    "no-progress": Watched(
        "Calls without a content or a test result that is new.",
        {
            "warn": _warn(60, "So many calls are a warning."),
            "critical": _warn(120, "So many are critical."),
        },
    ),
    "churn": Watched(
        "A file goes back to a content that it had before, over and over.",
        {
            "warn": _warn(3, "So often is a warning."),
            "critical": _warn(6, "So often is critical."),
        },
    ),
    "fan-out": Watched(
        "More subagents of a session at work, or begun, than is usual.",
        {
            "running": Threshold(16, "So many at work at the same time.", 1, _MOST),
            "begun": Threshold(40, "So many begun within the window.", 1, _MOST),
            "window": Threshold(10, "The window, in minutes.", 1, _DAY, HIGHER),
        },
    ),
    "depth": Watched(
        "Subagents that start subagents.",
        {
            "warn": Threshold(3, "So deep is a warning (1: started by the main thread).", 1, 100),
            "critical": Threshold(5, "So deep is critical.", 1, 100),
        },
    ),
    "burn-rate": Watched(
        "Tokens or money go far faster than this session, or agents of this type, used to.",
        {
            "z": Threshold(3.5, "The modified z-score that is a warning.", 1, 1000, whole=False),
            "critical": Threshold(7, "The one that is critical.", 1, 1000, whole=False),
            "ratio": Threshold(
                4, "Besides, so many times the median.", 1, 1000, whole=False
            ),
            "history": Threshold(10, "Minutes of use that have to be known before.", 3, 30),
            "tokens": Threshold(
                100_000, "Fewer tokens in a minute are never found.", 1, 10**9
            ),
            "usd": Threshold(
                0.5, "Less money in a minute is never found.", 0.0001, 10**6, whole=False
            ),
        },
    ),
    "drift": Watched(
        "New tokens per message creep up and stay up.",
        {
            "slack": Threshold(
                1, "What is taken off each deviation, in deviations.", 0.1, 10, whole=False
            ),
            "decision": Threshold(
                10, "The sum of deviations that is a warning.", 1, 1000, whole=False
            ),
            "block": Threshold(3, "Messages whose mean is one value.", 1, 1000, HIGHER),
            "baseline": Threshold(10, "Values that are the baseline.", 5, 60),
        },
    ),
    "denials": Watched(
        "A burst of denied calls.",
        {
            "warn": _warn(5, "So many within the window are a warning."),
            "critical": _warn(10, "So many are critical."),
            "window": Threshold(60, "The window, in seconds.", 1, 86_400, HIGHER),
        },
    ),
    "stalled": Watched(
        "An agent in the middle of its work of which nothing is heard.",
        {
            "silent": Threshold(15, "Minutes without an event.", 1, _DAY),
            "call": Threshold(60, "Minutes that one call has been running.", 1, _DAY),
        },
    ),
    "zombie": Watched(
        "An agent that goes on after its session has ended, or was never seen to end.",
        {
            "grace": Threshold(15, "Seconds after the end in which late events pass.", 1, 3600),
            "silent": Threshold(
                30, "Minutes without an event after whoever started it has ended.", 1, _DAY
            ),
        },
    ),
    "context": Watched(
        "The context is filling up.",
        {
            "warn": Threshold(75, "Percent of the window that are a warning.", 1, 100),
            "critical": Threshold(80, "Percent from which to hand off to a fresh session.", 1, 100),
            "window": Threshold(
                200_000,
                "The window in tokens, of a model that shows no larger one.",
                1000,
                10**8,
            ),
        },
    ),
    "compactions": Watched(
        "The context is compacted over and over.",
        {
            "warn": _warn(3, "So many within the window are a warning."),
            "critical": _warn(5, "So many are critical."),
            "window": Threshold(60, "The window, in minutes.", 1, _DAY, HIGHER),
        },
    ),
    "hook-failures": Watched(
        "A hook crashes or runs out of time again and again.",
        {
            "warn": _warn(3, "So many of its last twenty runs are a warning."),
            "critical": _warn(6, "So many are critical."),
        },
    ),
    "hook-budget": Watched(
        "A hook needs nearly all the time it has, or more.",
        {
            "warn": _warn(4, "So many of its last twenty runs are a warning."),
            "percent": Threshold(80, "Percent of its budget that are nearly all.", 1, 100),
        },
    ),
    "limit-reached": Watched(
        "A limit of tokens, money, calls or minutes is reached.",
        {},
    ),
    "mcp-down": Watched(
        "Calls of an MCP server fail one after the other.",
        {
            "warn": _warn(3, "So many in a row that say the server is gone are a warning."),
            "critical": _warn(6, "So many in a row with any error are critical."),
        },
    ),
    UNGUARDED: Watched(
        "Calls that ran and that no hook record answers for.",
        {},
    ),
}  # fmt: skip
"""Every detector by its name."""


def thresholds(name: str, settings: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers in force for a detector: its defaults with what the settings say."""
    found = {key: each.default for key, each in DETECTORS[name].thresholds.items()}
    found.update((key, value) for key, value in settings.items()
                 if key in found and isinstance(value, int | float))  # fmt: skip
    return found


LARGE_WINDOW = 1_000_000
_LARGE_MARK = "[1m]"
"""What the name of a model with the larger window ends with."""


@dataclass(frozen=True, slots=True)
class ContextLimits:
    """What the settings say of a context: its window in tokens, and percent of it."""

    window: float
    alert: float
    handoff: float


def context_limits(settings: Mapping[str, object]) -> ContextLimits:
    """Return what holds of a context, of the table ``[watch]`` in force."""
    table = settings.get("context")
    found = thresholds("context", table if isinstance(table, Mapping) else {})
    return ContextLimits(found["window"], found["warn"], found["critical"])


def window_of(size: int, model: str, window: float) -> float:
    """Return a model's window: the setting, or the larger one where name or size say so."""
    if size > window or model.endswith(_LARGE_MARK):
        return max(window, LARGE_WINDOW)
    return window
