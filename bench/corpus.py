"""Score command safety on labelled commands: ``python bench/corpus.py FILE [--wrong]``.

The file has JSON lines with ``command``, ``expected`` (``block`` or ``allow``) and ``family``.
"""

import collections
import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from pointsman.hooks.command_safety import judge

Counts = Mapping[str, "collections.Counter[str]"]


def main() -> None:
    """Print recall and false-positive rate by family, and how long a decision took."""
    with Path(sys.argv[1]).open(encoding="utf-8") as lines:
        counts, spent = score(map(json.loads, lines), show_wrong="--wrong" in sys.argv)
    for family, count in sorted(counts.items()):
        recall, wrong = rates(count)
        print(f"{family:16} recall {recall:.3f} fpr {wrong:.3f} {dict(count)}")
    middle, late = sorted(spent)[len(spent) // 2], sorted(spent)[len(spent) * 99 // 100]
    print(f"p50 {middle * 1e6:.0f} us, p99 {late * 1e6:.0f} us")


def score(
    rows: Iterable[Mapping[str, str]], *, show_wrong: bool = False
) -> tuple[Counts, list[float]]:
    """Judge every command; return outcomes by family and the seconds of each decision."""
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    spent = []
    for row in rows:
        started = time.perf_counter()
        decision = judge(row["command"], "/home/dev/proj", "/home/dev", {})
        spent.append(time.perf_counter() - started)
        action = decision.action.value if decision and decision.action else "none"
        for family in ("all", row.get("family", "?")):
            counts[family][f"{row['expected']} {action}"] += 1
        if show_wrong and (row["expected"] == "block") == (action == "none"):
            command = row["command"][:150].replace("\n", "⏎")
            print(row["expected"], action, row.get("family"), command)
    return counts, spent


def rates(count: Mapping[str, int]) -> tuple[float, float]:
    """Return recall and false-positive rate; 1 and 0 where there was nothing to find."""
    blocks = sum(number for key, number in count.items() if key.startswith("block"))
    allows = sum(number for key, number in count.items() if key.startswith("allow"))
    recall = 1 - count.get("block none", 0) / blocks if blocks else 1.0
    wrong = count.get("allow deny", 0) + count.get("allow ask", 0)
    return recall, wrong / allows if allows else 0.0


if __name__ == "__main__":
    main()
