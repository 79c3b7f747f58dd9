"""How long a decision takes in the daemon, by the daemon's own record."""

import itertools
import json
from collections.abc import Iterator

from bench.figures import BenchError, Figure, percentile, rounded
from bench.rig import Effort, Rig, rig

_SQL = "SELECT duration_ns, event FROM events WHERE transport = 'hook' ORDER BY seq"


def decisions(effort: Effort) -> list[Figure]:
    """Send the recorded session again and again, no command twice, and read the durations."""
    rounds = effort.of(30, 3)
    with rig() as made, made.daemon():
        sent = 0
        for payload in itertools.chain.from_iterable(_rounds(made, rounds + 1)):
            made.ask(made.frame(payload))
            sent += 1
        rows = made.recorded(_SQL)
        warm = len(made.payloads())
    if len(rows) != sent:
        raise BenchError(f"{sent} events were sent, {len(rows)} are on record")
    taken = [(nanoseconds / 1e3, event) for nanoseconds, event in rows[warm:]]
    return [
        *_both("decision", "every event of a recorded session", [each for each, _ in taken]),
        *_both(
            "decision, PreToolUse",
            "its calls that are about to happen",
            [each for each, event in taken if event == "PreToolUse"],
        ),
    ]


def _rounds(made: Rig, count: int) -> Iterator[list[bytes]]:
    """Yield the session so many times; what is remembered of a command is never of use again."""
    session = [json.loads(payload) for payload in made.payloads()]
    for number in range(count):
        yield [told_apart(event, number) for event in session]


def told_apart(event: dict[str, object], number: int) -> bytes:
    """Return an event whose command, if it has one, is another one with each number."""
    given = event.get("tool_input")
    if isinstance(given, dict) and "command" in given:
        given = {**given, "command": f"{given['command']} # {number}"}
        event = {**event, "tool_input": given}
    return json.dumps(event).encode()


def _both(name: str, what: str, samples: list[float]) -> list[Figure]:
    return [
        Figure(
            name=f"{name}, p{share * 100:.0f}",
            what=f"time in the daemon from the payload to the decision: {what}",
            unit="µs",
            value=rounded(percentile(samples, share)),
            detail={"events": len(samples)},
        )
        for share in (0.5, 0.99)
    ]
