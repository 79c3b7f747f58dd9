"""Staging is not what production is, so that what works in one says little of the other."""

from collections.abc import Iterator
from dataclasses import replace

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.all_aspects import ASPECTS
from pointsman.preflight.environments_compare import compare
from pointsman.preflight.environments_find import deployed, stage_of, unstaged
from pointsman.preflight.environments_model import Difference, Environment, Pair, Rank


def _run(project: Project) -> Iterator[Finding]:
    for staging, production in pairs(deployed(project.files)):
        if production.target not in {None, *project.targets}:
            continue
        pair = Pair(left=production, right=staging, uses=project.uses, files=project.files,
                    mirror=True)  # fmt: skip
        for each in compare(pair, ASPECTS):
            if each.rank is not Rank.DIFFERS:
                yield _told(each)


def pairs(found: tuple[Environment, ...]) -> Iterator[tuple[Environment, Environment]]:
    """Yield staging and production of the same service, by file and name without the stage."""
    by_key: dict[tuple[str, str], dict[str, Environment]] = {}
    for each in found:
        stage = stage_of(each.file) or stage_of(each.name)
        if stage:
            key = (unstaged(each.file), unstaged(each.name))
            by_key.setdefault(key, {})[stage] = each
    for stages in by_key.values():
        if len(stages) == 2:
            yield stages["staging"], stages["production"]


def _told(each: Difference) -> Finding:
    # No error: staging alone is wrong, and what is deployed for users may be in order.
    return replace(
        each, id=CHECK.id, level=Level.WARNING, why=CHECK.why, fix=CHECK.fix,
        what=f"staging and production: {each.what}; production: {each.left}, "
        f"staging: {each.right}",
    )  # fmt: skip


CHECK = Check(
    id="cloud-staging",
    level=Level.WARNING,
    why="Staging is there to fail first. Where it has other variables, sources, limits or "
    "versions, production fails alone.",
    source="twelve-factor app: dev/prod parity",
    fix="let both come from one base, and differ in values only",
    run=_run,
)
