"""What our own commands ask the daemon, over the same socket."""

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pointsman import __version__
from pointsman.lsp.keeper import Keeper
from pointsman.mcp_health.watcher import Watcher
from pointsman.model.answer import Answer
from pointsman.model.errors import DaemonUnreachable, TransportError
from pointsman.model.places import Places
from pointsman.model.policy import Policy, Problem
from pointsman.model.secret import Secrets
from pointsman.paths.repository import anchored_root
from pointsman.serve import alert_answer, mcp_answer, protocol, state_dir, verdict
from pointsman.serve.alerting import Alerting
from pointsman.serve.dashboard import Dashboard
from pointsman.serve.holding import Holding
from pointsman.serve.keeping import Keeping
from pointsman.serve.peer import peer_pid
from pointsman.serve.purging import hand_over, purge
from pointsman.serve.relay import Relay
from pointsman.store.approvals import waiting_in
from pointsman.store.backlog import Backlog
from pointsman.store.ledger_file import beside
from pointsman.store.spool import waiting

HOST = "pointsman"
"""The host name under which our own commands speak."""

_MOST_WAIT = 10.0


class Controlled(Protocol):
    """What of the daemon can be asked for."""

    places: Places
    started: float
    answered: int
    unrecorded: int
    backlog: Backlog
    holding: Holding
    keeping: Keeping
    dashboard: Dashboard
    relay: Relay
    code_servers: Keeper
    alerting: Alerting
    servers: Watcher

    @property
    def secrets(self) -> Secrets:
        """What covers secrets."""

    @property
    def in_flight(self) -> int:
        """How many requests wait for a hook."""

    def stop(self) -> None:
        """Begin to stop."""

    def policy(self, repository: str | None) -> Policy:
        """Return the policy in force."""


class Asker(Protocol):
    """Who is at the other end, and what came behind the header."""

    @property
    def socket(self) -> socket.socket:
        """The connection."""

    @property
    def body(self) -> bytes:
        """The bytes of the request."""


def answer(daemon: Controlled, header: Mapping[str, str], asker: "Asker | None" = None) -> Answer:
    """Answer a command of ours with JSON on stdout."""
    name = header.get("event", "")
    if name in verdict.COMMANDS and asker is not None:
        return verdict.answer(daemon.places, name, asker.body, peer_pid(asker.socket))
    if name in alert_answer.COMMANDS and asker is not None:
        pid = peer_pid(asker.socket)
        return alert_answer.answer(daemon.places, daemon.alerting.desk, name, asker.body, pid)
    if name == "hand-over" and asker is not None:
        return hand_over(daemon.places, daemon.keeping.ledger, peer_pid(asker.socket))
    if name in mcp_answer.COMMANDS and asker is not None:
        return mcp_answer.answer(daemon, name, asker.body, peer_pid(asker.socket))
    command = _COMMANDS.get(name)
    if command is None:
        return Answer(2, b"", f"no such command: {header.get('event')!r}\n".encode())
    return Answer(0, json.dumps(command(daemon, header)).encode())


def ask(
    places: Places,
    command: str,
    cwd: str = "",
    body: bytes = b"",
    more: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Ask the daemon, from a command; ``more`` are further lines of the request's header.

    Raises:
        DaemonUnreachable: nobody listens.
        TransportError: somebody listens who does not answer as agreed.
    """
    header = {"host": HOST, "event": command, "cwd": cwd, **(more or {})}
    frame = protocol.request(header, body)
    try:
        with state_dir.connect(places.socket, _MOST_WAIT) as connection:
            connection.sendall(frame)
            data = bytearray()
            while chunk := connection.recv(65536):
                data += chunk
    except (FileNotFoundError, ConnectionRefusedError) as error:
        # A socket that a killed daemon left behind refuses the connection: nobody listens.
        raise DaemonUnreachable(
            f"no daemon listens on {places.socket}", fix="pointsman up"
        ) from error
    except (NotADirectoryError, PermissionError) as error:
        state_dir.prepare(places)  # Says what is wrong with it, and what to type.
        raise DaemonUnreachable(str(error), fix="pointsman up") from error
    except OSError as error:
        raise TransportError(
            f"the daemon on {places.socket} does not answer: {error}", fix="pointsman up --restart"
        ) from error
    given = protocol.read_answer(bytes(data))
    if given.code != 0:
        raise TransportError(
            given.stderr.decode(errors="replace").strip(), fix="pointsman up --restart"
        )
    try:
        value: dict[str, Any] = json.loads(given.stdout)
    except ValueError as error:
        raise TransportError(
            f"the daemon on {places.socket} answers {given.stdout[:80]!r}",
            fix="pointsman up --restart",
        ) from error
    return value


def describe(places: Places, policy: Policy) -> dict[str, Any]:
    """Return what can be said of a policy, with or without a daemon."""
    return {
        "socket": str(places.socket),
        "ledger": str(places.ledger),
        "approvals_waiting": waiting_in(places.approvals),
        "set_aside": [str(path) for path in beside(places.ledger)],
        "repository": policy.repository,
        "config_files": list(policy.files),
        "config_errors": [_problem(problem) for problem in policy.problems],
        "hooks": [
            {"name": hook.name, "role": hook.role.value, "skipped": hook.skip}
            for hook in policy.hooks
        ],
        "checks_skipped": _skipped(policy),
    }


def _skipped(policy: Policy) -> list[str]:
    """Return why commands of contracts are not run when an agent ends, each file once."""
    contracts = (each for several in policy.contracts.values() for each in several)
    reasons = (check.skip for each in contracts for check in each.post_complete if check.skip)
    return list(dict.fromkeys(reasons))


def _status(daemon: Controlled, header: Mapping[str, str]) -> dict[str, Any]:
    # A command belongs to no session: it is about the directory that it is typed in.
    policy = daemon.policy(anchored_root("", header.get("cwd", "")))
    return {
        "running": True,
        "pid": os.getpid(),
        "version": __version__,
        "uptime_s": round(time.monotonic() - daemon.started, 1),
        "answered": daemon.answered,
        "in_flight": daemon.in_flight,
        "unrecorded": daemon.unrecorded,
        "unrecorded_waiting": len(daemon.backlog),
        "ledger_error": daemon.backlog.error,
        "spooled": len(waiting(daemon.places.spool)),
        "sandbox": daemon.holding.described(),
        "audit": daemon.keeping.status(),
        "dashboard": daemon.dashboard.described(),
        "alerts": daemon.alerting.status(),
        "telemetry": daemon.relay.described(),
        "code_servers": daemon.code_servers.status(),
        "mcp_breakers": mcp_answer.held_up(daemon.servers),
        **describe(daemon.places, policy),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    keys = ("file", "line", "key", "value", "message", "fix")
    return {key: getattr(problem, key) for key in keys}


def _stop(daemon: Controlled, header: Mapping[str, str]) -> dict[str, Any]:
    del header
    # This only sets a flag: the answer still leaves in this turn of the loop.
    daemon.stop()
    return {"stopping": True, "pid": os.getpid()}


_COMMANDS: dict[str, Callable[[Controlled, Mapping[str, str]], dict[str, Any]]] = {
    "status": _status,
    "stop": _stop,
    "purge": lambda daemon, header: purge(daemon.keeping.ledger, daemon.secrets.json, header),
}
