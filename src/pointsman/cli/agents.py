"""``pointsman agents``: who may write what, with which tools, by which model."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pointsman.cli.places import places, repository_here
from pointsman.config.policy_loader import PolicyLoader
from pointsman.config.registry import FILE, Fault, Registry, drift, of_repository
from pointsman.model.tools import shown
from pointsman.paths.overlap import is_glob


@click.command()
@click.option("--may-write", metavar="PATH", help="Only those that may write this path or glob.")
@click.option("--model", help="Only those of this model.")
@click.option("--tool", help="Only those that may use this tool.")
@click.option("--check", is_flag=True, help="Report what is wrong; exit code 1 if anything is.")
@click.option("--write", metavar="FILE", help="Write the registry to this file.")
@click.option(
    "--file",
    metavar="FILE",
    help="The committed registry that --check compares with. Default: .pointsman/agents.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    may_write: str | None,
    model: str | None,
    tool: str | None,
    check: bool,
    write: str | None,
    file: str | None,
    as_json: bool,
) -> None:
    """Show the agents of this repository, from their own files, contracts and roles.

    A committed registry depends on the repository only; what is shown, on your settings and your
    own agents (~/.claude/agents) as well.
    """
    root = repository_here()
    policy = PolicyLoader(places()).policy_for(root)
    if write is not None:
        committed = Registry(of_repository(policy, root), root)
        Path(write).parent.mkdir(parents=True, exist_ok=True)
        Path(write).write_text(committed.text(), encoding="utf-8")
        click.echo(f"{write}: {len(committed.agents)} agents")
    if check:
        committed = Registry(of_repository(policy, root), root)
        sys.exit(_report(committed, Path(file or Path(root, FILE)), file is not None, as_json))
    if write is not None:
        return
    registry = Registry(policy, root)
    chosen = list(_chosen(registry, root, may_write, model, tool))
    if as_json:
        whole = registry.as_dict()
        kept = {name: whole["agents"][name] for name in chosen}
        filtered = any(each is not None for each in (may_write, model, tool))
        click.echo(json.dumps({"agents": kept} if filtered else whole, indent=2))
    else:
        click.echo("\n".join(_lines(registry, chosen)) or "no agent is meant")


def _chosen(
    registry: Registry, root: str, path: str | None, model: str | None, tool: str | None
) -> Iterator[str]:
    wanted = None if path is None else _relative(path, root)
    for agent in registry.agents:
        if model is not None and registry.model(agent) != model:
            continue
        if tool is not None and not registry.may_use(agent, tool):
            continue
        if wanted is not None:
            found = registry.may_write(agent, wanted)
            if found.unverified:
                click.echo(f"{agent}: could not verify: {found.unverified}", err=True)
            if found.witness is None:
                continue
        yield agent


def _relative(path: str, root: str) -> str:
    """Return a path as seen from the root; a glob is one already."""
    if is_glob(path) and not Path(path).exists():
        return path
    real = os.path.realpath(path)
    if not real.startswith(f"{root}/"):
        raise click.UsageError(f"{real} is not in this repository ({root})")
    return real[len(root) + 1 :]


def _report(registry: Registry, file: Path, named: bool, as_json: bool) -> int:
    """Print what is wrong, and return the exit code."""
    faults = registry.faults()
    note = ""
    try:
        differences = list(drift(registry, file.read_text(encoding="utf-8", errors="replace")))
    except FileNotFoundError:
        differences = ["it is not there"] if named else []
        note = f"there is no committed registry; pointsman agents --write {FILE} makes one"
    fix = f"pointsman agents --write {file}"
    faults += [Fault("drift", str(file), each, fix) for each in differences]
    if as_json:
        rows = [{"kind": each.kind, "file": each.file, "text": each.text, "fix": each.fix}
                for each in faults]  # fmt: skip
        click.echo(json.dumps({"ok": not faults, "faults": rows, "note": note}, indent=2))
    else:
        for each in faults:
            click.echo(f"{each.kind}: {each.file}: {each.text}\n  next step: {each.fix}")
        if note:
            click.echo(f"note: {note}")
        click.echo(f"{len(registry.agents)} agents, {len(faults)} problems")
    return 1 if faults else 0


def _lines(registry: Registry, chosen: list[str]) -> Iterator[str]:
    entries = registry.as_dict()["agents"]
    for agent in chosen:
        entry = entries[agent]
        yield f"{agent} ({entry['model']}): {', '.join(entry['capabilities']) or 'nothing'}"
        yield f"  tools      {shown(tuple(entry['tools']))}"
        if entry["disallowedTools"]:
            yield f"  never      {shown(tuple(entry['disallowedTools']))}"
        yield f"  may write  {shown(tuple(entry['mayWrite']))}"
        if entry["mayNotWrite"]:
            yield f"  but not    {shown(tuple(entry['mayNotWrite']))}"
        for key, title in (("blockedBy", "after"), ("requires", "needs"), ("checks", "checks")):
            if entry[key]:
                yield f"  {title:<10} {', '.join(entry[key])}"
        yield f"  from       {', '.join(entry['files'])}"
