"""The settings of MCP health. A repository may say all of it: nothing here guards anything."""

from collections.abc import Mapping
from typing import Any

from pointsman.config.specs import Flag, Many, Number, Table, Text

_DAY = 86_400

MCP_HEALTH = Table(
    "How MCP servers fare (docs/mcp-health.md).",
    {
        "enabled": Flag(
            "Whether servers are probed and their calls held up. Off in the user's file is off "
            "everywhere. Default: true."
        ),
        "breaker": Flag(
            "Whether calls of a server that is down are held up. Off in the user's file is off "
            "everywhere. Default: true."
        ),
        "wait": Number("Seconds that a session's start waits for probes. Default: 2.5.", 0, 15),
        "timeout": Number("Seconds that one probe may take. Default: 10.", 0, 60),
        "fresh": Number(
            "Seconds for which a good answer is good enough for the next session. Default: 60.",
            0, _DAY,
        ),
        "failures": Number(
            "Calls in a row that nobody answers and that open a breaker. Default: 3.",
            1, 1000, whole=True,
        ),
        "retry_first": Number("Seconds until the first retry, at most. Default: 5.", 0, _DAY),
        "retry_most": Number(
            "Seconds between retries, at most: they double up to it. Default: 300.", 0, _DAY
        ),
        "skip": Many("Servers that are left alone, by name.", Text("A name.")),
        "features": Table(
            "Optional features, and the servers that each needs. A hook of this name that is no "
            "guard is skipped while one of them is down; each is named when a session begins.",
            others=Many("Names of servers.", Text("A name."), fewest=1),
        ),
    },
)  # fmt: skip

_SWITCHES = ("enabled", "breaker")


def merge_mcp(user: Mapping[str, Any], repository: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values in force: a repository's before the user's, but what is off stays off."""
    out = {**user, **repository}
    for key in _SWITCHES:
        if user.get(key) is False:
            out[key] = False
    out["skip"] = list(dict.fromkeys([*user.get("skip", ()), *repository.get("skip", ())]))
    out["features"] = {**user.get("features", {}), **repository.get("features", {})}
    return out
