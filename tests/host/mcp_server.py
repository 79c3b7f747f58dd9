"""A server of tools over stdio, as little of the Model Context Protocol as the client needs.

Run as a program. Its tools: ``echo`` says what it was given, ``fail`` is an error, ``elicit`` asks
the person at the client for a name first.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

_ANY = {"type": "object", "properties": {"text": {"type": "string"}}}
_NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def main() -> None:
    """Answer requests until the client closes our input."""
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message and "method" in message:
            _send({"id": message["id"], "result": _answer(message)})


def _answer(message: Mapping[str, Any]) -> Mapping[str, Any]:
    if message["method"] == "initialize":
        return {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "rig", "version": "1"},
        }
    if message["method"] == "tools/list":
        names = ("echo", "fail", "elicit")
        return {
            "tools": [
                {"name": name, "description": f"the tool {name}", "inputSchema": _ANY}
                for name in names
            ]
        }
    if message["method"] == "tools/call":
        return _call(message["params"])
    return {}


def _call(params: Mapping[str, Any]) -> Mapping[str, Any]:
    text = json.dumps(params.get("arguments"))
    if params["name"] == "elicit":
        asked = {"mode": "form", "message": "your name?", "requestedSchema": _NAME}
        _send({"id": "asked", "method": "elicitation/create", "params": asked})
        text = next(line for line in sys.stdin if json.loads(line).get("id") == "asked")
    return {"content": [{"type": "text", "text": text}], "isError": params["name"] == "fail"}


def _send(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
