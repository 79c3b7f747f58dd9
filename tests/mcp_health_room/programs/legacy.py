"""A server of the official SDK before version 2: sessions in memory, revision 2025-11-25.

Run by the tests with a Python that has that SDK: ``legacy.py KIND PORT NAME FILE``. ``FILE`` gets
a line for each call that changes something; ``FILE.tools`` names further tools.
"""

import sys
import time
from pathlib import Path

import anyio
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.fastmcp import FastMCP
from mcp.types import ToolAnnotations

KIND, PORT, NAME, FILE = sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])


class OneToken:
    async def verify_token(self, token):
        if token != "let-me-in":
            return None
        return AccessToken(token=token, client_id="tests", scopes=["all"])


def more():
    if KIND == "auth":
        url = f"http://127.0.0.1:{PORT}"
        auth = AuthSettings(issuer_url=url, resource_server_url=url, required_scopes=["all"])
        return {"auth": auth, "token_verifier": OneToken()}
    return {"stateless_http": KIND == "stateless"}


server = FastMCP(NAME, host="127.0.0.1", port=PORT, log_level="ERROR", **more())


def note(text: str) -> None:
    with FILE.open("a") as file:
        file.write(f"{text}\n")


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
def who() -> str:
    """Say which process answers."""
    return NAME


@server.tool()
def add(text: str) -> str:
    """Add a line to the file."""
    note(text)
    return "added"


@server.tool(annotations=ToolAnnotations(readOnlyHint=True))
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


for name in Path(f"{FILE}.tools").read_text().split() if Path(f"{FILE}.tools").exists() else []:
    server.add_tool(lambda text: text, name=name, description=f"the tool {name}")

if KIND == "late":
    time.sleep(3)
server.run({"sse": "sse", "stdio": "stdio", "late": "stdio"}.get(KIND, "streamable-http"))
