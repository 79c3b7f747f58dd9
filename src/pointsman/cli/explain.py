"""``pointsman explain``: one call, every hook that is asked, its answer and its time."""

import asyncio
import json
import os
import sys
from typing import Any, BinaryIO

import click

from pointsman.assembly import Setups
from pointsman.cli.decide import event_name
from pointsman.cli.places import places
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.hook import HookRun
from pointsman.runtime import Delivery, Handled, Runtime, as_row


@click.command()
@click.argument("payload", type=click.File("rb"), required=False)
@click.option("--command", "shell", help="Explain this shell command instead of a payload.")
@click.option("--edit", help="Explain a Write to this file instead of a payload.")
@click.option("--agent", help="The agent that calls (for --command and --edit).")
@click.option("--cwd", help="The working directory (default: this one).")
@click.option("--host", default="claude-code", show_default=True)
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

    PAYLOAD is a file with one native payload (or - for stdin).
    """
    where = cwd or os.getcwd()  # noqa: PTH109 - as the shell says it
    if shell is not None:
        data = _call("Bash", {"command": shell}, agent, where)
    elif edit is not None:
        data = _call("Write", {"file_path": edit, "content": ""}, agent, where)
    else:
        data = (payload or sys.stdin.buffer).read()
    handled = _handle(host, data, where)
    if as_json:
        runs = [_run_row(run) for run in handled.runs]
        click.echo(json.dumps({**as_row(handled), "hooks": runs}, indent=2))
    else:
        click.echo("\n".join(_lines(handled)))


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
        payload |= {"agent_type": agent, "agent_id": "explain"}
    return json.dumps(payload).encode()


def _handle(host: str, payload: bytes, cwd: str) -> Handled:
    setups = Setups(PolicyLoader(places()), places())
    delivery = Delivery(host=host, event=event_name(payload), payload=payload, cwd=cwd)

    async def run() -> Handled:
        runtime = Runtime(setups, None)
        handled = await runtime.handle(delivery)
        await runtime.settle()
        await setups.close()
        return handled

    return asyncio.run(run())


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


def _lines(handled: Handled) -> list[str]:
    row = as_row(handled)
    lines = [f"{row['event']} {row['tool']} by {row['agent']}".rstrip()]
    for run in map(_run_row, handled.runs):
        said = run["decision"] or run["outcome"]
        where = f"{run['hook']} ({run['role']} on {run['event']})"
        lines.append(f"  {said:<12} {run['ms']:9.3f} ms of {run['budget_ms']} ms  {where}")
        if run["reason"]:
            lines.extend(f"      {line}" for line in str(run["reason"]).splitlines())
    verdict = f"decision: {row['decision']}"
    if row["rule"]:
        verdict += f" by {row['rule']} ({row['hook']}), {row['cause']}"
    return [*lines, f"{verdict}, {row['ms']} ms in all"]
