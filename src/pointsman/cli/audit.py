"""``pointsman audit``: whether tools, prompts and hooks of a project fit together."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from pointsman.agents.audit_input import read_inputs
from pointsman.agents.claude_audit import CHECKS, audit
from pointsman.agents.claude_install import settings_texts
from pointsman.agents.claude_settings import SCOPES
from pointsman.cli.approval_text import harmless
from pointsman.cli.host_settings import where
from pointsman.cli.places import home, places
from pointsman.cli.sarif import as_sarif
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.audit import Audit


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--sarif", is_flag=True, help="Print SARIF 2.1.0, as code scanners read it.")
def command(as_json: bool, sarif: bool) -> None:
    """Score this project: permissive tools, strict prompts, enforcement by hooks, contracts.

    Reads the coding agent's settings of every scope, its agents and their contracts, and changes
    nothing. Ends with exit code 1 where a finding is an error.
    """
    if as_json and sarif:
        raise click.UsageError("--json and --sarif exclude one another")
    settings = where(SCOPES[0])
    policy = PolicyLoader(places()).policy_for(str(settings.repository))
    inputs = read_inputs(
        settings_texts(settings), settings.repository, home(), os.environ, policy.contracts
    )
    found = audit(inputs)
    if sarif:
        rules = {check.id: check for check in CHECKS}
        click.echo(
            json.dumps(
                as_sarif(found.findings, rules, settings.repository, {"score": found.score}),
                indent=2,
            )
        )
    elif as_json:
        click.echo(json.dumps(_row(found), indent=2))
    else:
        click.echo(harmless(_text(found, settings.repository)))
    sys.exit(1 if found.failed else 0)


def _row(found: Audit) -> dict[str, object]:
    return {
        "score": found.score,
        "ok": not found.failed,
        "parts": [asdict(part) for part in found.parts],
        "findings": [asdict(finding) for finding in found.findings],
        "files": list(found.files),
    }


def _text(found: Audit, repository: Path) -> str:
    lines = []
    for each in found.findings:
        name = each.file.removeprefix(f"{repository}/")
        lines += [f"{each.level:<8} {name}:{each.line}: {each.what} [{each.id}]"]
        lines += [f"         {each.why} Next step: {each.fix}"]
    lines += [""] if lines else []
    for part in found.parts:
        lines += [f"{part.points:>3} of {part.most:>2}  {part.name}"]
        lines += [f"           {reason}" for reason in part.reasons]
    lines += [f"{found.score:>3} of 100"]
    return "\n".join(lines)
