"""``pointsman preflight --compare``: two environments beside one another."""

import json
import os
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from pointsman.cli.approval_text import harmless
from pointsman.cli.sarif import Rule, as_sarif
from pointsman.model.audit import Level
from pointsman.model.preflight import Project
from pointsman.preflight.all_aspects import ASPECTS, FAULTS
from pointsman.preflight.all_checks import CHECKS
from pointsman.preflight.environments_compare import compare
from pointsman.preflight.environments_find import Sources
from pointsman.preflight.environments_live import describe
from pointsman.preflight.environments_model import RANKS, Difference, Environment, Pair


def compared(root: Path, project: Project, names: tuple[str, str], form: str) -> None:
    """Print what differs, as ``text``, ``json`` or ``sarif``, and end with 1 where it breaks."""
    sources = Sources(project, root, os.environ, describe)
    try:
        left, right = (sources.find(each) for each in names)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    pair = Pair(left=left, right=right, uses=project.uses, files=project.files)
    found = compare(pair, ASPECTS, FAULTS)
    if form == "sarif":
        rules: dict[str, Rule] = {each.id: each for each in ASPECTS}
        rules |= {each.id: each for each in CHECKS}
        words: dict[str, object] = {"left": left.label, "right": right.label}
        click.echo(json.dumps(as_sarif(found, rules, root, words), indent=2))
    elif form == "json":
        click.echo(json.dumps(_row(left, right, found), indent=2))
    else:
        click.echo(harmless(_text(left, right, found)))
    sys.exit(1 if any(each.level is Level.ERROR for each in found) else 0)


def _row(left: Environment, right: Environment, found: list[Difference]) -> dict[str, object]:
    sources = {each.id: each.source for each in ASPECTS}
    sources |= {each.id: each.source for each in CHECKS}
    return {
        "ok": not any(each.level is Level.ERROR for each in found),
        "left": left.label,
        "right": right.label,
        "unknown": {each.label: each.unknown for each in (left, right) if each.unknown},
        "differences": [{**asdict(each), "source": sources[each.id]} for each in found],
    }


def _text(left: Environment, right: Environment, found: list[Difference]) -> str:
    lines = [f"left:  {left.label}", f"right: {right.label}"]
    lines += [f"not all of {each.label} is known: {each.unknown}" for each in (left, right)
              if each.unknown]  # fmt: skip
    for rank in RANKS:
        some = [each for each in found if each.rank is rank]
        lines += ["", f"{rank}:"] if some else []
        for each in some:
            what = each.what.removesuffix(f" ({rank})")
            lines.append(f"  {each.id}  {each.file}:{each.line}")
            lines.append(f"    {what}")
            if each.left or each.right:
                lines.append(f"    left: {each.left or '-'}; right: {each.right or '-'}")
            lines.append(f"    fix: {each.fix}")
    counts = Counter(each.rank for each in found)
    told = ", ".join(f"{counts[rank]} {_short(rank)}" for rank in RANKS)
    return "\n".join((*lines, "", told))


def _short(rank: str) -> str:
    words = {"breaks at start": "break at start", "breaks at first request":
             "break at the first request", "changes behaviour": "change behaviour"}  # fmt: skip
    return words.get(rank, "only differ")
