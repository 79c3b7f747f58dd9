"""What ``pointsman mcp-health`` hands to the daemon: what it has found, and what a person accepts.

The command probes where it is typed, in the environment of whoever types it; the daemon keeps what
comes of it. An agent that would make up a good answer only gets its calls through to a dead server.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from pointsman.mcp_health.book import Entry, as_row, health_of
from pointsman.mcp_health.watcher import Watcher
from pointsman.model.answer import Answer
from pointsman.model.errors import PointsmanError
from pointsman.model.places import Places
from pointsman.model.server_health import Phase
from pointsman.serve.insider import refuse_insider

_MOST_BODY = 8 * 1024 * 1024
_MOST_SERVERS = 256
_KEYS = ("name", "host", "root", "scope", "file", "transport", "where", "declared", "config")


class Keeps(Protocol):
    """Of the daemon, what is needed here."""

    places: Places
    servers: Watcher


def answer(daemon: Keeps, name: str, body: bytes, pid: int) -> Answer:
    """Carry out what process ``pid`` has sent; JSON on stdout: what it came to, or ``error``."""
    try:
        given = json.loads(body) if len(body) <= _MOST_BODY else None
        done = COMMANDS[name](daemon, given, pid)
    except PointsmanError as error:
        done = {"error": str(error), "fix": error.fix}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        done = {"error": f"what was sent is not understood: {error}", "fix": "pointsman up"}
    return Answer(0, json.dumps(done).encode())


def _probed(daemon: Keeps, given: Any, pid: int) -> dict[str, Any]:
    del pid
    return {"servers": take_in(daemon.servers, given["servers"])}


def _accept(daemon: Keeps, given: Any, pid: int) -> dict[str, Any]:
    refuse_insider(daemon.places, pid)
    return {"accepted": [each.file for each in daemon.servers.book.accept(str(given["name"]))]}


def held_up(servers: Watcher) -> list[dict[str, Any]]:
    """Return the servers whose breaker is not closed: name, host, root, phase, reason, retry."""
    return [
        {
            "name": each.name, "host": each.host, "root": each.root,
            "breaker": each.breaker.phase.value, "reason": each.breaker.reason,
            "retry_at_ns": each.breaker.retry_ns,
        }
        for each in servers.book.entries.values()
        if each.breaker.phase is not Phase.CLOSED
    ]  # fmt: skip


COMMANDS: Mapping[str, Callable[[Keeps, Any, int], dict[str, Any]]] = {
    "mcp-probed": _probed,
    "mcp-accept": _accept,
}


def take_in(
    servers: Watcher, rows: Sequence[Mapping[str, Any]], *, keep: bool = True
) -> list[dict[str, Any]]:
    """Take in what was found of servers; return each as it is known now."""
    out = []
    for row in rows[:_MOST_SERVERS]:
        texts: dict[str, Any] = {key: str(row[key]) for key in _KEYS}
        said = Entry(**texts)
        known = servers.book.entries.get(said.key)
        if known is not None and known.declared in {"", said.declared}:
            said = replace(said, server=known.server, baseline=known.baseline)
        out.append(as_row(servers.board.take(said, health_of(row["health"]))))
    if keep:
        servers.keep()
    return out
