"""``pointsman decide``: payloads in, one decision a line out, by the code that the hook runs."""

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import click

from pointsman.agents.all_agents import AGENTS
from pointsman.case import Delivery, as_row
from pointsman.cli.covered import echo_json
from pointsman.cli.dry_run import DryRun, delivery_of
from pointsman.cli.places import cwd, places
from pointsman.cli.up import start
from pointsman.model.answer import Answer
from pointsman.model.errors import TransportError
from pointsman.model.places import Places
from pointsman.serve import protocol, state_dir

_MOST_LINE = 64 * 1024 * 1024
"""Bytes of a line that are looked at; of a longer one the rest is only counted."""
_WITHIN = 30.0


@click.command()
@click.option(
    "--host", type=click.Choice(sorted(AGENTS)), default="claude-code", show_default=True,
    help="Whose payloads these are.",
)  # fmt: skip
@click.option("--record", is_flag=True, help="Put every decision on record, through the daemon.")
@click.option("--json", "_json", is_flag=True, help="Print JSON lines, as it always does.")
def command(host: str, record: bool, _json: bool) -> None:
    """Read native payloads as JSON lines on stdin; answer each with one line, in order.

    A line has decision (deny, ask, modify, allow or none), rule, reason, hook and ms. A line
    that cannot be read as a payload, or is empty, is answered too: as the hook would answer it,
    with a denial. A line is answered before the next one is read.
    """
    if sys.stdin.isatty():
        click.echo("One payload a line, as JSON; ^D ends.", err=True)
    where = places()
    here = cwd()
    # Lazy all the way, or no line were answered before the last one is read.
    deliveries = (delivery_of(line, host, here, size) for line, size in _lines(sys.stdin.buffer))
    rows = _recorded(where, deliveries) if record else _decided(where, deliveries)
    for row in rows:
        echo_json(row)


def _lines(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield each line without its end, and how many bytes it has."""
    while line := stream.readline(_MOST_LINE):
        more = 0
        ended = line.endswith(b"\n")
        # The rest is read away, lest it pass for a line of its own.
        while not ended and (rest := stream.readline(1024 * 1024)):
            more += len(rest)
            ended = rest.endswith(b"\n")
        payload = line.strip()
        yield payload, len(payload) + more


def _decided(where: Places, deliveries: Iterable[Delivery]) -> Iterator[dict[str, Any]]:
    """Decide in this process."""
    with DryRun(where) as dry:
        for delivery in deliveries:
            yield as_row(dry.handle(delivery)[1])


def _recorded(where: Places, deliveries: Iterable[Delivery]) -> Iterator[dict[str, Any]]:
    """Have the daemon decide, which puts it on record."""
    start(where)
    for delivery in deliveries:
        header = {
            # A daemon gives way to a newer client; this is none.
            "version": "",
            "client": "decide",
            "host": delivery.host,
            # A lone surrogate in the payload's event would not go into the frame.
            "event": delivery.event.encode("utf-8", "backslashreplace").decode(),
            "size": str(delivery.size),
            "cwd": delivery.cwd,
            "transport": delivery.transport,
            "detail": "1",
        }
        answer = _exchange(where, protocol.request(header, delivery.payload))
        if not answer.stdout:
            reason = answer.stderr.decode(errors="replace").strip()
            raise TransportError(f"the daemon could not decide: {reason}", fix="pointsman doctor")
        row: dict[str, Any] = json.loads(answer.stdout)
        yield row


def _exchange(where: Places, frame: bytes) -> Answer:
    data = bytearray()
    try:
        with state_dir.connect(where.socket, within=_WITHIN) as connection:
            connection.sendall(frame)
            while chunk := connection.recv(65536):
                data += chunk
    except OSError as error:
        raise TransportError(
            f"the daemon on {where.socket} went away: {error.strerror or error}",
            fix="pointsman up, then the rest of the lines again",
        ) from error
    return protocol.read_answer(bytes(data))
