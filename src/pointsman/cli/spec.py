"""``pointsman spec``: whether what is asked of an agent can be done as it is written."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from pointsman.cli.approval_text import harmless
from pointsman.cli.covered import echo_json
from pointsman.cli.finding_text import finding_text
from pointsman.cli.places import places
from pointsman.cli.sarif import as_sarif
from pointsman.model.audit import Finding, Level
from pointsman.model.errors import ConfigError
from pointsman.paths.repository import repository_root
from pointsman.specs.check import CHECKS, check
from pointsman.specs.read import MOST_BYTES
from pointsman.store.query import opened
from pointsman.store.spec_rows import carried

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Check a spec before an agent works by it, and count how often it was tried."""


@command.command("check")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--sarif", is_flag=True, help="Print SARIF 2.1.0, as code scanners read it.")
def check_command(file: Path, as_json: bool, sarif: bool) -> None:
    """Say what is missing, contradictory or vague in FILE, by line.

    Asks no model. Ends with exit code 1 where a finding is an error.
    """
    if as_json and sarif:
        raise click.UsageError("--json and --sarif exclude one another")
    found = _found(file)
    if sarif:
        root = _root(file)
        click.echo(json.dumps(as_sarif(found, CHECKS, root, {"spec": str(file)}), indent=2))
    elif as_json:
        ok = not any(each.level is Level.ERROR for each in found)
        echo_json({"ok": ok, "findings": [asdict(each) for each in found]})
    else:
        click.echo(harmless(finding_text(found)))
    sys.exit(1 if any(each.level is Level.ERROR for each in found) else 0)


@command.command("status")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status_command(file: Path, as_json: bool) -> None:
    """Count how often the ledger has a prompt, an agent or an edit that carries FILE."""
    root = _root(file)
    path = file.resolve()
    with opened(places().ledger) as connection:
        rows = carried(connection, str(path), str(path.relative_to(root)), str(root))
    counts = {kind: sum(row[kind] for row in rows) for kind in ("prompts", "agents", "edits")}
    # An edit of the spec changes what is asked; it asks for nothing yet.
    told = {"spec": str(path), "iterations": counts["prompts"] + counts["agents"], **counts}
    if as_json:
        echo_json({**told, "sessions": rows})
        return
    agents = f"{counts['prompts']} prompts, {counts['agents']} agents"
    lines = [f"{file}: {told['iterations']} iterations ({agents}), {counts['edits']} edits of it"]
    lines += [
        f"  {row['session']}: {row['prompts']} prompts, {row['agents']} agents, "
        f"{row['edits']} edits" for row in rows
    ]  # fmt: skip
    click.echo(harmless("\n".join(lines)))


def _root(file: Path) -> Path:
    above = file.resolve().parent
    root = repository_root(str(above))
    return Path(root) if root else above


def _found(file: Path) -> list[Finding]:
    size = file.stat().st_size
    if size > MOST_BYTES:
        raise ConfigError(
            f"{file} has {size} bytes, and a spec may have {MOST_BYTES}",
            fix="split it: one file for each task",
        )
    root, beside = _root(file), file.resolve().parent

    def exists(path: str) -> bool:
        for base in (root, beside):
            if (base / path).exists():
                return True
            if "*" in path and next(iter(base.glob(path)), None) is not None:
                return True
        return False

    return check(file.read_text("utf-8", "replace"), str(file), exists)
