"""What a failed call says of its server: that nobody answered, or that it did and said no.

The rule: an outage is told in the words of the client that could not reach the server, and such
sentences stand at the very beginning of an error. Whatever a server itself says, however bad it
sounds, is an answer, and who answers is there. Words that either might say ("connect ECONNREFUSED"
of a tool whose database is down) count for nothing: a probe finds out.
"""

import re
from enum import Enum

_MOST = 2000
_OUTAGE = re.compile(
    r"""\s*(?:Error:\s*|McpError:\s*)*(?:
      MCP\ error\ -320(?:00|01)\b          # connection closed, request timed out: the SDKs' codes
    | MCP\ server\ (?:"[^"]{0,200}"\ |connection\ |process\ )?(?:is\ not\ connected|lost|closed
        |exited|disconnected|is\ unavailable|session\ expired)
    | (?:ECONN\w+|E\w+UNREACH|ETIMEDOUT):\ (?:Unable\ to\ connect|The\ socket\ connection\ was)
    | Not\ connected\s*$ | Connection\ closed\s*$
    | Streamable\ HTTP\ error | SSE\ error | SSE\ stream\ disconnected
    | (?:Error\ )?POSTing\ to\ endpoint\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""Measured with Claude Code 2.1.330: ``ECONNREFUSED: Unable to connect. Is the computer able to
access the url?``, ``MCP server "one" is not connected``; the rest is what the official SDKs say."""
_SUSPICIOUS = re.compile(
    r"ECONN(?:REFUSED|RESET)|EPIPE|ETIMEDOUT|socket hang up|fetch failed|connection (?:closed|lost"
    r"|refused|reset)|timed? ?out|not connected|session not found|-3200[01]|\b50[234]\b",
    re.IGNORECASE,
)


class Says(Enum):
    """What an error says of the server."""

    OUTAGE = "nobody answered"
    ANSWER = "the server answered"
    UNCLEAR = "a probe has to tell"


def judge(error: str) -> Says:
    """Return what the text of a failed call says of its server."""
    text = error[:_MOST]
    if _OUTAGE.match(text):
        return Says.OUTAGE
    return Says.UNCLEAR if _SUSPICIOUS.search(text) else Says.ANSWER
