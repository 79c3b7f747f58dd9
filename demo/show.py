"""Decisions as they fall, and a summary at the end."""

import collections
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.store import query

_COLOURS = {"deny": "31", "ask": "33", "modify": "36", "context": "36", "pass": "32"}
_FAILED = frozenset({"timed out", "degraded", "crashed"})
_ALWAYS = frozenset({"PreToolUse", "SubagentStart", "ErrorEscalation", "ConfigChange"})


class Show:
    """Reads the ledger of a session that runs, and prints what it finds."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._last = 0
        self._events = 0
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
        rows = self._rows()
        derived = {row["derived_from"]: row["hook_runs"] for row in rows}
        for row in rows:
            self._last = row["seq"]
            self._take(row, row["hook_runs"] + derived.get(row["seq"], []))

    def summary(self) -> None:
        """Print what became of the session."""
        print(f"\n{self._events} events on record; {len(self._times)} tool calls decided:")
        _print_counts(self._counts)
        print("stopped or asked, by rule:")
        _print_counts(self._rules)
        print("hook runs, by outcome:")
        _print_counts(self._outcomes)
        times = sorted(self._times)
        if times:
            print(
                f"time to decide: half under {times[len(times) // 2]:.2f} ms, the slowest "
                f"{times[-1]:.0f} ms"
            )

    def _rows(self) -> list[dict[str, Any]]:
        try:
            return list(query.export(self._ledger, query.Filter(after=self._last)))
        except (LedgerError, sqlite3.Error):
            return []  # The daemon is only just making it.

    def _take(self, row: dict[str, Any], runs: list[dict[str, Any]]) -> None:
        """Count an event and print it with the hooks asked about it and about its edit."""
        self._events += 1
        self._outcomes.update(run["outcome"] for run in row["hook_runs"])
        if row["event"] == "PreToolUse":
            self._times.append(row["ms"])
            self._counts[_word(row)] += 1
            if row["rule"]:
                self._rules[row["rule"]] += 1
        if row["event"] in _ALWAYS or row["context"]:
            _print(row, runs)


def _print_counts(counts: collections.Counter[str]) -> None:
    for word, count in counts.most_common():
        print(f"  {count:>4} {word}")


def _word(row: dict[str, Any]) -> str:
    """Return what became of it, in a word."""
    if row["event"] == "ErrorEscalation":
        return "!"
    if row["decision"] != "none":
        return str(row["decision"])
    return "context" if row["context"] else "pass"


def _print(row: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    word = _word(row)
    colour = _COLOURS.get(word, "2")
    shown = f"\x1b[{colour}m{word:<7}\x1b[0m" if sys.stdout.isatty() else f"{word:<7}"
    print(f"{shown} {row['ms']:>8.2f} ms  {row['agent']:<11} {_what(row):<58} {_hooks(row, runs)}")
    if row["decision"] in {"deny", "ask"} and row["event"] == "PreToolUse":
        print(f"{'':<21}{row['rule']}: {row['reason'].splitlines()[0][:150]}")


def _hooks(row: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    """Return the hook that decided, or those that were asked, with what went wrong in them."""
    if row["decision"] != "none":
        return str(row["hook"])
    said = {run["hook"]: run["outcome"] for run in runs}
    return ", ".join(
        f"{hook} ({outcome})" if outcome in _FAILED else hook for hook, outcome in said.items()
    )


def _what(row: dict[str, Any]) -> str:
    if row["event"] == "ErrorEscalation":
        return f"{row['event']}: {row['reason']}"[:58]
    if row["event"] != "PreToolUse":
        return f"{row['event']} {row['agent_type'] or ''}".strip()[:58]
    given = json.loads(row["payload"] or "{}").get("tool_input", {})
    detail = given.get("command") or given.get("file_path") or given.get("description") or ""
    short = str(detail).rsplit("/sample/", 1)[-1].replace("\n", " ")
    return f"{row['tool']} {short}"[:58]
