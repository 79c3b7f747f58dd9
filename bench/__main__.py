"""``make bench``: every measurement, one table, and the same as JSON."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import (
    analysis,
    browser,
    clients,
    collectors,
    context,
    decisions,
    gate,
    growth,
    holding,
    ledger_size,
    mcp_servers,
    memory,
    pages,
    round_trip,
    servers,
    session_start,
    snapshot,
    table,
    tamper,
    throughput,
    trail,
)
from bench.figures import BenchError, Figure
from bench.rig import Effort, describe_machine

MEASURES: dict[str, Callable[[Effort], list[Figure]]] = {
    "native": clients.native,
    "python": clients.twin,
    "decision": decisions.decisions,
    "throughput": throughput.throughput,
    "trail": trail.trail,
    "tamper": tamper.tamper,
    "roundtrip": round_trip.round_trip,
    "start": session_start.session_start,
    "ledger": ledger_size.ledger_size,
    "analysis": analysis.analysis,
    "holding": holding.holding,
    "gate": gate.gate,
    "growth": growth.growth,
    "snapshot": snapshot.snapshot,
    "pages": pages.pages,
    "collectors": collectors.collectors,
    "context": context.context,
    "servers": servers.servers,
    "mcp": mcp_servers.servers,
    "memory": memory.memory,
    "browser": browser.browser,
}
"""A new measurement is one function and one line here."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; the exit code is 1 where a measurement itself failed.

    A goal that is missed is said in the table and in the JSON, not by the exit code.
    """
    given = _options().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # Nothing is left behind then either.
    machine = dict(describe_machine())
    figures: list[Figure] = []
    failed = False
    for name in given.only or MEASURES:
        started = time.monotonic()
        print(f"{name} ...", file=sys.stderr, end=" ", flush=True)
        try:
            figures += MEASURES[name](Effort(quick=given.quick))
        except Exception as error:  # noqa: BLE001 - the others' figures are not lost with it
            failed = True
            said = str(error) if isinstance(error, BenchError) else repr(error)
            figures.append(Figure(name=name, what=name, unit="", reason=f"failed: {said}"))
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    print(table.render(figures))
    _write(given.json, {"machine": machine, "figures": [each.as_json() for each in figures]})
    return 1 if failed else 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="write the figures there; - is stdout")
    parser.add_argument(
        "--only", action="append", choices=tuple(MEASURES), help="only this one (repeatable)"
    )
    parser.add_argument("--quick", action="store_true", help="try it out; not for figures")
    return parser


def _write(to: str | None, report: dict[str, object]) -> None:
    if to is None:
        return
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    if to == "-":
        sys.stdout.write(text)
    else:
        Path(to).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
