"""``pointsman decide``: payloads in, one decision a line out, by the code that the hook runs."""

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click

from pointsman.assembly import Setups
from pointsman.cli.places import places
from pointsman.cli.up import start
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.answer import Answer
from pointsman.model.errors import TransportError
from pointsman.model.places import Places
from pointsman.runtime import MOST_PAYLOAD, Delivery, Runtime, as_row
from pointsman.serve import protocol, state_dir

_UNREADABLE = "PreToolUse"
"""What a payload that does not say its event is taken for: somebody may wait for a yes or no."""


@click.command()
@click.option("--host", default="claude-code", show_default=True, help="Whose payloads these are.")
@click.option("--record", is_flag=True, help="Put every decision on record, through the daemon.")
def command(host: str, record: bool) -> None:
    """Read native payloads as JSON lines on stdin; answer each with one line, in order.

    A line has decision (deny, ask, modify, allow or none), rule, reason, hook and ms. A payload
    that cannot be read is answered too: as the hook would, with a denial.
    """
    where = places()
    deliveries = _deliveries(sys.stdin.buffer, host, os.getcwd())  # noqa: PTH109 - as it is called
    rows = _recorded(where, deliveries) if record else _decided(where, deliveries)
    for row in rows:
        click.echo(json.dumps(row))


def _deliveries(lines: Iterable[bytes], host: str, cwd: str) -> Iterator[Delivery]:
    for line in lines:
        payload = line.strip()
        if payload:
            yield Delivery(
                host=host,
                event=event_name(payload),
                payload=payload[:MOST_PAYLOAD],
                size=len(payload),
                cwd=cwd,
                transport="decide",
            )


def event_name(payload: bytes) -> str:
    """Return the event that a payload says it is, or a guard event where it says none."""
    try:
        name = json.loads(payload)["hook_event_name"]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError):
        return _UNREADABLE
    return name if isinstance(name, str) and name else _UNREADABLE


def _decided(where: Places, deliveries: Iterable[Delivery]) -> Iterator[dict[str, Any]]:
    """Decide in this process, with one event loop for all of them."""
    setups = Setups(PolicyLoader(where), where)
    runtime = Runtime(setups, None)
    with asyncio.Runner() as runner:
        for delivery in deliveries:
            yield as_row(runner.run(runtime.handle(delivery)))
        runner.run(runtime.settle())
        runner.run(setups.close())


def _recorded(where: Places, deliveries: Iterable[Delivery]) -> Iterator[dict[str, Any]]:
    """Have the daemon decide, which puts it on record."""
    start(where)
    for delivery in deliveries:
        header = {
            "version": "",
            "client": "decide",
            "host": delivery.host,
            "event": delivery.event,
            "size": str(delivery.size),
            "cwd": delivery.cwd,
            "transport": delivery.transport,
            "detail": "1",
        }
        answer = _exchange(where, protocol.request(header, delivery.payload))
        if not answer.stdout:
            raise TransportError(answer.stderr.decode(errors="replace").strip())
        row: dict[str, Any] = json.loads(answer.stdout)
        yield row


def _exchange(where: Places, frame: bytes) -> Answer:
    with state_dir.connect(where.socket, within=30.0) as connection:
        connection.sendall(frame)
        data = bytearray()
        while chunk := connection.recv(65536):
            data += chunk
    return protocol.read_answer(bytes(data))
