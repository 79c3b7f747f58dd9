"""``pointsman context``: what an agent is told before it edits a file, and what came of it."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from pointsman.cli.context_outcomes import print_outcomes
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import cwd, places
from pointsman.code.build import Builder
from pointsman.code.context import CodeContext
from pointsman.code.languages import LANGUAGES, language_of
from pointsman.code.words import written
from pointsman.hooks.dependencies import written_by
from pointsman.model.bundle import DEFAULT_TOKENS, MOST_TOKENS, SERVER_MS, Bundle, Change
from pointsman.model.errors import ConfigError, DaemonUnreachable, TransportError
from pointsman.paths.canonical import canonical
from pointsman.paths.repository import repository_root
from pointsman.serve import control
from pointsman.store.past_failures import failures_in


@click.command()
@click.argument("file", required=False)
@click.option(
    "--as-edit", metavar="TEXT",
    help="As if an edit would write this: the text, or a tool's input as JSON; - reads stdin.",
)  # fmt: skip
@click.option("--tokens", type=click.IntRange(50, MOST_TOKENS), help="At most so many.")
@click.option("--outcomes", is_flag=True, help="What came of it, from the ledger, by side.")
@click.option("--since", help="Of --outcomes: not before, ISO 8601 or 12h, 7d ago.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    file: str | None,
    as_edit: str | None,
    tokens: int | None,
    outcomes: bool,
    since: str | None,
    as_json: bool,
) -> None:
    """Print what an agent is told before it edits FILE, and why each line was chosen.

    The index is brought up to date first. Language servers are asked where a daemon runs, which
    holds them.
    """
    if outcomes:
        print_outcomes(places().ledger, since, as_json)
        return
    if file is None:
        raise click.UsageError("Missing argument 'FILE' (or --outcomes).")
    bundle = _bundle(_change(file, as_edit), tokens)
    if as_json:
        echo_json(bundle, indent=2)
    else:
        click.echo(covered(_shown(bundle)))


def _change(file: str, as_edit: str | None) -> Change:
    """Return the edit that is meant.

    Raises:
        ConfigError: the file is in no language that is read, or in no repository.
    """
    path = canonical(file, cwd()).path
    if not language_of(path):
        known = ", ".join(suffix for each in LANGUAGES for suffix in each.suffixes)
        raise ConfigError(
            f"{file} is in no language that is read ({known}): nothing is told of it",
            fix="pointsman context src/some_file.ts",
        )
    root = repository_root(path.rpartition("/")[0]) or os.path.realpath(cwd())
    if not path.startswith(f"{root}/"):
        raise ConfigError(
            f"{file} lies in no repository and not below {root}", fix="cd to its project first"
        )
    text = sys.stdin.read() if as_edit == "-" else as_edit or ""
    whole = not Path(path).exists()
    return Change(root, path[len(root) + 1 :], _written(text), whole=whole and bool(text))


def _written(text: str) -> str:
    try:
        given = json.loads(text)
    except ValueError:
        return text
    return written_by(given) if isinstance(given, dict) else text


def _bundle(change: Change, tokens: int | None) -> dict[str, Any]:
    _refresh(change.root)
    request = {
        "root": change.root, "path": change.path, "written": change.written,
        "whole": change.whole, "tokens": tokens,
    }  # fmt: skip
    try:
        return control.ask(places(), "context", cwd(), json.dumps(request).encode())
    except (DaemonUnreachable, TransportError):
        return asyncio.run(_alone(change, tokens)).as_json()


def _refresh(root: str) -> None:
    context = CodeContext(places().state)
    started = time.monotonic()
    builder = Builder(context.indexing.index_of(root), root)
    try:
        built = builder.refresh()
    finally:
        builder.close()
    if built.read:
        seconds = time.monotonic() - started
        click.echo(f"Index: {built.read} of {built.files} files read, {seconds:.1f} s", err=True)


async def _alone(change: Change, tokens: int | None) -> Bundle:
    """Return what the index says, without a daemon and so without language servers."""
    context = CodeContext(places().state, failures_in(places().ledger), background=False)
    sections, notes = await context.sections(change, SERVER_MS / 1000)
    return written(change.path, sections, tokens or DEFAULT_TOKENS, notes)


def _shown(bundle: dict[str, Any]) -> str:
    lines = [bundle["text"] or f"Nothing is told of {bundle['file']}: it hangs on nothing here."]
    lines.append("")
    lines.append(f"{bundle['tokens']} tokens. Why each line is there:")
    for section in bundle["sections"]:
        stale = ", stale" if section["stale"] else ""
        lines.append(f"  {section['kind']} [{section['source']}{stale}]")
        for item in section["items"]:
            at = f"{item['path']}:{item['line']}"
            lines.append(f"    {item['name']} ({at}): {item['why']}")
    lines += [f"Not known: {note}" for note in bundle["notes"]]
    return "\n".join(lines)
