"""``pointsman coverage``: which tool calls ran unguarded, by the host's own transcripts."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pointsman.agents import claude_calls
from pointsman.cli.coverage_sources import by_session, cancelled_line, telemetry_calls
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import home, places
from pointsman.engine.coverage import reconcile, without_copies
from pointsman.model.coverage import Call, Coverage, Heard, Unguarded
from pointsman.store import heard, host_telemetry
from pointsman.store.query import iso, parse_time

_MOST_SHOWN = 50


@click.command()
@click.option("--session", help="Only this session.")
@click.option(
    "--since", default="7d", show_default=True, help="Not before: ISO 8601, or 2h, 3d ago."
)
@click.option(
    "--transcript", "files", multiple=True, type=click.Path(exists=True, dir_okay=False),
    help="Read this transcript instead of all of this user's (repeatable).",
)  # fmt: skip
@click.option("--check", is_flag=True, help="Exit code 1 where anything ran unguarded.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    session: str | None, since: str, files: tuple[str, ...], check: bool, as_json: bool
) -> None:
    """Compare the host's transcripts with the ledger: which calls ran that no hook answers for.

    It is no hook and needs none, nor the daemon: what has switched the hooks off cannot stop it.
    """
    start = parse_time(since, time.time_ns())
    config = Path(os.environ.get("CLAUDE_CONFIG_DIR") or home() / ".claude")
    paths = [Path(file) for file in files] or claude_calls.transcripts(config, start)
    every = [call for call in _calls(paths) if files or call.at_ns >= start]
    heard_of = heard.sessions(places().ledger, {call.session for call in every})
    calls = without_copies(every, lambda name: heard_of.get(name, Heard()))
    chosen = [call for call in calls if session in {None, call.session}]
    told = {} if files else host_telemetry.told(places().host_telemetry, start)
    told = {name: each for name, each in told.items() if session in {None, name}}
    more = list(telemetry_calls(told, {(call.session, call.id) for call in chosen}, start))
    names = {call.session for call in (*chosen, *more)} | set(told)
    known = heard_of | heard.sessions(places().ledger, names - set(heard_of))
    sources = by_session(chosen, known, told)
    found = reconcile(
        [*chosen, *more],
        lambda name: known.get(name, Heard()),
        lambda folder: claude_calls.is_trusted(config, home(), folder),
    )
    if as_json:
        row = _as_json(found, len(names)) | {
            "sources": ["ledger", "transcript", *(["telemetry"] if told else [])],
            "by_session": sources,
        }
        echo_json(row, indent=2)
    else:
        lines = [*_lines(found, len(paths)), cancelled_line(sources)]
        click.echo(covered("\n".join(line for line in lines if line)))
    sys.exit(1 if check and found.unguarded else 0)


def _calls(paths: list[Path]) -> Iterator[Call]:
    # The newest file comes first; of copies the first counts.
    for path in reversed(paths):
        yield from claude_calls.calls_of(claude_calls.lines_of(path))


def _as_json(found: Coverage, sessions: int) -> dict[str, Any]:
    return {
        "sessions": sessions,
        "ran": found.ran,
        "guarded": found.guarded,
        "refused": found.refused,
        "coverage": None if found.share is None else round(found.share, 6),
        "unguarded": [_row(each) for each in found.unguarded],
    }


def _row(each: Unguarded) -> dict[str, Any]:
    call = each.call
    return {
        "session": call.session,
        "tool_use_id": call.id,
        "tool": call.tool,
        "agent_id": call.agent_id,
        "time": iso(call.at_ns),
        "cause": each.cause,
        "second_gate": each.judged,
        "cwd": call.cwd,
        "command": call.command,
    }


def _lines(found: Coverage, files: int) -> Iterator[str]:
    if not found.ran:
        yield f"No tool call has run in {files} transcripts. Next step: look further, --since 30d"
        return
    yield (
        f"{found.share:.1%} covered: of {found.ran} calls that ran, a hook record answers for "
        f"{found.guarded}; {found.refused} were refused."
    )
    if not found.unguarded:
        return
    yield f"{len(found.unguarded)} ran unguarded:"
    for each in found.unguarded[-_MOST_SHOWN:]:
        call = each.call
        what = f"{call.tool} {call.command.partition(chr(10))[0][:60]}".strip()
        gate = "; the second gate judged it" if each.judged else ""
        who = call.agent_id or "main"
        yield f"  {iso(call.at_ns)}  {call.session[:8]}  {who}  {what}: {each.cause}{gate}"
    if len(found.unguarded) > _MOST_SHOWN:
        yield f"  the newest {_MOST_SHOWN} of them; all with --json"
    yield "Next step: pointsman doctor"
