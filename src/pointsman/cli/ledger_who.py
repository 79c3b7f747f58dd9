"""``pointsman ledger who``: who changed a file, when, by which prompt, and what they said of it."""

from collections.abc import Iterator
from typing import Any

import click

from pointsman.agents.all_agents import AGENTS
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import here, places
from pointsman.model.errors import PayloadError
from pointsman.model.policy import Policy
from pointsman.paths.canonical import canonical
from pointsman.runtime import derive_edit
from pointsman.store.attribution import who as changes_of

_WIDTH = 160


@click.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def who(file: str, as_json: bool) -> None:
    """Say who changed FILE, or what is below it, when and why; the newest last."""
    wanted = file if any(each in file for each in "*?[") else canonical(file, here()).path
    found = False
    for row in changes_of(places().ledger, wanted, _files):
        found = True
        if as_json:
            echo_json(row)
        else:
            click.echo(covered("\n".join(_lines(row))))
    if not found and not as_json:
        click.echo(f"no change of {wanted} is on record")


def _files(host: str, event: str, payload: bytes, cwd: str) -> tuple[str, ...]:
    """Return the files that a call changes, by reading it once more."""
    agent = AGENTS.get(host)
    try:
        edit = derive_edit(agent.read(payload, event, cwd, 0), Policy()) if agent else None
    except PayloadError:
        return ()
    return edit.files if edit else ()


def _lines(row: dict[str, Any]) -> Iterator[str]:
    by = f"{row['agent']} ({row['agent_id']})" if row["agent_id"] else row["agent"]
    said = f"{row['decision']} by {row['rule']}" if row["rule"] else ""
    what = " ".join(part for part in (row["tool"], row["outcome"], said) if part)
    yield f"{row['seq']:>7} {row['time'][:19]}Z {by}: {what}"
    yield f"        {row['path']}"
    yield f"        session {row['session']}" + (f", by {row['parent']}" if row["parent"] else "")
    for name, label in (
        ("reason", "why"),
        ("task", "task"),
        ("prompt", "prompt"),
        ("command", "command"),
    ):
        text = " ".join(row[name].split())
        if text and not (name in {"task", "prompt"} and row["reason_from"] == name):
            yield f"        {label:<8}{text if len(text) <= _WIDTH else text[: _WIDTH - 1] + '…'}"
