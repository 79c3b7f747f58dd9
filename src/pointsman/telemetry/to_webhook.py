"""A web service of anybody's, told of events with a signature (standardwebhooks.com, version 1).

``webhook-signature`` is ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body`` by the
secret. The id is made of what is sent, so who has seen it before can leave it out.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence

from pointsman.model.telemetry import Entry
from pointsman.telemetry.lines import objects_of
from pointsman.telemetry.post import Rejected, post
from pointsman.telemetry.sink import EVENTS, MOST_BODY, Sink

SIGNALS = (EVENTS,)


def deliver(sink: Sink, signal: str, entries: Sequence[Entry]) -> None:
    """Send the entries that are wanted as one object: ``{"events": [...]}``."""
    del signal
    found = list(objects_of(entries, sink.wanted))
    if not found:
        return
    text = json.dumps({"events": found}, ensure_ascii=False, separators=(",", ":"))
    body = text.encode("utf-8", "backslashreplace")
    if len(body) > MOST_BODY:
        raise Rejected(f"a request of {len(body)} bytes is more than {MOST_BODY}")
    instance = sink.resource.get("service.instance.id", "")[:12]
    name = f"{instance}-{found[0]['n']}-{found[-1]['n']}"
    signed = signature_headers(sink.secret, name, int(time.time()), body) if sink.secret else {}
    post(sink.to, body, {**sink.headers, **signed}, sink.timeout)


def signature_headers(secret: str, name: str, at_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers by which a receiver knows sender, time and content."""
    signed = b".".join((name.encode(), str(at_s).encode(), body))
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    """Return the key: what stands behind ``whsec_`` is base64, any other text is itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            return secret.encode()
    return secret.encode()
