"""The transport before streamable HTTP (revision 2024-11-05): a stream in, posts out.

Deprecated, but servers still have it: the stream names the address to post to, and carries the
answers.
"""

import contextlib
import http.client
import json
import queue
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from pointsman.mcp_health.channel import Deadline, Reply, Unanswered, message
from pointsman.mcp_health.http_channel import connected, events, send


class SseChannel:
    """A stream that stays open as long as the channel."""

    def __init__(self, url: str, headers: Mapping[str, str], deadline: Deadline) -> None:
        self._headers = {"user-agent": "pointsman", **headers}
        self._number = 0
        self._said: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._open = contextlib.ExitStack()
        self._post = ""
        self.refused: Reply | None = None
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._open.enter_context(connected(url, deadline))
        try:
            accepted = {**self._headers, "accept": "text/event-stream"}
            connection.request("GET", target, headers=accepted)
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            late = isinstance(error, TimeoutError) or deadline.left() <= 0
            raise Unanswered(f"no stream comes: {error}"[:300], late=late) from error
        given = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status != 200 or not given.get("content-type", "").startswith("text/event"):
            self.refused = Reply(answer.status, given)
            return
        reader = threading.Thread(target=self._read, args=(answer,), daemon=True, name="sse-probe")
        reader.start()
        name, data = self._next(deadline)
        if name == "endpoint":
            self._post = urljoin(url, data)
        if urlsplit(self._post).netloc != parts.netloc:
            # Elsewhere our headers would be given to whoever the server names.
            self.close()
            raise Unanswered("its stream names no address of its own to post to")

    def ask(self, method: str, params: Mapping[str, Any], deadline: Deadline) -> Reply:
        """Post a request, and wait for its answer on the stream."""
        self._number += 1
        reply = self._send(message(self._number, method, params), deadline)
        if reply.status >= 300:
            return reply
        while True:
            _, data = self._next(deadline)
            with contextlib.suppress(ValueError, RecursionError):
                found = json.loads(data)
                if isinstance(found, Mapping) and found.get("id") == self._number:
                    return Reply(200, {}, found)

    def tell(self, method: str, deadline: Deadline) -> Reply:
        """Post a notification."""
        return self._send(message(None, method, {}), deadline)

    def close(self) -> None:
        """Close the stream, which ends its reader."""
        self._open.close()

    def _send(self, said: Mapping[str, Any], deadline: Deadline) -> Reply:
        headers = {**self._headers, "content-type": "application/json", "connection": "close"}
        return send("POST", self._post, json.dumps(said).encode(), headers, deadline)

    def _next(self, deadline: Deadline) -> tuple[str, str]:
        try:
            name, data = self._said.get(timeout=max(deadline.left(), 0.001))
        except queue.Empty:
            raise Unanswered("its stream is open and carries no answer", late=True) from None
        if name == _OVER:
            late = deadline.left() <= 0
            raise Unanswered(f"its stream has ended: {data}", late=late)
        return name, data

    def _read(self, answer: http.client.HTTPResponse) -> None:
        why = "the server closed it"
        try:
            for each in events(answer):
                self._said.put(each)
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as error:
            why = str(error) or type(error).__name__
        self._said.put((_OVER, why))


_OVER = "\0over"
