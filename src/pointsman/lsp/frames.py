"""Messages on a language server's pipes: a header with a length, an empty line, JSON.

The base protocol of the Language Server Protocol 3.17. A server is foreign code: what it writes is
read under caps, and what is no message ends the conversation with words that say so.
"""

import asyncio
import json
from typing import Any

from pointsman.model.errors import ServerError

MOST_HEADER = 8 * 1024
MOST_BODY = 32 * 1024 * 1024
"""Bytes of one message; the largest answer measured (Django, all uses of a field) has 1.6 MB."""
_AT_ONCE = 256 * 1024
"""Bytes that are parsed between two turns of the loop: about a millisecond and a half."""

Message = dict[str, Any]


def encoded(message: Message) -> bytes:
    """Return a message as it goes over the pipe."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode(
        # Half of a surrogate pair may stand in a file's name; no server is to get invalid UTF-8.
        errors="replace"
    )
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


async def read_message(stream: asyncio.StreamReader) -> Message | None:
    """Return the next message, or ``None`` where the stream ends between two.

    ``stream`` must have a limit of at least ``MOST_HEADER``.

    Raises:
        ServerError: what comes is no message, is too large, or ends in the middle.
    """
    try:
        header = await stream.readuntil(b"\r\n\r\n")
        body = await stream.readexactly(_length(header))
    except asyncio.IncompleteReadError as error:
        if not error.partial and error.expected is None:
            return None
        raise ServerError("it ended in the middle of a message") from error
    except asyncio.LimitOverrunError as error:
        raise ServerError("it writes what is no message: there is no end of a header") from error
    if len(body) > _AT_ONCE:
        return await asyncio.to_thread(_parsed, body)
    return _parsed(body)


def _length(header: bytes) -> int:
    if len(header) > MOST_HEADER:
        raise ServerError(f"it writes a header of {len(header)} bytes")
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            digits = value.strip()
            # Not int() alone, which takes signs, underscores and digits of any script.
            if not digits.isdigit() or len(digits) > 12:
                break
            if int(digits) > MOST_BODY:
                raise ServerError(f"it writes a message of {int(digits)} bytes, over {MOST_BODY}")
            return int(digits)
    raise ServerError(f"it writes what is no message: {header[:80]!r}")


def _parsed(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServerError(f"it writes what is no JSON: {body[:80]!r}") from error
    if not isinstance(message, dict):
        raise ServerError(f"it writes what is no message: {body[:80]!r}")
    return message
