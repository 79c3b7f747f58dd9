"""Score command safety on a file of labelled commands: JSON lines with command and expected."""

import collections
import json
import sys
import time

from pointsman.hooks.command_safety import judge


def main() -> None:
    """Print recall and false-positive rate, deny and ask apart, by family."""
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    spent = []
    with open(sys.argv[1], encoding="utf-8") as rows:  # noqa: PTH123
        for line in rows:
            row = json.loads(line)
            started = time.perf_counter()
            decision = judge(row["command"], "/home/dev/proj", "/home/dev", {})
            spent.append(time.perf_counter() - started)
            action = decision.action.value if decision and decision.action else "none"
            for family in ("all", row.get("family", "?")):
                counts[family][f"{row['expected']} {action}"] += 1
            if "--wrong" in sys.argv and (row["expected"] == "block") == (action == "none"):
                print(
                    row["expected"],
                    action,
                    row.get("family"),
                    row["command"][:150].replace("\n", "⏎"),
                )
    for family, count in sorted(counts.items()):
        blocks = sum(number for key, number in count.items() if key.startswith("block")) or 1
        allows = sum(number for key, number in count.items() if key.startswith("allow")) or 1
        recall = 1 - count["block none"] / blocks
        wrong = (count["allow deny"] + count["allow ask"]) / allows
        print(f"{family:16} recall {recall:.3f} fpr {wrong:.3f} {dict(count)}")
    spent.sort()
    middle, late = spent[len(spent) // 2], spent[len(spent) * 99 // 100]
    print(f"p50 {middle * 1e6:.0f} us, p99 {late * 1e6:.0f} us")


main()
