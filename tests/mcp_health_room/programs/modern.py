"""A server of the official SDK from version 2 on, which speaks both eras.

Run by the tests: ``modern.py KIND PORT NAME FILE``, as ``legacy.py``.
"""

import sys
from pathlib import Path

import anyio
from mcp.server import MCPServer
from mcp_types import ToolAnnotations

KIND, PORT, NAME, FILE = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
server = MCPServer(NAME, log_level="ERROR")


def note(text: str) -> None:
    with FILE.open("a") as file:
        file.write(f"{text}\n")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def who() -> str:
    """Say which process answers."""
    return NAME


@server.tool()
def add(text: str) -> str:
    """Add a line to the file."""
    note(text)
    return "added"


@server.tool(annotations=ToolAnnotations(idempotent_hint=True))
def put(text: str) -> str:
    """Put a text into a file beside ours: twice is as good as once."""
    Path(f"{FILE}.put").write_text(text)
    return "put"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def slow(seconds: float) -> str:
    """Say something after a while."""
    note("slow begins")
    await anyio.sleep(seconds)
    return NAME


@server.tool()
async def slow_add(text: str, seconds: float) -> str:
    """Add a line, and say so after a while."""
    note(text)
    await anyio.sleep(seconds)
    return "added"


@server.tool()
def fail() -> str:
    """Fail in words that sound as if nobody were there."""
    raise RuntimeError("connect ECONNREFUSED 127.0.0.1:5432")


if KIND == "stdio":
    server.run("stdio")
else:
    server.run("streamable-http", host="127.0.0.1", port=PORT)
