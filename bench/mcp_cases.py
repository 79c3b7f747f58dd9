"""Growing input for what is said of MCP servers: many of them, and long names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.guidance_cases import Prepare, asked, who
from bench.rig import Rig
from pointsman.hooks.all_hooks import SHIPPED
from pointsman.hooks.kit import Kit
from pointsman.model.event import Event
from pointsman.model.events import PreToolUse, SessionStart
from pointsman.model.policy import Policy
from pointsman.model.server_health import (
    Breaker,
    Health,
    NobodyWatches,
    Refusal,
    Server,
    Standing,
    Verdict,
)

_EACH = 128


class _Told(NobodyWatches):
    """Who says of every server that it is down."""

    def __init__(self, standings: Sequence[Standing] = (), reason: str = "") -> None:
        self._standings = standings
        self._reason = reason

    def watched(self, event: Event) -> bool:
        del event
        return True

    def refusal(self, event: Event) -> Refusal | None:
        del event
        return Refusal("issues", self._reason, 5.0, probed=True)

    async def at_start(
        self, event: Event, within: float, settings: Mapping[str, Any]
    ) -> Sequence[Standing]:
        del event, within, settings
        return self._standings


def start_cases(made: Rig) -> list[tuple[str, Prepare, int]]:
    """Give a session more and more servers that are down."""

    def prepare(size: int, number: int) -> Callable[[], object]:
        standings = [
            Standing(
                server=Server(name=f"s{number}-{each}", host="h", scope="user", file="f",
                              transport="http"),
                health=Health(verdict=Verdict.DOWN, detail="nobody listens", at_ns=0),
                breaker=Breaker(),
            )
            for each in range(size // _EACH)
        ]  # fmt: skip
        hook = SHIPPED["mcp-health"](Policy(), Kit(places=made.places, servers=_Told(standings)))
        return asked(hook, SessionStart(identity=who(made), source="startup"))

    return [("servers that are down", prepare, 256 * 1024)]


def breaker_cases(made: Rig) -> list[tuple[str, Prepare, int]]:
    """Give a call of a server that is down a longer and longer reason."""

    def prepare(size: int, number: int) -> Callable[[], object]:
        told = _Told(reason=f"{number} {'x' * size}")
        hook = SHIPPED["mcp-breaker"](Policy(), Kit(places=made.places, servers=told))
        event = PreToolUse(identity=who(made), tool_name=f"mcp__s__{'t' * size}", tool_input={})
        return asked(hook, event)

    return [("a long reason", prepare, 512 * 1024)]
