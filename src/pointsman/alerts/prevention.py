"""Settings and lines of contracts that would have stopped what an alert is about."""

from collections.abc import Callable, Mapping
from typing import Any

SETTINGS, CONTRACT, COMMAND = "config.toml", "the agent's contract", "a terminal"
_MOST_COUNT = 10_000
Step = dict[str, str]
_Alert = Mapping[str, Any]


def prevention(alert: _Alert) -> list[Step]:
    """Return what to write where, each with its reason: ``where``, ``text``, ``why``."""
    steps = _BY_DETECTOR.get(str(alert["detector"]), _watched)(alert)
    if alert["session"] and alert["detector"] not in _PASSIVE:
        steps.append(_ladder())
    return steps


def _ladder() -> Step:
    return _step(
        SETTINGS,
        '[[alerts.ladder]]\nafter = 5\nleast = "critical"\ndo = "stop-agent"',
        "an agent that nobody looks after is stopped by itself",
    )


def _watched(alert: _Alert) -> list[Step]:
    detector = alert["detector"]
    return [
        _step(
            SETTINGS,
            f"[watch.{detector}]\n# lower thresholds: docs/watching.md",
            f"{detector} is found earlier",
        )
    ]


def _loop(alert: _Alert) -> list[Step]:
    count = _count(alert, "count", "rounds", "calls")
    lower = max(2, count - 2)
    return [
        _step(
            SETTINGS,
            f"[watch.{alert['detector']}]\nwarn = {lower}\ncritical = {max(lower + 1, count)}",
            f"it was {count} when it was found: so it is found earlier",
        ),
        _step(
            SETTINGS,
            _limit(alert, "calls", 200, "ask"),
            "a run that leads nowhere asks before it goes on; take what a normal one needs",
        ),
    ]


def _spent(alert: _Alert) -> list[Step]:
    return [
        _step(SETTINGS, _limit(alert, "usd", 5, "deny"), "no run costs more than you have said"),
        _step(SETTINGS, _limit(alert, "tokens", 2_000_000, "end"), "the same in tokens"),
    ]


def _spawned(alert: _Alert) -> list[Step]:
    return [
        *_watched(alert),
        _step(
            CONTRACT,
            "tools: Read, Edit, Bash   # in its frontmatter: without Agent",
            "an agent that need start no others cannot",
        ),
    ]


def _limited(alert: _Alert) -> list[Step]:
    rule = alert["figures"].get("rule", "limit")
    per, _, of = str(rule).removeprefix("limit.").partition("-")
    return [
        _step(
            SETTINGS,
            f'[[limits]]\nper = "{per}"\nof = "{of}"\nat = 1   # 80 % of the limit\nthen = "warn"',
            f"{rule} did stop it: with a warning below it the agent brings its work to an end",
        )
    ]


def _outside(_alert: _Alert) -> list[Step]:
    return [
        _step(
            CONTRACT,
            'contextContract:\n  produces:\n    files: {scope: "src/**", exclude: ["tests/**"]}',
            "an edit outside of it is denied before it happens; the change was found afterwards",
        ),
        _step(
            SETTINGS,
            "[sandbox]\nenabled = true",
            "the kernel holds its commands to the contract, too (pointsman status says whether "
            "something here can)",
        ),
    ]


def _unguarded(_alert: _Alert) -> list[Step]:
    return [
        _step(COMMAND, "pointsman doctor", "shows whether the hooks hold, by a canary"),
        _step(COMMAND, "pointsman coverage --since 1d --check", "which other calls ran unguarded"),
        _step(SETTINGS, "[sandbox]\nenabled = true", "the second gate asks before a command runs"),
    ]


def _unchecked(_alert: _Alert) -> list[Step]:
    return [
        _step(SETTINGS, "[team]\nattempts = 5", "an agent gets more tries before its end passes"),
        _step(
            CONTRACT,
            "contextContract:\n  validation:\n    postComplete:\n"
            "      - {check: tests_pass, command: make test}",
            "its end is held until this passes; leave out what it cannot mend",
        ),
    ]


def _guard(_alert: _Alert) -> list[Step]:
    return [
        _step(COMMAND, "pointsman hooks", "its times against its budget; mend it or raise that"),
        _step(COMMAND, "pointsman explain --command 'ls'", "asks each hook, and shows its answer"),
    ]


def _question(_alert: _Alert) -> list[Step]:
    return [
        _step(
            SETTINGS,
            '[approvals]\nwait = 15\non_timeout = "deny"',
            "a question that nobody answers ends sooner",
        ),
        _step(
            SETTINGS,
            '[[alerts.sinks]]\nname = "phone"\nkind = "apprise"\nto_file = "/…"',
            "whoever is to answer hears of it at once",
        ),
    ]


def _own(_alert: _Alert) -> list[Step]:
    return [_step(COMMAND, "pointsman status", "says what is wrong, and the next step")]


def _limit(alert: _Alert, of: str, at: int, then: str) -> str:
    agent = alert.get("agent_type")
    who = f'\nagents = ["{agent}"]' if agent else ""
    return f'[[limits]]\nper = "session"\nof = "{of}"\nat = {at}\nthen = "{then}"{who}'


def _count(alert: _Alert, *names: str) -> int:
    for name in names:
        value = alert["figures"].get(name)
        if isinstance(value, int | float) and value >= 1:
            return int(min(value, _MOST_COUNT))
    return 5


def _step(where: str, text: str, why: str) -> Step:
    return {"where": where, "text": text, "why": why}


_PASSIVE = frozenset(
    {"unguarded-command", "unguarded", "guard-failed", "approval", "daemon", "mcp-down"}
)
"""Of these no agent is the cause: to stop it would mend nothing."""

_BY_DETECTOR: Mapping[str, Callable[[_Alert], list[Step]]] = {
    "repetition": _loop,
    "cycle": _loop,
    "same-error": _loop,
    "no-progress": _loop,
    "denials": _loop,
    "burn-rate": _spent,
    "drift": _spent,
    "context": _spent,
    "fan-out": _spawned,
    "depth": _spawned,
    "limit-reached": _limited,
    "outside-contract": _outside,
    "unverified-change": _outside,
    "unguarded-command": _unguarded,
    "unguarded": _unguarded,
    "validation-failed": _unchecked,
    "guard-failed": _guard,
    "hook-failures": _guard,
    "hook-budget": _guard,
    "approval": _question,
    "daemon": _own,
}
"""By who found it; every other detector gets the general word."""
