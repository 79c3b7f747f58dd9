"""A signed POST of JSON.

``X-Pointsman-Signature: v1=HEX`` is HMAC-SHA256 with the shared secret over the timestamp of
``X-Pointsman-Timestamp`` (seconds since the epoch, as text), a full stop and the body's bytes. The
timestamp is signed so that an old call cannot be sent again as a new one.
"""

import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from pointsman.alerts.sinks.message import Message, NotTold, Sink

_WITHIN = 10.0
_SHORTEST_SECRET = 16


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: what the settings name is where it is sent."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        """Return none, which makes the answer an error."""


def send(sink: Sink, message: Message) -> None:
    """Post a change.

    Raises:
        NotTold: no secret, no address of the web, nobody answers, or not with success.
    """
    secret, to = sink.get("secret", ""), sink.get("to", "")
    if len(secret) < _SHORTEST_SECRET:
        raise NotTold(
            f"its secret_file holds no secret of at least {_SHORTEST_SECRET} characters "
            "(openssl rand -hex 32 makes one)"
        )
    if urlsplit(to).scheme not in {"http", "https"}:
        raise NotTold("`to` is no http or https URL")
    body = json.dumps(dict(message), separators=(",", ":")).encode()
    stamp = str(int(time.time()))
    request = urllib.request.Request(  # noqa: S310 - checked above
        to,
        data=body,
        method="POST",
        headers={
            "Content-Type": "application/json",
            "User-Agent": "pointsman",
            "X-Pointsman-Timestamp": stamp,
            "X-Pointsman-Signature": signature(secret, stamp, body),
            # The same for every try, so that the other end can tell one that came twice.
            "X-Pointsman-Delivery": str(message["change"]),
        },
    )
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_WITHIN) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        raise NotTold(f"it answers {error.code}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotTold(str(getattr(error, "reason", "") or error) or "no answer") from error


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of ``X-Pointsman-Signature``."""
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={mac.hexdigest()}"
