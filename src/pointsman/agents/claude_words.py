"""What an agent has said last, from the end of its transcript: a turn under way has no Stop yet."""

import json
import os

from pointsman.agents.claude_transcript import is_transcript

_MOST_TAIL = 512 * 1024
_MOST_WORDS = 16 * 1024


def last_words(path: str) -> str:
    """Return the last text of the main thread's model; empty where there is none to be read."""
    if not is_transcript(path):
        return ""
    for line in reversed(_tail(path)):
        if b'"assistant"' not in line or b'"text"' not in line:
            continue
        text = _said(line)
        if text:
            return text[-_MOST_WORDS:]
    return ""


def _tail(path: str) -> list[bytes]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(descriptor).st_size
            file.seek(max(0, size - _MOST_TAIL))
            lines = file.read(_MOST_TAIL).split(b"\n")
    except (OSError, ValueError):
        return []
    return lines[1:] if size > _MOST_TAIL else lines


def _said(line: bytes) -> str:
    try:
        native = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(native, dict) or native.get("type") != "assistant":
        return ""
    if native.get("isSidechain") is True or native.get("isApiErrorMessage") is True:
        return ""
    message = native.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    texts = [block["text"] for block in (content if isinstance(content, list) else ())
             if isinstance(block, dict) and block.get("type") == "text"
             and isinstance(block.get("text"), str)]  # fmt: skip
    return "\n".join(texts).strip()
