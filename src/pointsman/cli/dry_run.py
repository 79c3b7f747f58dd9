"""Deciding in this process: by the daemon's own steps, with nothing recorded, nobody watching."""

import asyncio
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from pointsman.assembly import Setups
from pointsman.case import MOST_PAYLOAD, Case, Delivery, Handled
from pointsman.config.policy_loader import PolicyLoader
from pointsman.engine.run import Clock
from pointsman.model.places import Places
from pointsman.runtime import Runtime

_UNREADABLE = "PreToolUse"
"""What a payload that does not say its event is taken for: somebody may wait for a yes or no."""


def delivery_of(payload: bytes, host: str, cwd: str, size: int = -1) -> Delivery:
    """Return what a client would hand over for this payload; ``size`` if it was longer."""
    return Delivery(
        host=host,
        event=event_name(payload),
        # Cut where a client cuts, so that it is refused as it would be there.
        payload=payload[:MOST_PAYLOAD],
        size=max(size, len(payload)),
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


@dataclass(slots=True)
class DryRun:
    """A runtime without a record, and the loop for hooks that have to be waited for.

    To be used as a context: what the hooks started is ended with it.
    """

    where: Places
    clock: Clock = field(default_factory=Clock)
    _setups: Setups = field(init=False)
    _runtime: Runtime = field(init=False)
    _loop: asyncio.AbstractEventLoop = field(init=False)

    def __enter__(self) -> Self:
        self._setups = Setups(PolicyLoader(self.where), self.where, live=False)
        # As the daemon does at its start: no hook's time is to hold the reading of the rules.
        self._setups.secrets.load()
        self._runtime = Runtime(self._setups, None, self.clock)
        # One loop for all deliveries: a resident worker lives on the loop that started it.
        self._loop = asyncio.new_event_loop()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            # First: ending the workers needs a loop that still turns.
            self._loop.run_until_complete(self._setups.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    def handle(self, delivery: Delivery) -> tuple[Case, Handled]:
        """Decide about one delivery, as ``serve.daemon`` does for one request."""
        case = self._runtime.open(delivery)
        if not case.at_once:
            return case, self._loop.run_until_complete(self._runtime.finish(case))
        handled = self._runtime.finish_at_once(case)
        # Nothing is recorded, but the lineage has to learn of a denial; `finish` tells it itself.
        self._runtime.recorded(case, handled, None)
        return case, handled
