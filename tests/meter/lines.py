"""Lines of a transcript, as client 2.1.330 writes them."""

import json
from pathlib import Path
from typing import Any

SESSION = "3f512e1b-54c1-40e6-95fa-70ac16ab22ba"


def usage(tokens: tuple[int, ...] = (10, 20, 300, 40, 50), **more: Any) -> dict[str, Any]:
    """Return a message's usage: input, output, cache read, writes for 5 minutes and 1 hour."""
    given, out, read, minutes, hour = tokens
    return {
        "input_tokens": given,
        "cache_creation_input_tokens": minutes + hour,
        "cache_read_input_tokens": read,
        "output_tokens": out,
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "cache_creation": {"ephemeral_1h_input_tokens": hour, "ephemeral_5m_input_tokens": minutes},
        "speed": "standard",
        **more,
    }


def call(name: str, tool: str = "Bash", **given: Any) -> dict[str, Any]:
    """Return a block that asks for a tool call."""
    return {"type": "tool_use", "id": name, "name": tool, "input": given}


def said(message: str = "msg_1", *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an assistant line; ``model``, ``usage`` and ``stop`` go to its message."""
    inner = {
        "id": message,
        "type": "message",
        "role": "assistant",
        "model": more.pop("model", "claude-opus-5-5"),
        "content": list(blocks) or [{"type": "text", "text": "hello"}],
        "stop_reason": more.pop("stop", "end_turn"),
        "usage": more.pop("usage", usage()),
    }
    return {
        "isSidechain": False,
        "message": inner,
        "requestId": f"req_{message}",
        "requestRef": f"ref_{message}",
        "type": "assistant",
        "uuid": f"uuid_{message}_{len(blocks)}",
        "timestamp": "2026-11-24T22:47:41.571Z",
        "cwd": "/nowhere/shop",
        "sessionId": SESSION,
        "gitBranch": "trunk",
        **more,
    }


def line(native: dict[str, Any]) -> bytes:
    """Return a line without its end."""
    return json.dumps(native, separators=(",", ":")).encode()


def write(path: Path, *natives: dict[str, Any]) -> Path:
    """Write a transcript."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(line(native) + b"\n" for native in natives))
    return path
