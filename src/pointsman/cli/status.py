"""``pointsman status``: the daemon, the settings in force, and what is wrong with them."""

import json
from collections.abc import Iterator
from typing import Any

import click

from pointsman import __version__
from pointsman.cli.breaker_lines import breaker_lines
from pointsman.cli.ledger_verify import audit_lines
from pointsman.cli.places import cwd, places
from pointsman.cli.server_lines import server_lines
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.errors import DaemonUnreachable
from pointsman.model.places import Places
from pointsman.paths.repository import anchored_root
from pointsman.serve import control
from pointsman.store.spool import waiting


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show the daemon, the settings in force for this directory, and what is wrong with them."""
    status = read_status(places(), cwd())
    if as_json:
        click.echo(json.dumps(status, indent=2))
    else:
        click.echo("\n".join(_lines(status)))


def read_status(where: Places, directory: str) -> dict[str, Any]:
    """Return the daemon's status, or what can be said without one."""
    try:
        return control.ask(where, "status", directory)
    # Only where nobody listens: a daemon that listens and does not answer is an error.
    except DaemonUnreachable:
        policy = PolicyLoader(where).policy_for(anchored_root("", directory))
        return control.describe(where, policy) | {
            "running": False,
            "pid": None,
            "version": __version__,
            "spooled": len(waiting(where.spool)),
        }


def _lines(status: dict[str, Any]) -> list[str]:
    if status["running"]:
        first = f"daemon     process {status['pid']}, version {status['version']}"
    else:
        first = "daemon     not running (it starts with the first event, or: pointsman up)"
    lines = [
        first,
        f"socket     {status['socket']}",
        *_dashboard_lines(status),
        *_telemetry_lines(status),
        f"ledger     {status['ledger']}",
        f"repository {status['repository'] or 'none'}",
        f"settings   {', '.join(status['config_files']) or 'none: the defaults are in force'}",
    ]
    for hook in status["hooks"]:
        skipped = f": skipped, {hook['skipped']}" if hook["skipped"] else ""
        lines.append(f"hook       {hook['name']} ({hook['role']}){skipped}")
    # A daemon of an older version does not tell.
    lines += [
        f"warning    checks at an agent's end: {each}" for each in status.get("checks_skipped", ())
    ]
    lines += _sandbox_lines(status)
    lines += server_lines(status)
    lines += breaker_lines(status)
    lines += _approval_lines(status)
    lines += _alert_lines(status.get("alerts") or {})
    lines += _ledger_lines(status)
    lines += audit_lines(status.get("audit") or {})
    for problem in status["config_errors"]:
        place = f"{problem['file']}:{problem['line']}"
        what = f"{problem['key']} = {problem['value']}: {problem['message']}"
        lines.append(f"error      {place}: {what}; {problem['fix']}")
    lines += _consequences([problem["file"] for problem in status["config_errors"]])
    return lines


def _dashboard_lines(status: dict[str, Any]) -> Iterator[str]:
    found = status.get("dashboard")
    if found is not None:
        yield f"dashboard  {found['url'] or found['reason'] or 'starting'} (pointsman dashboard)"


def _telemetry_lines(status: dict[str, Any]) -> Iterator[str]:
    """Say how far each stream has come; nothing where nothing goes out."""
    found = status.get("telemetry") or {}
    if found.get("url"):
        yield f"telemetry  {found['url']}"
    if found.get("reason"):
        yield f"error      telemetry: {found['reason']}"
    for name, each in found.get("streams", {}).items():
        counts = ", ".join(f"{each[key]} {key}" for key in ("sent", "waiting"))
        counts += "".join(f", {each[key]} {key}" for key in ("lost", "rejected") if each[key])
        yield f"telemetry  {name}: {counts}" + (f" ({each['fault']})" if each["fault"] else "")


def _sandbox_lines(status: dict[str, Any]) -> Iterator[str]:
    """Say what holds commands here; without a daemon, and by an older one, nothing was tried."""
    found = status.get("sandbox")
    if found is None:
        return
    if found["mechanism"] != "none":
        yield f"sandbox    {found['mechanism']} {found['version']}".rstrip()
        return
    why = "; ".join(f"{one['mechanism']}: {one['reason']}" for one in found["refused"])
    yield f"warning    nothing on this machine can hold a command to its contract ({why}):"
    yield "           commands are analysed before they run and their changes looked at afterwards"


def _approval_lines(status: dict[str, Any]) -> Iterator[str]:
    count = status.get("approvals_waiting", 0)
    if count is None:
        yield "warning    the approvals cannot be read: pointsman approvals list"
    elif count:
        what = "1 question waits" if count == 1 else f"{count} questions wait"
        yield f"approvals  {what} for an answer: pointsman approvals list"


def _alert_lines(found: dict[str, Any]) -> Iterator[str]:
    """Say what is open, and who cannot be told."""
    count = sum(found.get("open", {}).values())
    if count:
        states = ", ".join(f"{number} {state}" for state, number in found["open"].items())
        yield f"alerts     {states}: pointsman alerts list"
    if found.get("stopped"):
        yield f"stopped    {found['stopped']} by a person: pointsman alerts stops"
    if found.get("fault"):
        yield f"warning    alerts: {found['fault']}"
    for sink in found.get("sinks", ()):
        waits = f", {sink['waiting']} wait" if sink["waiting"] else ""
        lost = f", {sink['lost']} were lost" if sink["lost"] else ""
        if sink["fault"] or lost:
            yield f"warning    alerts do not reach {sink['name']}: {sink['fault']}{waits}{lost}"
    for name in found.get("unknown_sinks", ()):
        yield f"warning    the ladder of alerts names {name!r}, and no sink is called that"


def _ledger_lines(status: dict[str, Any]) -> Iterator[str]:
    """Say what is amiss with the record; an older daemon does not know all of it."""
    if status.get("unrecorded"):
        yield f"warning    {status['unrecorded']} events could not be put on record"
    if status.get("unrecorded_waiting"):
        yield f"warning    {status['unrecorded_waiting']} events wait to be put on record"
    if status.get("ledger_error"):
        yield f"error      {status['ledger_error']}"
    if status.get("spooled"):
        yield f"warning    {status['spooled']} events wait in the spool"
    for kept in status.get("set_aside", ()):
        yield f"warning    a damaged ledger was set aside: {kept}"


def _consequences(files: list[str]) -> Iterator[str]:
    """Say what a mistake comes to: in the settings something else than in a contract."""
    if any(file.endswith(".toml") and "/contracts/" not in file for file in files):
        yield "           the last good settings stay in force"
    if any("/agents/" in file or "/contracts/" in file for file in files):
        yield "           an agent's edits are denied while its contract cannot be read"
