"""``pointsman doctor``: prove that the installed hooks hold."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click

from pointsman.agents.claude_events import GUARDS, OPEN_ON_EVERY_VERSION, fails_open, version_text
from pointsman.agents.claude_findings import findings
from pointsman.agents.claude_install import Where, settings_texts
from pointsman.agents.claude_settings import SCOPES, is_ours, our_events
from pointsman.agents.claude_version import Client, installed
from pointsman.cli.doctor_gate import Finding, gate_findings, parsed
from pointsman.cli.host_settings import where
from pointsman.cli.own_server import server_findings
from pointsman.cli.places import cwd, home, places
from pointsman.cli.server_lines import server_findings as code_server_findings
from pointsman.cli.status import read_status
from pointsman.cli.up import start
from pointsman.hooks.canary import DOCTOR, RULE, TOOL
from pointsman.model.budget import HOST_TIMEOUT
from pointsman.model.errors import HostError, PointsmanError
from pointsman.paths.client_command import client_command
from pointsman.serve import state_dir


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Start each installed hook as the host would, with a call that must be denied.

    Also tells which client is started, for which events, and what fails open on this host.
    Ends with exit code 1 where something does not hold.
    """
    found = list(_examine())
    failed = any(finding.ok is False for finding in found)
    if as_json:
        rows = [asdict(finding) for finding in found]
        click.echo(json.dumps({"ok": not failed, "findings": rows}, indent=2))
    else:
        for finding in found:
            mark = {True: "ok  ", False: "FAIL", None: "note"}[finding.ok]
            click.echo(f"{mark} {finding.check}: {finding.text}")
            if finding.fix:
                click.echo(f"     next step: {finding.fix}")
    sys.exit(1 if failed else 0)


def _examine() -> Iterator[Finding]:
    yield from _own_state()
    yield from _hosts()
    # Any scope will do: the settings of all of them are read.
    settings = where(SCOPES[0])
    texts = settings_texts(settings)
    yield from _registered(texts)
    yield from _settings_problems(texts, settings)
    yield from _canaries(texts)
    yield from gate_findings(texts)
    yield from server_findings(settings)
    for way in OPEN_ON_EVERY_VERSION:
        yield Finding("open", None, f"nothing is checked when {way}")


def _own_state() -> Iterator[Finding]:
    shim = client_command()
    kind = "native" if shim.native else "Python (no compiled client here: slower, as safe)"
    yield Finding("client", True, f"{kind}: {' '.join(shim.argv)}")
    try:
        state_dir.prepare(places())
        status = start(places())
        yield Finding("daemon", True, f"process {status['pid']}, version {status['version']}")
        # Asked again, as a daemon that had to be started was not told of this directory.
        status = read_status(places(), cwd())
        for problem in status["config_errors"]:
            text = f"{problem['file']}:{problem['line']}: {problem['key']}: {problem['message']}"
            yield Finding("settings", False, text, problem["fix"])
        yield from code_server_findings(status)
        waiting = status["spooled"]
        if waiting:
            yield Finding("spool", None, f"{waiting} events wait to be taken in")
    except PointsmanError as error:
        yield Finding("daemon", False, str(error), error.fix)


def _hosts() -> Iterator[Finding]:
    try:
        clients = installed(os.environ, home())
    except HostError as error:
        # A note and no failure: the hooks may be there before the client is.
        yield Finding("host", None, str(error), error.fix)
        return
    for client in clients:
        yield _host(client)


def _host(client: Client) -> Finding:
    name = f"{client.path}, version {version_text(client.version)}"
    if client.problem:
        return Finding("host", False, f"{name}: {client.problem}")
    failures = fails_open(client.version)
    if failures:
        return Finding("host", False, f"{name} fails open: {'; '.join(failures)}", "claude update")
    return Finding("host", True, f"{name} stops a call whose guard fails")


def _registered(texts: Mapping[str, tuple[str, bytes | None]]) -> Iterator[Finding]:
    everywhere: frozenset[str] = frozenset()
    for scope, (name, data) in texts.items():
        events = our_events(parsed(data))
        everywhere |= events
        if events:
            yield Finding("registered", True, f"{len(events)} events in {name} ({scope})")
    lost = [name for name in GUARDS if name not in everywhere]
    if lost:
        yield Finding("registered", False, f"not for {', '.join(lost)}", "pointsman init")


def _settings_problems(
    texts: Mapping[str, tuple[str, bytes | None]], settings: Where
) -> Iterator[Finding]:
    del settings
    # A version that knows everything: what an older client lacks, _hosts says of each.
    for problem in findings(texts, (9999,)):
        text = f"{problem.file}:{problem.line}: {problem.key} {problem.message}"
        yield Finding("settings", False, text, problem.fix)


def _canaries(texts: Mapping[str, tuple[str, bytes | None]]) -> Iterator[Finding]:
    seen: set[tuple[str, ...]] = set()
    for name, data in texts.values():
        for argv in _commands(parsed(data)):
            # Once, as the host does: of equal entries in several scopes it runs one.
            if argv not in seen:
                seen.add(argv)
                yield _canary(argv, name)
                yield _harmless(argv, name)


def _commands(settings: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    hooks = settings.get("hooks")
    groups = hooks.get("PreToolUse") if isinstance(hooks, dict) else None
    for group in groups if isinstance(groups, list) else []:
        entries = group.get("hooks") if isinstance(group, dict) else None
        for entry in entries if isinstance(entries, list) else []:
            if is_ours(entry):
                yield (entry["command"], *entry.get("args", ()))


def _canary(argv: tuple[str, ...], name: str) -> Finding:
    """Start the hook as the host would, with a call that must be denied."""
    done = _deliver(argv, TOOL)
    if isinstance(done, str):
        return Finding("canary", False, f"{name}: {done}", "pointsman init")
    text = done.stderr.decode(errors="replace").strip()
    # The exit code alone proves nothing: every failure of ours ends in 2, too.
    if done.returncode == 2 and f"[{RULE} " in text:
        return Finding("canary", True, f"denied, as it must be ({name})")
    return Finding("canary", False, f"exit code {done.returncode}: {text[:300]}", "pointsman up")


def _harmless(argv: tuple[str, ...], name: str) -> Finding:
    # A hook that stops everything would pass the canary.
    done = _deliver(argv, "PointsmanHarmless")
    if isinstance(done, str):
        return Finding("harmless", False, f"{name}: {done}", "pointsman init")
    if done.returncode == 0 and not done.stdout:
        return Finding("harmless", True, f"a harmless call passes in silence ({name})")
    text = done.stderr.decode(errors="replace").strip()[:300]
    return Finding("harmless", False, f"exit code {done.returncode}: {text}", "pointsman explain")


def _deliver(argv: tuple[str, ...], tool: str) -> subprocess.CompletedProcess[bytes] | str:
    payload = {
        "session_id": DOCTOR,
        "hook_event_name": "PreToolUse",
        "cwd": cwd(),
        "tool_name": tool,
        "tool_input": {},
        "tool_use_id": f"doctor-{tool}",
    }
    try:
        return subprocess.run(
            argv,
            input=json.dumps(payload).encode(),
            capture_output=True,
            timeout=HOST_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{argv[0]} cannot be run: {error}"
