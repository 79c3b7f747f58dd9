"""How long a session waits at its start: five domains with a sheet, in a repository of 2,000 files.

Measured through the daemon, over its socket, as the client sees it.
"""

import json
import time

from bench.figures import BenchError, Figure, median, percentile, rounded
from bench.rig import Effort, Rig, rig
from pointsman.model.budget import DEFAULT_BUDGETS

DOMAINS = ("api", "billing", "database", "frontend", "testing")
_LINES = 600
_FILES = 2000
_GOAL_MS = 1000.0


def session_start(effort: Effort) -> list[Figure]:
    """Measure the answer to SessionStart, and check that all five domains are in it."""
    with rig() as made:
        fill(made)
        with made.daemon():
            taken = [_once(made, number) for number in range(effort.of(40, 5))]
    p50, p95 = median(taken), percentile(taken, 0.95)
    return [
        Figure(
            name="session start, five domains, p95",
            what="the answer to SessionStart with five sheets of 600 lines",
            unit="ms",
            value=p95,
            goal=_GOAL_MS,
            detail={
                "p50_ms": rounded(p50),
                "first_ms": rounded(taken[0]),
                "budget_ms": DEFAULT_BUDGETS["SessionStart"] * 1e3,
                "files": _FILES,
            },
        )
    ]


def fill(made: Rig) -> None:
    """Write five domains with a sheet of 600 lines each, among 2,000 files."""
    for number in range(_FILES):
        path = made.repository / f"src/part{number % 40}/module{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n", encoding="utf-8")
    issues = "".join(f"- issue: number {each} is slow\n  status: open\n" for each in range(_LINES))
    text = f"overview:\n  description: D\nknown_issues:\n{issues[: 40 * _LINES]}"
    for name in DOMAINS:
        sheet = made.repository / f".claude/agents/experts/{name}/expertise.yaml"
        sheet.parent.mkdir(parents=True)
        sheet.write_text(text.rpartition("\n")[0] + "\n", encoding="utf-8")


def _once(made: Rig, number: int) -> float:
    payload = json.dumps(
        {
            "hook_event_name": "SessionStart", "session_id": f"s{number}", "source": "startup",
            "cwd": str(made.repository),
        }
    ).encode()  # fmt: skip
    frame = made.frame(payload)
    started = time.perf_counter()
    answer = made.ask(frame)
    took = (time.perf_counter() - started) * 1e3
    check(answer.stdout)
    return took


def check(told: bytes) -> None:
    """Raise BenchError where a domain is missing in what a session is told."""
    missing = [name for name in DOMAINS if f"## {name}" not in told.decode()]
    if missing:
        raise BenchError(f"the answer says nothing of {', '.join(missing)}")
