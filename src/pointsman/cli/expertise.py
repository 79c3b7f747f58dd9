"""``pointsman expertise``: what is known of a project's parts, and whether it is in order."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pointsman.cli.approval_text import harmless
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import here, places
from pointsman.config.policy_loader import PolicyLoader
from pointsman.expertise.detect import EXPERTS, plain
from pointsman.expertise.focus import concerned, told
from pointsman.expertise.points import points
from pointsman.expertise.sheet import Bounds, missing, read_sheet
from pointsman.expertise.shelf import Shelf
from pointsman.expertise.template import template
from pointsman.model.errors import ConfigError
from pointsman.model.expertise import FILE_NAMES, SECTIONS, Domain, Flaw, Sheet, Weight
from pointsman.model.tokens import tokens_of
from pointsman.paths.repository import repository_root

_json = click.option("--json", "printed", is_flag=True, help="Print JSON.")
_MOST_NAME = 64


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """See what is known of this project's parts, check it, begin a new sheet.

    It needs no running daemon.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@command.command("list")
@_json
def list_(printed: bool = False) -> None:
    """Print the domains of this project, what each was known by, and its sheets."""
    root, shelf = _root(), Shelf(places().agents)
    domains = list(shelf.domains(root))
    settings = _settings(root)
    if printed:
        echo_json([_row(shelf, each, settings) for each in domains])
        return
    for each in domains:
        click.echo(harmless(_line(shelf, each, root, settings)))
    if not domains:
        click.echo("no domain was found here")
    click.echo(f"who may write sheets: {', '.join(settings['improvers']) or 'nobody'}")


@command.command()
@click.argument("domain", required=False)
@click.option(
    "--section", "sections", multiple=True, type=click.Choice(list(SECTIONS)),
    help="Only this section; may be given several times.",
)  # fmt: skip
@click.option(
    "--path", "paths", multiple=True, help="As for an agent that works on this file; repeatable."
)
@click.option("--all", "every", is_flag=True, help="Every line, without the cap.")
@_json
def show(
    domain: str | None, sections: tuple[str, ...], paths: tuple[str, ...], every: bool,
    printed: bool,
) -> None:  # fmt: skip
    """Print what an agent would be told: of DOMAIN, of the domains of the paths, or of all."""
    root, shelf = _root(), Shelf(places().agents)
    settings = _settings(root)
    sheets = _chosen(shelf, root, domain, settings)
    named = [os.path.relpath(Path(here(), path), root) for path in paths]
    if domain is None and named:
        sheets = concerned(sheets, named)
    if sections:
        sheets = [replace(each, sections={name: value for name, value in each.sections.items()
                                          if name in sections}) for each in sheets]  # fmt: skip
    flaws = [flaw for each in sheets for flaw in each.flaws]
    sheets = [each for each in sheets if each.sections]
    tokens = 10**9 if every else int(settings["tokens"])
    text = covered(told(sheets, root, named, tokens)) if sheets else ""
    if printed:
        lines = {each.domain.name: len(points(each.sections)) for each in sheets}
        echo_json({"text": text, "tokens": tokens_of(text), "domains": lines})
    else:
        click.echo(harmless(text) or "nothing would be told")
    for flaw in flaws:
        click.echo(harmless(str(flaw)), err=True)


@command.command()
@click.argument("files", nargs=-1, type=click.Path())
@_json
def check(files: tuple[str, ...], printed: bool) -> None:
    """Check every sheet that counts here, or FILES: form, sections, length, links.

    Ends with exit code 1 where something is an error.
    """
    root, shelf = _root(), Shelf(places().agents)
    settings = _settings(root)
    bounds = Bounds(settings["warn_lines"], settings["error_lines"])
    chosen = [str(Path(here(), each)) for each in files]
    if not chosen:
        chosen = [file.path for each in shelf.domains(root) for file in each.files]
    found: list[Flaw] = []
    for path in chosen:
        folder = (
            path.partition(f"/{EXPERTS}/")[0] if f"/{EXPERTS}/" in path else str(Path(path).parent)
        )
        read = read_sheet(path, folder, bounds)
        found += [*read.flaws, *missing(read)]
    failed = any(flaw.weight is Weight.ERROR for flaw in found)
    if printed:
        echo_json({"ok": not failed, "files": chosen, "flaws": [_flaw(each) for each in found]})
    else:
        for flaw in found:
            click.echo(harmless(f"{flaw.weight.value:<8} {flaw}"))
        click.echo(f"{len(chosen)} sheets, {len(found)} flaws")
    sys.exit(1 if failed else 0)


@command.command()
@click.argument("domain")
@click.option("--user", "own", is_flag=True, help="For all your projects, beside your own agents.")
@_json
def new(domain: str, own: bool, printed: bool) -> None:
    """Begin a sheet for DOMAIN, with every section and nothing claimed."""
    root, where = _root(), places()
    if not domain.replace("-", "").replace("_", "").isalnum() or len(domain) > _MOST_NAME:
        raise ConfigError(
            f"{domain[:80]!r} is no name of a domain",
            fix="use letters, digits, - and _, such as: pointsman expertise new api",
        )
    folder = Path(root, EXPERTS)
    if own:
        if where.agents is None:
            raise ConfigError(
                "it is not known where your agents lie", fix="export CLAUDE_CONFIG_DIR"
            )
        folder = where.agents / "experts"
    for name in FILE_NAMES:
        if os.path.lexists(folder / domain / name):
            raise ConfigError(
                f"{folder / domain / name} is there already",
                fix="pointsman expertise show " + domain,
            )
    known = {plain(each.name): each for each in Shelf(where.agents).domains(root)}
    path = folder / domain / FILE_NAMES[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(template(domain, known.get(plain(domain))))
    if printed:
        echo_json({"file": str(path)})
    else:
        click.echo(f"{path} is begun; look at it with: pointsman expertise check")


def _root() -> str:
    start = os.path.realpath(here())
    return repository_root(start) or start


def _settings(root: str) -> dict[str, Any]:
    return dict(PolicyLoader(places()).policy_for(root).guidance["expertise"])


def _chosen(shelf: Shelf, root: str, name: str | None, settings: dict[str, Any]) -> list[Sheet]:
    domains = [each for each in shelf.domains(root) if each.files]
    if name is not None:
        wanted = [each for each in domains if plain(each.name) == plain(name)]
        if not wanted:
            known = ", ".join(each.name for each in domains) or "none"
            raise ConfigError(
                f"nothing is written of {name!r} (written of: {known})",
                fix=f"pointsman expertise new {plain(name) if name.isidentifier() else 'api'}",
            )
        domains = wanted
    return [shelf.sheet(each, settings["warn_lines"], settings["error_lines"]) for each in domains]


def _line(shelf: Shelf, domain: Domain, root: str, settings: dict[str, Any]) -> str:
    signs = ", ".join(domain.signs[:4]) + (", …" if len(domain.signs) > 4 else "")
    if not domain.files:
        return f"{domain.name}: {signs}; nothing is written of it"
    sheet = shelf.sheet(domain, settings["warn_lines"], settings["error_lines"])
    files = ", ".join(
        f"{each.path.removeprefix(f'{root}/')} ({each.level}, {sheet.lines[each.path]} lines)"
        for each in domain.files
    )
    flawed = f"; {len(sheet.flaws)} flaws: pointsman expertise check" if sheet.flaws else ""
    return f"{domain.name}: {signs}; {files}{flawed}"


def _row(shelf: Shelf, domain: Domain, settings: dict[str, Any]) -> dict[str, Any]:
    sheet = shelf.sheet(domain, settings["warn_lines"], settings["error_lines"])
    return {
        "domain": domain.name,
        "signs": list(domain.signs),
        "paths": list(domain.paths),
        "files": [{"level": each.level.value, "path": each.path, "lines": sheet.lines[each.path]}
                  for each in domain.files],
        "sections": list(sheet.sections),
        "flaws": [_flaw(each) for each in sheet.flaws],
    }  # fmt: skip


def _flaw(flaw: Flaw) -> dict[str, Any]:
    return {
        "weight": flaw.weight.value,
        "file": flaw.file,
        "line": flaw.line,
        "text": flaw.text,
        "fix": flaw.fix,
    }
