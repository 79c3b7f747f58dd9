"""Decisions as they fall, and a summary at the end."""

import collections
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.store import query

_COLOURS = {"deny": "31", "ask": "33", "modify": "36", "none": "32", "allow": "32"}
_WORDS = {"none": "pass"}


class Show:
    """Reads the ledger of a session that runs, and prints what it finds."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._last = 0
        self._counts: collections.Counter[str] = collections.Counter()
        self._rules: collections.Counter[str] = collections.Counter()
        self._outcomes: collections.Counter[str] = collections.Counter()
        self._times: list[float] = []

    def follow(self, ended: Callable[[], bool]) -> None:
        """Print decisions until the session has ended and all of them are out."""
        while not ended():
            self.catch_up()
            time.sleep(0.05)
        time.sleep(0.5)
        self.catch_up()

    def catch_up(self) -> None:
        """Print what has come since the last time."""
        for row in self._rows():
            self._last = row["seq"]
            self._take(row)

    def summary(self) -> None:
        """Print what became of the session."""
        total = sum(self._counts.values())
        times = sorted(self._times)
        print()
        print(f"{total} events on record, {len(times)} tool calls decided:")
        for word, count in self._counts.most_common():
            print(f"  {count:>4} {_WORDS.get(word, word)}")
        print("stopped or asked, by rule:")
        for rule, count in self._rules.most_common():
            print(f"  {count:>4} {rule}")
        print("hook runs, by outcome:")
        for outcome, count in self._outcomes.most_common():
            print(f"  {count:>4} {outcome}")
        if times:
            middle, last = times[len(times) // 2], times[-1]
            print(
                f"decision time: half under {middle:.2f} ms, "
                f"the slowest {last:.0f} ms (a hook that hangs, ended by its budget)"
            )

    def _rows(self) -> list[dict[str, Any]]:
        try:
            rows = query.export(self._ledger, query.Filter(after=self._last))
            return list(rows)
        except (LedgerError, sqlite3.Error):
            return []  # The daemon is only just making it.

    def _take(self, row: dict[str, Any]) -> None:
        for run in row["hook_runs"]:
            self._outcomes[run["outcome"]] += 1
        if row["derived_from"] is None:
            self._counts[row["decision"]] += 1
        if row["event"] == "PreToolUse":
            self._times.append(row["ms"])
        if row["rule"]:
            self._rules[row["rule"]] += row["derived_from"] is None
        if row["event"] in _SHOWN:
            _print(row)


_SHOWN = frozenset({"PreToolUse", "SubagentStart", "ErrorEscalation", "ConfigChange"})


def _print(row: dict[str, Any]) -> None:
    said = row["decision"]
    word = _WORDS.get(said, said)
    colour = _COLOURS.get(said, "0")
    if row["event"] != "PreToolUse":
        word, colour = "·", "2"
    shown = f"\x1b[{colour}m{word:<6}\x1b[0m" if sys.stdout.isatty() else f"{word:<6}"
    hook = row["hook"] or ", ".join(
        f"{run['hook']} {run['outcome']}"
        for run in row["hook_runs"]
        if run["outcome"] in {"timed out", "degraded", "crashed"}
    )
    print(f"{shown} {row['ms']:>8.2f} ms  {row['agent']:<12} {_what(row):<64} {hook}")
    if said in {"deny", "ask"} and row["event"] == "PreToolUse":
        print(f"                      {row['rule']}: {row['reason'].splitlines()[0][:150]}")


def _what(row: dict[str, Any]) -> str:
    import json

    payload = json.loads(row["payload"] or "{}")
    given = payload.get("tool_input", {})
    detail = given.get("command") or given.get("file_path") or given.get("description") or ""
    if row["event"] != "PreToolUse":
        return f"{row['event']} {row['agent_type'] or ''}".strip()[:64]
    short = str(detail).rsplit("/sample/", 1)[-1].replace("\n", " ")
    return f"{row['tool']} {short}"[:64]
