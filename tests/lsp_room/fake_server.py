"""A language server that does as it is told: well, or wrong in one way, its first argument."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = f"file://{Path.cwd()}"


def send(message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.buffer.flush()


def write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def receive() -> dict[str, Any]:
    length = 0
    while line := sys.stdin.buffer.readline():
        if line == b"\r\n":
            message: dict[str, Any] = json.loads(sys.stdin.buffer.read(length))
            with Path("heard.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(message) + "\n")
            return message
        length = int(line.partition(b":")[2])
    sys.exit(0)


def span(line: int, start: int, end: int) -> dict[str, Any]:
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def at(file: str, line: int, start: int, end: int) -> dict[str, Any]:
    return {"uri": f"{ROOT}/{file}", "range": span(line, start, end)}


RESULTS: dict[str, Any] = {
    "initialize": {"capabilities": {}},
    "textDocument/documentSymbol": [
        {"name": "Foo", "kind": 5, "range": span(0, 0, 14), "selectionRange": span(0, 6, 9)}
    ],
    "textDocument/definition": [at("n.py", 0, 6, 9)],
    "textDocument/typeDefinition": [],
    "textDocument/hover": {"contents": {"kind": "markdown", "value": "```python\nFoo\n```"}},
    "textDocument/references": [at("n.py", 0, 6, 9), at("m.py", 0, 14, 17), at("m.py", 1, 4, 7)],
    "shutdown": None,
}
ASKED = ("textDocument/definition", "textDocument/references")


RAW = {
    "garbage": b"this is no protocol\r\n\r\n",
    "no header": b"x" * 100_000,
    "huge": b"Content-Length: 99999999999\r\n\r\n",
    "no json": b"Content-Length: 4\r\n\r\n{{{{",
    "half": b'Content-Length: 400\r\n\r\n{"jsonrpc"',
    "half, then nothing": b'Content-Length: 400\r\n\r\n{"jsonrpc"',
}
ERROR = {"code": -32603, "message": "not today"}
MESSAGES: dict[str, dict[str, Any]] = {
    "wrong ids": {"id": 1000, "result": []},
    "neither": {},
    "null": {"result": None},
    "refuse": {"error": ERROR},
}
CODES = {"crash": 101, "crash silently": 0, "half": 0}


def wrong(mode: str, message: dict[str, Any]) -> bool:
    """Do what this mode does with a question; return whether it is a mode that does wrong."""
    if mode == "crash":
        sys.stderr.write("panic: no such luck\n")
        sys.stderr.flush()
    if mode in RAW:
        write(RAW[mode])
    if mode in MESSAGES:
        send({"id": message["id"], **MESSAGES[mode]})
    if mode in CODES:
        os._exit(CODES[mode])
    return mode == "hang" or mode in {**RAW, **MESSAGES}


def main() -> None:
    mode = sys.argv[1]
    if mode == "crash at once":
        sys.exit("no license for this machine")
    if mode == "noisy":
        sys.stderr.write("a warning\n" * 500_000)
    if mode == "child":
        child = subprocess.Popen(["sleep", "1000"])
        Path("child.pid").write_text(str(child.pid), encoding="utf-8")
    overtaken = mode == "overtaken"
    while True:
        message = receive()
        method = message.get("method", "")
        if "id" not in message or not method or mode == "hang at once":
            continue
        if method == "initialize" and mode == "asks":
            send(
                {
                    "id": 1,
                    "method": "workspace/configuration",
                    "params": {"items": [{"section": "typescript"}, {"section": "unheard of"}, 7]},
                }
            )
            send({"id": 2, "method": "client/registerCapability", "params": {}})
            send({"id": 3, "method": "window/workDoneProgress/create", "params": {"token": 1}})
            send({"id": "four", "method": "workspace/applyEdit", "params": {"edit": {}}})
            send({"id": 5, "method": "workspace/executeCommand", "params": {}})
            send({"id": 6, "method": "workspace/workspaceFolders"})
        if method in ASKED:
            if overtaken:
                send({"id": message["id"], "error": {"code": -32801, "message": "modified"}})
                overtaken = method != "textDocument/references"
                continue
            if mode == "slow":
                time.sleep(1.5)
            if wrong(mode, message):
                continue
        send({"id": message["id"], "result": RESULTS[method]})


main()
