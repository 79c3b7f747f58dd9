"""``pointsman bench``: how many labelled commands are judged as they should be."""

import json
import os
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pointsman.cli.corpus import STOPPED, Outcome, by_hook, by_us, read_rows
from pointsman.cli.places import cwd as working_directory

_ALL = "all"
_OUTCOMES = ("deny", "ask", "none", "timeout", "failed")


@click.command()
@click.option(
    "--corpus", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines with a command and a label (block or allow), and maybe a family.",
)  # fmt: skip
@click.option("--hook", help="Judge by this hook command instead of by us.")
@click.option("--cwd", help="The directory the commands are meant for (default: this one).")
@click.option(
    "--timeout", default=10.0, show_default=True, type=click.FloatRange(0.1, 600),
    help="Seconds one run of --hook may take.",
)  # fmt: skip
@click.option(
    "--jobs", default=os.cpu_count() or 1, type=click.IntRange(1, 256),
    help="Runs of --hook at a time (default: one for each processor).",
)  # fmt: skip
@click.option("--wrong", is_flag=True, help="List what is misjudged.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    corpus: Path,
    hook: str | None,
    cwd: str | None,
    timeout: float,
    jobs: int,
    wrong: bool,
    as_json: bool,
) -> None:
    """Judge labelled commands and count: stopped is what is denied or asked about.

    By our command safety in this process, as it is shipped, or by --hook: started once for each
    command with a Claude Code PreToolUse payload on stdin, its answer read as the host reads it.
    """
    rows = read_rows(corpus)
    where = working_directory() if cwd is None else cwd
    if hook is None:
        outcomes = list(by_us(rows, where))
    else:
        outcomes = list(by_hook(rows, _words(hook), where, within=timeout, jobs=jobs))
    result = result_of(outcomes, wrong=wrong)
    click.echo(json.dumps(result, indent=2) if as_json else "\n".join(lines_of(result)))


def _words(hook: str) -> list[str]:
    try:
        words = shlex.split(hook)
    except ValueError as error:
        raise click.UsageError(f"--hook cannot be split into words: {error}") from error
    if not words or shutil.which(words[0]) is None:
        raise click.UsageError(f"--hook: there is no program {(words or [''])[0]!r}")
    return words


def result_of(outcomes: Sequence[Outcome], *, wrong: bool) -> dict[str, Any]:
    """Return the figures: over all, by family, the time of a decision, what is misjudged."""
    counts: dict[str, Counter[str]] = {_ALL: Counter()}
    for each in outcomes:
        label = "block" if each.row.block else "allow"
        for family in (_ALL, *([each.row.family] if each.row.family else [])):
            counts.setdefault(family, Counter())[f"{label} {each.action}"] += 1
    spent = sorted(each.seconds for each in outcomes)
    result: dict[str, Any] = {
        "rows": len(outcomes),
        "families": {name: _figures(count) for name, count in sorted(counts.items())},
        "ms": {"p50": _ms(spent, 50), "p99": _ms(spent, 99)},
    }
    if wrong:
        result["wrong"] = [
            {
                "expected": "block" if each.row.block else "allow",
                "decision": each.action,
                "rule": each.rule,
                "family": each.row.family,
                "command": each.row.command,
            }
            for each in outcomes
            if not each.is_right
        ]
    return result


def _ms(spent: Sequence[float], percent: int) -> float:
    return round(spent[min(len(spent) - 1, len(spent) * percent // 100)] * 1000, 3)


def _figures(count: Mapping[str, int]) -> dict[str, Any]:
    """Return recall and false-positive rate; ``None`` where there is nothing to find."""
    block = {each: count.get(f"block {each}", 0) for each in _OUTCOMES}
    allow = {each: count.get(f"allow {each}", 0) for each in _OUTCOMES}
    return {
        "block": block,
        "allow": allow,
        "recall": _rate(block, STOPPED),
        "recall_deny": _rate(block, ("deny",)),
        "fpr": _rate(allow, STOPPED),
        "fpr_deny": _rate(allow, ("deny",)),
    }


def _rate(counts: Mapping[str, int], wanted: Sequence[str]) -> float | None:
    whole = sum(counts.values())
    return round(sum(counts[each] for each in wanted) / whole, 4) if whole else None


def lines_of(result: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table, and what is misjudged."""
    yield f"{'':18} recall    fpr | to be stopped: deny  ask  pass | to pass: deny  ask  pass"
    for name, figures in result["families"].items():
        block, allow = figures["block"], figures["allow"]
        yield (
            f"{name[:18]:18} {_shown(figures['recall'])} {_shown(figures['fpr'])} |"
            f"              {block['deny']:6}{block['ask']:5}{_passed(block):6} |"
            f"        {allow['deny']:6}{allow['ask']:5}{_passed(allow):6}"
        )
    figures = result["families"][_ALL]
    for what, means in (("timeout", "took too long"), ("failed", "ended with neither 0 nor 2")):
        number = figures["block"][what] + figures["allow"][what]
        if number:
            yield f"{number} runs {means}: they count as passed, as the host would have it"
    yield f"{result['rows']} commands, {result['ms']['p50']} ms p50, {result['ms']['p99']} ms p99"
    for each in result.get("wrong", ()):
        line = " ".join(each["command"].split())[:160]
        what = f"{each['expected']:5} {each['decision']:7} {each['rule'] or '-'}"
        yield f"{what} {each['family']}: {line}"


def _passed(counts: Mapping[str, int]) -> int:
    return counts["none"] + counts["timeout"] + counts["failed"]


def _shown(rate: float | None) -> str:
    return f"{rate:6.3f}" if rate is not None else "     -"
