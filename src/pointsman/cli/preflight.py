"""``pointsman preflight``: what would fail only once it is deployed."""

import hashlib
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from pointsman.cli.approval_text import harmless
from pointsman.cli.finding_text import finding_text
from pointsman.cli.places import places
from pointsman.cli.preflight_compare import compared
from pointsman.cli.sarif import as_sarif
from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Project, Target
from pointsman.preflight import rename
from pointsman.preflight.all_checks import CHECKS
from pointsman.preflight.survey import findings, survey


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--target", "targets", multiple=True, type=click.Choice([*map(str, Target)]),
              help="Where it is deployed to; repeatable. Default: what the files say.")  # fmt: skip
@click.option(
    "--prefix", default="", help="What new names begin with. Default: the project's name."
)
@click.option("--fix", is_flag=True, help="Rename variables, everywhere or not at all.")
@click.option("--undo", is_flag=True, help="Take the last renaming back.")
@click.option("--rename", "pairs", multiple=True, metavar="OLD=NEW", help="Rename this one.")
@click.option(
    "--dry-run", is_flag=True, help="With --fix or --rename: only say what would be done."
)
@click.option("--compare", "sides", nargs=2, metavar="LEFT RIGHT",
              help="Compare two environments: what one has and the other has not.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--sarif", is_flag=True, help="Print SARIF 2.1.0, as code scanners read it.")
def command(
    path: Path, targets: tuple[str, ...], prefix: str, fix: bool, undo: bool,
    pairs: tuple[str, ...], dry_run: bool, sides: tuple[str, str] | None, as_json: bool,
    sarif: bool,
) -> None:  # fmt: skip
    """Check the project in PATH before it is deployed: names of variables, settings, code.

    Reads files and asks nobody. Ends with exit code 1 where a finding is an error.
    """
    if sides and (fix or pairs or undo):
        raise click.UsageError("--compare changes nothing: leave --fix, --rename, --undo away")
    if sum((fix or bool(pairs), undo, as_json, sarif)) > 1:
        raise click.UsageError("--fix or --rename, --undo, --json and --sarif exclude one another")
    root = path.resolve()
    journal = _journal(root)
    if undo:
        for new, old in rename.take_back(root, journal).items():
            click.echo(f"{new} is {old} again")
        return
    project = survey(root, tuple(map(Target, targets)), prefix)
    if sides:
        compared(root, project, sides, "sarif" if sarif else "json" if as_json else "text")
    if fix or pairs:
        _rename(root, project, pairs, None if dry_run else journal)
        return
    found = findings(project)
    if sarif:
        rules = {check.id: check for check in CHECKS}
        words: dict[str, object] = {"targets": [each.value for each in project.targets]}
        click.echo(json.dumps(as_sarif(found, rules, root, words), indent=2))
    elif as_json:
        click.echo(json.dumps(_row(found, project), indent=2))
    else:
        click.echo(harmless(_text(found, project)))
    sys.exit(1 if any(each.level is Level.ERROR for each in found) else 0)


def _journal(root: Path) -> Path:
    name = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return places().state / "preflight" / f"{name}.json"


def _rename(root: Path, project: Project, pairs: tuple[str, ...], journal: Path | None) -> None:
    names = dict(_pair(each) for each in pairs) or rename.wanted(project)
    made = rename.plan(project, names, asked=bool(pairs))
    if journal is not None and made.edits:
        rename.carry_out(root, made, journal)
    verb = "would be" if journal is None else "is"
    for old, new in made.names.items():
        files = [file for file, edits in made.edits.items()
                 if any(old.encode() in edit.old for edit in edits)]  # fmt: skip
        click.echo(f"{old} {verb} {new} in {', '.join(files)}")
    for old, why in made.left.items():
        click.echo(f"{old} is left as it is: {why}")
    for old, places_of in rename.mentions(project, made.names).items():
        click.echo(f"{old} is also written in {', '.join(places_of)}: look there yourself")
    if not names:
        click.echo("no name has to be changed")
    elif made.names and journal is not None:
        click.echo("take it back with: pointsman preflight --undo")
    sys.exit(1 if made.left else 0)


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not sign:
        raise click.UsageError(f"--rename {text}: OLD=NEW is wanted")
    return old, new


def _row(found: list[Finding], project: Project) -> dict[str, object]:
    sources = {check.id: check.source for check in CHECKS}
    return {
        "ok": not any(each.level is Level.ERROR for each in found),
        "project": project.name,
        "targets": [each.value for each in project.targets],
        "findings": [{**asdict(each), "source": sources[each.id]} for each in found],
    }


def _text(found: list[Finding], project: Project) -> str:
    where = ", ".join(project.targets) or "no target is known (name it with --target)"
    return f"{project.name}: {where}\n\n{finding_text(found)}"
