"""An MCP server that is gone: its calls fail one after the other.

Few in a row are enough where the errors say that nobody answers; with other errors it takes more.
Any call that ends well begins the count anew.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.model.alert import Severity
from pointsman.model.events import PostToolBatch, PostToolUse, PostToolUseFailure
from pointsman.watch.detector import Detector, Seen, Sight

_MOST_SERVERS = 64
_MOST_TEXT = 2000
_GONE = re.compile(
    r"not connected|connection (?:closed|lost|refused|reset|error)|disconnected|unreachable"
    r"|econnre(?:fused|set)|epipe|enotfound|broken pipe|socket hang up|timed? ?out|server (?:is )?"
    r"(?:down|unavailable|not running|exited|crashed)|failed to (?:connect|reconnect)|-3200[01]"
    r"|\b50[234]\b|no such tool available",
    re.IGNORECASE,
)
"""Words of errors that say that nobody answers (-32000 and -32001 are what MCP's own libraries
give for a connection that was closed and for a request that took too long)."""


class McpDown(Detector):
    """Finds servers whose calls fail in a row."""

    def __init__(self, limits: Mapping[str, float], kin: dict[str, Any]) -> None:
        super().__init__(limits, kin)
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """By server: failures in a row, and how many of them say that it is gone."""

    def event(self, seen: Seen) -> Sight | None:
        """Count a call of an MCP server."""
        found = None
        for server, error in _outcomes(seen):
            if error is None:
                self._failures.pop(server, None)
                continue
            found = self._failed(server, error, seen) or found
        return found

    def gone(self, key: str, now_ns: int) -> bool:
        """Whether a call of it has ended well since."""
        del now_ns
        return key not in self._failures

    def _failed(self, server: str, error: str, seen: Seen) -> Sight | None:
        failures, gone = self._failures.get(server, (0, 0))
        failures, gone = failures + 1, gone + bool(_GONE.search(error[:_MOST_TEXT]))
        self._failures[server] = failures, gone
        self._failures.move_to_end(server)
        if len(self._failures) > _MOST_SERVERS:
            self._failures.popitem(last=False)
        if gone < self.limits["warn"] and failures < self.limits["critical"]:
            return None
        return Sight(
            key=server,
            severity=Severity.CRITICAL,
            summary=f"the MCP server {server!r} has failed {failures} calls in a row, the last: "
            f"{error.strip()[:200]}",
            figures={"failures": failures, "gone": gone, "server": server},
            seqs=(seen.seq,),
        )


def _outcomes(seen: Seen) -> Iterator[tuple[str, str | None]]:
    """Yield each call of a server, with its error or ``None``."""
    event = seen.event
    if isinstance(event, PostToolUseFailure) and not event.is_interrupt:
        yield from _of(event.tool_name, event.error)
    elif isinstance(event, PostToolUse):
        yield from _of(event.tool_name, None)
    elif isinstance(event, PostToolBatch):
        for call in event.tool_calls[:64]:
            # Of a tool that is gone with its server no other event tells.
            told, name = call.get("tool_response"), call.get("tool_name")
            if isinstance(told, str) and isinstance(name, str) and "No such tool" in told[:200]:
                yield from _of(name, told)


def _of(tool: str, error: str | None) -> Iterator[tuple[str, str | None]]:
    if tool.startswith("mcp__"):
        yield tool[5:].partition("__")[0], error
