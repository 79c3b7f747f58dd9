"""``pointsman explain``: one call, every hook that is asked, its answer and its time."""

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import click

from pointsman.agents.all_agents import AGENTS
from pointsman.case import Case, Handled, as_row
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.deeds import lines_of, seen_in
from pointsman.cli.dry_run import DryRun, delivery_of
from pointsman.cli.places import cwd as working_directory
from pointsman.cli.places import places
from pointsman.model.hook import HookRun


@click.command()
@click.argument("payload", type=click.File("rb"), required=False)
@click.option("--command", "shell", help="Explain this shell command instead of a payload.")
@click.option("--edit", help="Explain a Write to this file instead of a payload.")
@click.option("--agent", help="The agent that calls (for --command and --edit).")
@click.option("--cwd", help="The working directory (default: this one).")
@click.option(
    "--host", type=click.Choice(sorted(AGENTS)), default="claude-code", show_default=True,
    help="Whose payload it is.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    payload: BinaryIO | None,
    shell: str | None,
    edit: str | None,
    agent: str | None,
    cwd: str | None,
    host: str,
    as_json: bool,
) -> None:
    """Show every hook that is asked about a call, its answer and its time.

    PAYLOAD is a file with one native payload (or - for stdin). The call is not carried out and
    nothing is recorded.
    """
    where = working_directory() if cwd is None else cwd
    data = _payload(payload, shell, edit, agent, where)
    with DryRun(places()) as dry:
        case, handled = dry.handle(delivery_of(data, host, where))
    if as_json:
        runs = [_run_row(run) for run in handled.runs]
        row = {**as_row(handled), "hooks": runs, "observers": _observers(case), **seen_in(case)}
        echo_json(row, indent=2)
    else:
        click.echo(covered("\n".join(_lines(case, handled))))


def _payload(
    payload: BinaryIO | None, shell: str | None, edit: str | None, agent: str | None, cwd: str
) -> bytes:
    given = [each for each in (payload, shell, edit) if each is not None]
    if len(given) > 1:
        raise click.UsageError("give one of PAYLOAD, --command and --edit, not several")
    if shell is not None:
        return _call("Bash", {"command": shell}, agent, cwd)
    if edit is not None:
        return _call("Write", {"file_path": edit, "content": ""}, agent, cwd)
    if agent is not None:
        raise click.UsageError("--agent goes with --command or --edit; a payload names its own")
    # Without this it would wait for a payload at the terminal, and seem to hang.
    if payload is None and sys.stdin.isatty():
        raise click.UsageError("give a payload's file, - for stdin, --command '...' or --edit FILE")
    return (payload or sys.stdin.buffer).read()


def _call(tool: str, tool_input: dict[str, str], agent: str | None, cwd: str) -> bytes:
    payload: dict[str, Any] = {
        "hook_event_name": "PreToolUse",
        "session_id": "explain",
        "cwd": cwd,
        "tool_name": tool,
        "tool_input": tool_input,
        "tool_use_id": "explain",
    }
    if agent is not None:
        # Both, as the host sends them of a subagent: contracts go by the type.
        payload |= {"agent_type": agent, "agent_id": "explain"}
    return json.dumps(payload).encode()


def _observers(case: Case) -> list[str]:
    """Return who would be told afterwards; a dry run tells nobody."""
    if case.setup is None:
        return []
    events = (case.event,) if case.edit is None else (case.event, case.edit)
    table = case.setup.table
    return list(dict.fromkeys(hook.name for each in events for hook in table.observing(each)))


def _run_row(run: HookRun) -> dict[str, Any]:
    decision = run.decision
    return {
        "hook": run.hook,
        "role": run.role.value,
        "event": run.kind,
        "outcome": run.outcome.value,
        "decision": decision.action.value if decision and decision.action else None,
        "rule": decision.rule if decision else "",
        "reason": run.reason,
        "ms": round(run.duration_ns / 1e6, 3),
        "budget_ms": int(run.budget * 1000),
    }


def _lines(case: Case, handled: Handled) -> Iterator[str]:
    row = as_row(handled)
    yield f"{row['event']} {row['tool']} by {row['agent']}".replace("  ", " ")
    for run in map(_run_row, handled.runs):
        said = run["decision"] or run["outcome"]
        where = f"{run['hook']} ({run['role']} on {run['event']})"
        yield f"  {said:<12} {run['ms']:9.3f} ms of {run['budget_ms']} ms  {where}"
        if run["reason"]:
            yield from (f"      {line}" for line in str(run["reason"]).splitlines())
    if not handled.runs:
        yield "  no hook is asked about this"
    yield from lines_of(seen_in(case))
    for name in _observers(case):
        yield f"  afterwards   {name} (observer) would be told"
    verdict = f"decision: {row['decision']}"
    if row["rule"] or row["hook"]:
        verdict += f" by {row['rule'] or 'no named rule'} ({row['hook']}), {row['cause']}"
    yield f"{verdict}, {row['ms']} ms in all"
    if row["reason"] and not handled.runs:
        yield f"reason:   {row['reason']}"
    if "context" in row:
        yield f"context:  {row['context']}"
    if "updated_input" in row:
        yield f"input:    {json.dumps(row['updated_input'])}"
