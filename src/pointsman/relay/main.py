"""The life of the relay's process: from the settings to its streams, until standard input ends."""

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from pointsman import __version__
from pointsman.model.places import Places
from pointsman.relay.door import Door
from pointsman.relay.figures import FigureStream
from pointsman.relay.progress import Progress
from pointsman.relay.streams import Stream, World
from pointsman.relay.tally import Tally
from pointsman.telemetry.all_sinks import KINDS
from pointsman.telemetry.otlp import resource_of
from pointsman.telemetry.sink import CHATS, METRICS, TRACES, sink_of

_NICE = 10
"""Whoever answers agents comes first, where there are few processors."""
_ENDS_WITHIN = 2.0
_MOST_SETTINGS = 1024 * 1024
_saying = threading.Lock()


def main(places: Places, orders: IO[bytes]) -> None:
    """Serve until the daemon closes the pipe, or has died."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    settings: Mapping[str, Any] = json.loads(orders.readline(_MOST_SETTINGS))
    progress = Progress(places.telemetry)
    backfill = settings.get("backfill_hours", 1.0) * 3600
    tally = Tally(places.ledger)
    world = World(places.ledger, progress, say, backfill_s=backfill, tally=tally)
    door = Door(places, settings, world)
    running = streams_of(places, settings, world)
    try:
        door.start()
        progress.keep()
        if settings.get("prometheus") or any(isinstance(each, FigureStream) for each in running):
            tally.start()
        for each in running:
            each.start()
        orders.read()
    finally:
        for each in running:
            each.end()
        door.close()
        tally.end()
        deadline = time.monotonic() + _ENDS_WITHIN
        for each in running:
            each.join(max(0.0, deadline - time.monotonic()))
        progress.keep()


def streams_of(
    places: Places, settings: Mapping[str, Any], world: World
) -> list[Stream | FigureStream]:
    """Return a stream for each signal of each sink; a sink that cannot be used is told."""
    resource = resource_of(__version__, str(places.state))
    out: list[Stream | FigureStream] = []
    for given in settings.get("sinks", ()):
        try:
            sink = sink_of(given, KINDS[given["kind"]].signals, resource, __version__)
        except (OSError, ValueError) as error:
            world.progress.of(f"{given['name']}/-").fault = str(error)
            world.say("telemetry not sent", f"{given['name']}: {error}")
            continue
        for signal in sink.signals:
            if signal == METRICS:
                every = float(settings.get("metrics_seconds", 60.0))
                out.append(FigureStream(sink, world, every))
            else:
                out.append(Stream(sink, signal, world))
            if signal == TRACES:
                out.append(Stream(sink, CHATS, world))
    return out


def say(kind: str, text: str) -> None:
    """Have the daemon put a word on record; where it is gone, nobody hears it."""
    with _saying, contextlib.suppress(OSError, ValueError):
        sys.stdout.write(json.dumps({"kind": kind, "text": text[:1000]}) + "\n")
        sys.stdout.flush()
