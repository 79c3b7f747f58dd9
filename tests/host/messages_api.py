"""A scripted Messages API on 127.0.0.1: the model of a test's session.

A script is a tuple of turns under a name. The last text of a user message that holds
``SCRIPT=<name>`` chooses the script, the number of assistant messages after it the turn, so the
main conversation and each subagent follow their own. What has no script is answered "ok", what
ran out of turns "done".
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from .unavailable import RigError

_MARKER = re.compile(r"SCRIPT=([\w-]+)")
_USAGE = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 1500,
    "cache_read_input_tokens": 18000,
    "cache_creation": {"ephemeral_5m_input_tokens": 1500, "ephemeral_1h_input_tokens": 0},
    "service_tier": "standard",
}
_PAUSE_S = 300.0
OUTPUT_TOKENS = 60
"""What every answer is said to have cost, in output tokens, where its turn does not say."""
USUAL = {**_USAGE, "output_tokens": OUTPUT_TOKENS}
"""What every answer is said to have used, where its turn does not say."""


@dataclass(frozen=True)
class ToolUse:
    """One tool call; without an id it gets ``toolu_<script>_<turn>_<place in the turn>``."""

    name: str
    input: Mapping[str, Any]
    id: str = ""


@dataclass(frozen=True)
class Request:
    """One request as it came; ``script`` is empty where no script was meant."""

    path: str
    body: Mapping[str, Any]
    script: str = ""
    turn: int = 0


@dataclass(frozen=True)
class Gate:
    """Where a script waits for the test: ``reached`` is set by the script, ``opened`` by it."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout: float = 60.0) -> None:
        """Wait until the script is here.

        Raises:
            RigError: after ``timeout`` seconds.
        """
        if not self.reached.wait(timeout):
            raise RigError(f"the script did not reach its pause within {timeout:g} s")

    def open(self) -> None:
        """Let the script go on."""
        self.opened.set()


Said = str | ToolUse | Sequence[str | ToolUse]
"""A text, a tool call, or several of both in one message."""


@dataclass(frozen=True)
class Pause:
    """A turn that is said once the test has opened the gate (or the test is over)."""

    gate: Gate
    said: Said


@dataclass(frozen=True)
class Used:
    """A turn that is said to have used this: ``usage`` is put in the place of the usual one."""

    said: Said
    usage: Mapping[str, Any]


Turn = Said | Pause | Used | Callable[[Request], Said]
"""What is said, now or after a pause, or a callable that decides when the turn is asked for."""


class Refused(Exception):
    """The API answers with this HTTP status instead; raised by a turn (``refuse``)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


def used(said: Said, tokens: Sequence[int], **more: Any) -> Used:
    """Return a turn with known usage: input, output, cache read, 5 minute and 1 hour writes."""
    given, out, read, minutes, hour = tokens
    split = {"ephemeral_5m_input_tokens": minutes, "ephemeral_1h_input_tokens": hour}
    counted: dict[str, Any] = {"input_tokens": given, "output_tokens": out}
    counted["cache_read_input_tokens"] = read
    counted |= {"cache_creation_input_tokens": minutes + hour, "cache_creation": split}
    return Used(said, {**counted, "service_tier": "standard", **more})


def refuse(status: int) -> Turn:
    """Return a turn in which the API refuses the request."""

    def turn(_request: Request) -> Said:
        raise Refused(status)

    return turn


def bash(command: str, **more: Any) -> ToolUse:
    """Return a call of the Bash tool."""
    return ToolUse("Bash", {"command": command, "description": "scripted", **more})


def agent(script: str, **more: Any) -> ToolUse:
    """Return a call that runs a subagent through another script and waits for its end."""
    given = {"subagent_type": "general-purpose", "run_in_background": False}
    given |= {"description": "scripted", "prompt": f"Begin. SCRIPT={script}"}
    return ToolUse("Agent", {**given, **more})


class MessagesApi:
    """The server; use it as a context manager.

    ``requests`` are all requests so far, in order of arrival; ``answered(script)`` those that a
    script answered.
    """

    def __init__(self, **scripts: Sequence[Turn]) -> None:
        self.requests: list[Request] = []
        self._scripts: dict[str, Sequence[Turn]] = dict(scripts)
        self._serial = 0
        self._gates: list[Gate] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            for gate in self._gates:
                gate.open()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def script(self, name: str, *turns: Turn) -> None:
        """Set the turns of a script; one with that name is replaced."""
        self._scripts[name] = turns

    def answered(self, script: str) -> list[Request]:
        """Return the requests that this script answered, in order of arrival."""
        with self._lock:
            return [request for request in self.requests if request.script == script]

    def take(self, path: str, body: Mapping[str, Any]) -> tuple[Request, int]:
        """Record one request and return it with the place it belongs to."""
        script, turn = _place(body)
        request = Request(path, body, script, turn)
        with self._lock:
            self.requests.append(request)
            self._serial += 1
            return request, self._serial

    def say(self, request: Request) -> list[dict[str, Any]]:
        """Return the content blocks of the answer."""
        return list(_blocks(self._said(self._turn(request), request), request))

    def usage(self, request: Request) -> Mapping[str, Any]:
        """Return what the answer is said to have used."""
        turn = self._turn(request)
        return turn.usage if isinstance(turn, Used) else USUAL

    def _turn(self, request: Request) -> Turn:
        turns = self._scripts.get(request.script)
        if turns is None:
            return "ok"
        return turns[request.turn] if request.turn < len(turns) else "done"

    def _said(self, turn: Turn, request: Request) -> Said:
        if isinstance(turn, Pause):
            with self._lock:
                self._gates.append(turn.gate)
            turn.gate.reached.set()
            turn.gate.opened.wait(_PAUSE_S)
            return turn.said
        if isinstance(turn, Used):
            return turn.said
        return turn(request) if callable(turn) else turn


def _place(body: Mapping[str, Any]) -> tuple[str, int]:
    """Return the script and the turn that a request asks for.

    A request without tools is one of the client's own (a title, a summary): it has no script.
    """
    script, turn = "", 0
    for message in body.get("messages", ()) if body.get("tools") else ():
        if message["role"] == "assistant":
            turn += 1
        elif found := _MARKER.findall(_text(message["content"])):
            script, turn = found[-1], 0
    return script, turn


def _text(content: str | Sequence[Mapping[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def _blocks(said: Said, request: Request) -> Iterator[dict[str, Any]]:
    if isinstance(said, str):
        yield {"type": "text", "text": said}
        return
    for place, call in enumerate([said] if isinstance(said, ToolUse) else said):
        if isinstance(call, str):
            yield {"type": "text", "text": call}
            continue
        given = call.id or f"toolu_{request.script}_{request.turn}_{place}"
        yield {"type": "tool_use", "id": given, "name": call.name, "input": dict(call.input)}


def _message(
    blocks: Sequence[Mapping[str, Any]], model: str, serial: int, usage: Mapping[str, Any]
) -> dict[str, Any]:
    calls = any(block["type"] == "tool_use" for block in blocks)
    return {
        "id": f"msg_{serial:08d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(blocks),
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": dict(usage),
    }


def stream(message: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a message as the events of the streaming form."""
    opening = {**message, "content": [], "stop_reason": None}
    opening["usage"] = {**message["usage"], "output_tokens": 1}
    yield "message_start", {"message": opening}
    for index, block in enumerate(message["content"]):
        empty, deltas = _deltas(block)
        yield "content_block_start", {"index": index, "content_block": empty}
        for delta in deltas:
            yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    closing = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": closing, "usage": message["usage"]}
    yield "message_stop", {}


def _deltas(block: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a block without its content and the pieces, one a line of text."""
    if block["type"] == "text":
        pieces = block["text"].splitlines(keepends=True) or [""]
        return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces]
    given = json.dumps(block["input"])
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": given}]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: MessagesApi) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api = api

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away: a session that is killed does."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Write no access log."""

    def do_HEAD(self) -> None:
        self._reply({})

    def do_GET(self) -> None:
        self._reply({"data": [], "has_more": False})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = self.path.partition("?")[0]
        if path == "/v1/messages/count_tokens":
            self._reply({"input_tokens": max(1, len(raw) // 4)})
        elif path == "/v1/messages":
            self._answer(path, json.loads(raw))
        else:
            self._reply({})

    def _answer(self, path: str, body: Mapping[str, Any]) -> None:
        request, serial = self.server.api.take(path, body)
        try:
            said = self.server.api.say(request)
        except Refused as refused:
            error = {"type": "invalid_request_error", "message": "the script refuses this"}
            self._reply({"type": "error", "error": error}, refused.status)
            return
        message = _message(said, body["model"], serial, self.server.api.usage(request))
        if not body.get("stream"):
            self._reply(message)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("request-id", f"req_{serial:08d}")
        self.end_headers()
        for name, data in stream(message):
            event = f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def _reply(self, body: Mapping[str, Any], status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)
