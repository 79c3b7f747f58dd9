"""The stream of figures: every so many seconds what the ledger's sums are, to one sink."""

import threading
import time

from pointsman.model.errors import LedgerError
from pointsman.relay.measures import measured
from pointsman.relay.progress import Position
from pointsman.relay.streams import World
from pointsman.telemetry.post import NotDelivered
from pointsman.telemetry.sink import METRICS, Reject, Sink
from pointsman.telemetry.to_otlp import deliver_figures


class FigureStream:
    """Sends figures until it is ended. They add up: one that fails is made up for by the next."""

    def __init__(self, sink: Sink, world: World, every_s: float) -> None:
        self.name = f"{sink.name}/{METRICS}"
        self.position: Position = world.progress.of(self.name)
        self._sink, self._world, self._every = sink, world, every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=self.name)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End after what is under way."""
        self._ended.set()

    def join(self, within: float) -> None:
        """Wait for the end."""
        self._thread.join(within)

    def _run(self) -> None:
        pause = min(2.0, self._every)
        while not self._ended.wait(pause):
            pause = self._every
            try:
                self.turn()
            except Exception as error:  # noqa: BLE001 - the edge of a thread: it goes on, and says so
                self._failed(f"{type(error).__name__}: {error}"[:200])

    def turn(self) -> None:
        """Send the figures once."""
        position = self.position
        try:
            deliver_figures(self._sink, measured(self._world, time.time_ns()))
        except Reject as error:
            position.rejected += error.count
        except (NotDelivered, LedgerError, OSError, ValueError) as error:
            self._failed(str(error))
            return
        if position.fault:
            self._world.say("telemetry sent again", f"{self.name} takes figures again")
        position.sent, position.fault, position.failures = position.sent + 1, "", 0
        self._world.progress.keep()

    def _failed(self, why: str) -> None:
        position = self.position
        if why != position.fault:
            self._world.say("telemetry not sent", f"{self.name}: {why}")
        position.fault = why
        position.failures += 1
        self._world.progress.keep()
