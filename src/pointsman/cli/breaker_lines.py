"""What ``pointsman status`` says of MCP servers whose calls do not pass."""

from collections.abc import Iterator
from typing import Any


def breaker_lines(status: dict[str, Any]) -> Iterator[str]:
    """Say which breaker is open or tries again, and why; nothing where all are closed."""
    # A daemon of an older version does not tell.
    for row in status.get("mcp_breakers") or ():
        where = f"{row['host']}, {row['root']}" if row["root"] else row["host"]
        what = f"breaker {row['breaker']}: {row['reason']}"
        yield f"warning    MCP server {row['name']} ({where}): {what}; pointsman mcp-health"
