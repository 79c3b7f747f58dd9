"""``pointsman conventions``: what a project's instructions say that can be checked."""

import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from pointsman.cli.approval_text import harmless
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import here, places, repository_here
from pointsman.config.policy_loader import PolicyLoader
from pointsman.conventions.report import unclear
from pointsman.conventions.shelf import Found, Shelf
from pointsman.model.convention import Change, Convention, State
from pointsman.model.errors import ConfigError, LedgerError
from pointsman.paths.content import read_regular
from pointsman.paths.repository import main_repository
from pointsman.store import query
from pointsman.store.conventions_broken import broken

_json = click.option("--json", "printed", is_flag=True, help="Print JSON.")
_MOST_BYTES = 1024 * 1024


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """See which conventions of this project can be checked, and say which of them hold.

    They are read from CLAUDE.md, AGENTS.md and their like. Nothing is checked before a person has
    confirmed it. It needs no running daemon.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@command.command("list")
@click.option("--unchecked", is_flag=True, help="Also the demands that no program can check.")
@_json
def list_(unchecked: bool = False, printed: bool = False) -> None:
    """Print each rule: its id, its state, file and line, what is checked; then what is wrong."""
    found = _found(repository_here())
    if printed:
        echo_json(_row(found))
        return
    for rule in found.rules:
        click.echo(harmless(covered(_line(rule))))
    if not found.rules:
        click.echo("no rule was found that can be checked")
    for each in found.unchecked if unchecked else ():
        click.echo(harmless(covered(f"{each.where}: not checked: {each.text} ({each.why})")))
    for remark in found.remarks:
        click.echo(harmless(covered(f"{remark.matter}: {remark}")))
    if any(rule.state is State.PROPOSED for rule in found.rules):
        click.echo("to have them checked: pointsman conventions confirm ID …, or --all")


@command.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every rule that is proposed.")
@_json
def confirm(ids: tuple[str, ...], every: bool, printed: bool) -> None:
    """Have these rules checked, for as long as their lines say the same."""
    _say(ids, every, State.CONFIRMED, printed)


@command.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every rule that is proposed.")
@_json
def reject(ids: tuple[str, ...], every: bool, printed: bool) -> None:
    """Say that these are no rules; they are not proposed again while their lines are the same."""
    _say(ids, every, State.REJECTED, printed)


@command.command()
@click.argument("ids", nargs=-1, required=True)
@_json
def forget(ids: tuple[str, ...], printed: bool) -> None:
    """Take back what was said of these rules."""
    _say(ids, False, None, printed)


@command.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--proposed", is_flag=True, help="Also by rules that nobody has confirmed.")
@_json
def check(files: tuple[str, ...], proposed: bool, printed: bool) -> None:
    """Check FILES as they are. Ends with exit code 1 where one breaks a convention."""
    root, shelf = repository_here(), Shelf(places().state)
    wanted = {State.CONFIRMED, State.PROPOSED} if proposed else {State.CONFIRMED}
    rules = [rule for rule in shelf.found(root).rules if rule.state in wanted]
    found = [each for name in files for each in shelf.broken(rules, _change(root, name))]
    if printed:
        rows = [
            {"rule": each.convention.id, "file": each.convention.file, "at": each.convention.line,
             "path": each.path, "line": each.line, "found": each.found, "text": str(each)}
            for each in found
        ]  # fmt: skip
        echo_json({"ok": not found, "rules": len(rules), "violations": rows})
    else:
        for each in found:
            click.echo(harmless(covered(str(each))))
        click.echo(f"{len(files)} files, {len(rules)} rules, {len(found)} violations")
    sys.exit(1 if found else 0)


@command.command()
@click.option("--since", default="30d", show_default=True, help="Not before: 12h, 7d ago.")
@_json
def report(since: str, printed: bool) -> None:
    """Print the conventions that are broken again and again, and how to say them more clearly."""
    root, where = repository_here(), places()
    again = int(_settings(root)["again"])
    try:
        with query.opened(where.ledger) as connection:
            since_ns = query.parse_time(since, time.time_ns())
            seen = list(broken(connection, root, since_ns))
    except LedgerError:
        if where.ledger.exists():
            raise
        seen = []
    found = unclear(
        _found(root).rules,
        ((each.rule, each.session, each.agent, each.path) for each in seen),
        again,
    )
    if printed:
        rows = [
            {"rule": each.convention.id, "file": each.convention.file,
             "line": each.convention.line, "text": each.convention.text, "count": each.count,
             "sessions": each.sessions, "agents": list(each.agents), "paths": list(each.paths),
             "advice": each.advice}
            for each in found
        ]  # fmt: skip
        echo_json({"violations": len(seen), "again": again, "unclear": rows})
        return
    for each in found:
        rule = each.convention
        click.echo(
            harmless(covered(
                f"{rule.where}: broken {each.count} times in {each.sessions} sessions by "
                f"{', '.join(each.agents)}: “{' '.join(rule.text.split())[:160]}”\n"
                f"  {each.advice}"
            ))
        )  # fmt: skip
    if not found:
        click.echo(f"{len(seen)} violations, none of one rule more than {again - 1} times")


def _settings(root: str) -> dict[str, Any]:
    return dict(PolicyLoader(places()).policy_for(root).guidance["conventions"])


def _found(root: str) -> Found:
    return Shelf(places().state).found(root)


def _say(ids: tuple[str, ...], every: bool, state: State | None, printed: bool) -> None:
    root, shelf = repository_here(), Shelf(places().state)
    rules = shelf.found(root).rules
    chosen = [each for each in rules if every and each.state is State.PROPOSED]
    for name in ids:
        fitting = [each for each in rules if each.id.startswith(name)]
        if len(fitting) != 1:
            many = "no rule has" if not fitting else f"{len(fitting)} rules have"
            raise ConfigError(f"{many} the id {name!r}", fix="pointsman conventions list")
        chosen += fitting
    if not chosen:
        raise ConfigError("no rule was named", fix="pointsman conventions list")
    shelf.book.say(main_repository(root), chosen, state)
    word = state.value if state else "forgotten"
    if printed:
        echo_json([{"id": each.id, "state": word} for each in chosen])
        return
    for each in chosen:
        click.echo(harmless(covered(f"{each.id} is {word}: {each.where}: {_checks(each)}")))


def _change(root: str, name: str) -> Change:
    path = os.path.realpath(Path(here(), name))
    try:
        text = read_regular(path, _MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} cannot be read: {error}", fix="name a text file") from error
    return Change(os.path.relpath(path, root), "", text, new=True)


def _line(rule: Convention) -> str:
    said = " ".join(rule.text.split())[:120]
    return f"{rule.id} {rule.state:<9} {rule.where}: {_checks(rule)} — {said}"


def _checks(rule: Convention) -> str:
    check = rule.check
    where = f" below {check.under}" if check.under else ""
    files = f" in *{', *'.join(check.suffixes)}" if check.suffixes else ""
    return f"{check.kind} {check.value}{files}{where}"


def _row(found: Found) -> dict[str, Any]:
    return {
        "rules": [
            {"id": each.id, "state": each.state.value, "file": each.file, "line": each.line,
             "text": each.text, "check": each.check.as_dict(), "hash": each.hash}
            for each in found.rules
        ],
        "unchecked": [{"where": each.where, "text": each.text, "why": each.why}
                      for each in found.unchecked],
        "remarks": [{"matter": each.matter, "where": each.where, "text": each.text,
                     "fix": each.fix} for each in found.remarks],
    }  # fmt: skip
