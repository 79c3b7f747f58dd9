"""``pointsman mcp-health``: which MCP servers work, and what helps where one does not."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import click

from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import cwd, home, places
from pointsman.config.policy_loader import PolicyLoader
from pointsman.mcp_health.discover import servers
from pointsman.mcp_health.hosts.all_hosts import HOSTS
from pointsman.mcp_health.look import Look
from pointsman.mcp_health.probe import probe
from pointsman.mcp_health.recipe import LOST_AFFINITY
from pointsman.mcp_health.watcher import TIMEOUT, Watcher
from pointsman.model.errors import DaemonUnreachable, HostError
from pointsman.model.places import Places
from pointsman.model.server_health import ANSWERS, FAILING, Phase, Server, Verdict
from pointsman.paths.repository import anchored_root
from pointsman.serve import control
from pointsman.serve.mcp_answer import take_in

_AT_ONCE = 8
_NEXT: Mapping[str, str] = {
    Verdict.DOWN: "start it, or take it out of {file}",
    Verdict.WEDGED: "end it and look at its log; it is declared in {file}",
    Verdict.UNKNOWN: "see {file}",
}


@click.command()
@click.option("--watch", is_flag=True, help="Go on, and print what changes.")
@click.option(
    "--every", default=30.0, show_default=True, type=click.FloatRange(1, 86_400),
    help="With --watch: seconds between two looks.",
)  # fmt: skip
@click.option("--host", "hosts", multiple=True, type=click.Choice(tuple(HOSTS)),
              help="Only the servers of this host; repeatable. Default: all.")  # fmt: skip
@click.option("--server", "names", multiple=True, help="Only this server; repeatable.")
@click.option(
    "--unapproved", is_flag=True,
    help="Probe what nobody has approved, too. To start a server is to run its code.",
)  # fmt: skip
@click.option("--accept", metavar="NAME", help="Take this server's tools for right as they are.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    watch: bool, every: float, hosts: tuple[str, ...], names: tuple[str, ...],
    unapproved: bool, accept: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Probe the MCP servers that agents would use here; exit 1 where one does not work.

    Secrets of headers and variables are sent to their own server, and never shown.
    """
    if accept is not None:
        _accept(accept)
        return
    before: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    while True:
        look = _look()
        rows = _probed(look, hosts, names, unapproved=unapproved)
        now = {_key(row): _mark(row) for row in rows}
        if not before:
            _print(rows, look, as_json=as_json, watch=watch)
        else:
            for row in rows:
                if before.get(_key(row)) != _mark(row):
                    _print_change(row, as_json=as_json)
        if not watch:
            break
        before = now
        time.sleep(every)
    if any(row["health"]["verdict"] in FAILING for row in rows):
        raise SystemExit(1)


def _look() -> Look:
    directory = cwd()
    own = os.environ.get("CLAUDE_CONFIG_DIR", "")
    return Look(
        home=home(), repository=anchored_root("", directory) or "", cwd=directory,
        host_config=own, environ=dict(os.environ),
    )  # fmt: skip


def _probed(
    look: Look, hosts: Sequence[str], names: Sequence[str], *, unapproved: bool
) -> list[dict[str, Any]]:
    where = places()
    policy = PolicyLoader(where).policy_for(look.repository or None)
    within = policy.mcp_health.get("timeout", TIMEOUT)
    found = [
        replace(each, held="") if unapproved or _is_harmless(each) else each
        for each in servers(look, hosts or tuple(HOSTS))
        if not names or each.name in names
    ]
    if names and not found:
        raise HostError(
            f"no host declares an MCP server called {', '.join(names)} here",
            fix="pointsman mcp-health",
        )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        healths = list(pool.map(lambda each: probe(each, within, look.environ), found))
    rows = [
        {**_said(server, look), "health": asdict(health)}
        for server, health in zip(found, healths, strict=True)
    ]
    return _kept(where, rows)


def _is_harmless(server: Server) -> bool:
    """Whether to ask a server runs nothing and tells nobody anything: no child, no variable."""
    return server.transport != "stdio" and not server.variables


def _said(server: Server, look: Look) -> dict[str, Any]:
    return {
        "name": server.name, "host": server.host, "root": server.root, "scope": server.scope,
        "file": server.file, "transport": server.transport, "where": server.where,
        "declared": server.declared, "config": look.host_config,
    }  # fmt: skip


def _kept(where: Places, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hand what was found to the daemon, or keep it oneself; return it with what was known."""
    try:
        done = control.ask(where, "mcp-probed", body=json.dumps({"servers": rows}).encode())
    except DaemonUnreachable:
        policies = PolicyLoader(where)
        alone = Watcher(
            where.mcp_health, lambda root: policies.policy_for(root).mcp_health, lambda: os.environ
        )
        return take_in(alone, rows, keep=where.state.is_dir())
    if "error" in done:
        raise HostError(done["error"], fix=done["fix"])
    found: list[dict[str, Any]] = done["servers"]
    return found


def _accept(name: str) -> None:
    done = control.ask(places(), "mcp-accept", body=json.dumps({"name": name}).encode())
    if "error" in done:
        raise HostError(done["error"], fix=done["fix"])
    if not done["accepted"]:
        raise HostError(f"no server called {name!r} was probed yet", fix="pointsman mcp-health")
    click.echo(f"the tools of {name} are taken for right as they are")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["host"], row["root"], row["name"])


def _mark(row: Mapping[str, Any]) -> tuple[Any, ...]:
    health = row["health"]
    return (health["verdict"], tuple(health["drift"]), row["breaker"]["phase"])


def _print(rows: list[dict[str, Any]], look: Look, *, as_json: bool, watch: bool) -> None:
    if as_json:
        shown = {"servers": [_public(row) for row in rows], "problems": look.problems}
        echo_json(shown, indent=None if watch else 2)
        return
    if not rows:
        click.echo("No host declares an MCP server here.")
    for row in rows:
        click.echo(covered("\n".join(_lines(row))))
    for problem in look.problems:
        click.echo(covered(f"warning: {problem}"))
    if any(row["health"]["verdict"] == Verdict.AFFINITY for row in rows):
        click.echo("\n" + LOST_AFFINITY.rstrip())


def _print_change(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(_public(row))
        return
    at = datetime.now(UTC).strftime("%H:%M:%S")
    click.echo(covered("\n".join([f"{at} UTC", *_lines(row)])))


def _public(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as it is printed: flat, without what only the book needs."""
    health, breaker = row["health"], row["breaker"]
    shown = {key: row[key] for key in ("name", "host", "scope", "file", "transport", "where")}
    figures = ("detail", "era", "latency_ms", "tools_hash", "sessions")
    return {
        **shown, "verdict": health["verdict"], **{key: health[key] for key in figures},
        "works": health["verdict"] in ANSWERS, "tools": sorted(health["tools"]),
        "drift": list(health["drift"]), "codes": list(health["codes"]),
        "breaker": breaker["phase"], "breaker_reason": breaker["reason"],
        "retry_at_ns": breaker["retry_ns"] if breaker["phase"] == Phase.OPEN else None,
    }  # fmt: skip


def _lines(row: Mapping[str, Any]) -> Iterator[str]:
    health, breaker = row["health"], row["breaker"]
    yield f"{row['name']}  {health['verdict']}  ({row['host']}, {row['scope']}: {row['where']})"
    figures = [health["detail"]]
    if health["era"]:
        figures.append(f"protocol {health['era']}")
    if health["latency_ms"] is not None:
        figures.append(f"tools/list {health['latency_ms']:g} ms")
    if health["tools_hash"]:
        figures.append(f"tools {health['tools_hash']}")
    yield "  " + ", ".join(figures)
    for change in health["drift"][:20]:
        yield f"  drift: {change} (all right? pointsman mcp-health --accept {row['name']})"
    if breaker["phase"] != Phase.CLOSED:
        yield f"  breaker {breaker['phase']}: {breaker['reason']}{_retry(breaker)}"
    step = _NEXT.get(health["verdict"], "")
    if step:
        yield f"  next step: {step.format(file=row['file'])}"


def _retry(breaker: Mapping[str, Any]) -> str:
    if breaker["phase"] != Phase.OPEN:
        return ""
    seconds = max(0.0, (breaker["retry_ns"] - time.time_ns()) / 1e9)
    return f" (next try in {seconds:.0f} s)"
