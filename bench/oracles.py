"""What tsserver and pyright say themselves, asked on ways that share nothing with ours.

tsserver is asked in its own protocol, which is not the Language Server Protocol, with TypeScript
5.9; pyright through a small synchronous client.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from bench.figures import BenchError

Spot = tuple[str, int, int]
"""A path relative to the root, a line counted from 1, a column from 0 in UTF-16 code units."""


class Oracle(Protocol):
    """Somebody who knows."""

    def references(self, spot: Spot) -> set[Spot]:
        """Return all uses of what stands there, the declaration among them."""

    def definitions(self, spot: Spot) -> set[Spot]:
        """Return where what stands there is declared."""

    def close(self) -> None:
        """End it."""


class _Process:
    """A child that is written to and read from in turn."""

    def __init__(self, command: Sequence[str], root: Path) -> None:
        self.root = root
        self._child = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to, self._from = self._child.stdin, self._child.stdout
        self.number = 0
        self._opened: set[str] = set()

    def write(self, data: bytes) -> None:
        self._to.write(data)
        self._to.flush()

    def read(self) -> dict[str, Any]:
        length = 0
        while (line := self._from.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        if not length:
            raise BenchError("it has ended")
        message: dict[str, Any] = json.loads(self._from.read(length))
        # tsserver ends its bodies with a line of its own, which is within the length.
        return message

    def is_new(self, path: str) -> bool:
        new = path not in self._opened
        self._opened.add(path)
        return new

    def relative(self, path: str) -> str:
        try:
            return Path(path).relative_to(self.root).as_posix()
        except ValueError:
            return path

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._to.close()
        self._from.close()


class TsServer(_Process):
    """TypeScript's own server, in its own protocol."""

    def __init__(self, root: Path, package: Path) -> None:
        server = package / "typescript/lib/tsserver.js"
        command = ["node", "--max-old-space-size=4096", str(server)]
        super().__init__([*command, "--disableAutomaticTypingAcquisition"], root)

    def references(self, spot: Spot) -> set[Spot]:
        body = self._ask("references", spot)
        return {self._spot(each) for each in body.get("refs", ())}

    def definitions(self, spot: Spot) -> set[Spot]:
        return {self._spot(each) for each in self._ask("definition", spot)}

    def _spot(self, each: dict[str, Any]) -> Spot:
        start = each["start"]
        return self.relative(each["file"]), start["line"], start["offset"] - 1

    def _ask(self, command: str, spot: Spot) -> Any:
        path, line, column = spot
        file = str(self.root / path)
        if self.is_new(path):
            self._send("open", {"file": file})
        number = self._send(command, {"file": file, "line": line, "offset": column + 1})
        while True:
            message = self.read()
            if message.get("type") == "response" and message.get("request_seq") == number:
                if not message.get("success"):
                    raise BenchError(f"tsserver: {message.get('message')}")
                return message.get("body") or {}

    def _send(self, command: str, arguments: dict[str, Any]) -> int:
        self.number += 1
        message = {"seq": self.number, "type": "request", "command": command}
        self.write(json.dumps({**message, "arguments": arguments}).encode() + b"\n")
        return self.number


class Pyright(_Process):
    """Pyright's language server, asked one thing after the other."""

    def __init__(self, root: Path, programs: Path) -> None:
        super().__init__([str(programs / "pyright-langserver"), "--stdio"], root)
        folder = {"uri": root.as_uri(), "name": root.name}
        self._ask("initialize", {
            "processId": None, "rootUri": root.as_uri(), "workspaceFolders": [folder],
            "capabilities": {"workspace": {"configuration": True, "workspaceFolders": True}},
        })  # fmt: skip
        self._send({"method": "initialized", "params": {}})

    def references(self, spot: Spot) -> set[Spot]:
        context = {"context": {"includeDeclaration": True}}
        return self._spots(self._ask("textDocument/references", self._at(spot) | context))

    def definitions(self, spot: Spot) -> set[Spot]:
        return self._spots(self._ask("textDocument/definition", self._at(spot)))

    def _at(self, spot: Spot) -> dict[str, Any]:
        path, line, column = spot
        file = self.root / path
        if self.is_new(path):
            text = file.read_text(encoding="utf-8")
            item = {"uri": file.as_uri(), "languageId": "python", "version": 1, "text": text}
            self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        position = {"line": line - 1, "character": column}
        return {"textDocument": {"uri": file.as_uri()}, "position": position}

    def _spots(self, result: Any) -> set[Spot]:
        found = set()
        for each in result or ():
            start = each["range"]["start"]
            path = unquote(urlsplit(each["uri"]).path)
            found.add((self.relative(path), start["line"] + 1, start["character"]))
        return found

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        while True:
            message = self.read()
            if "method" in message and "id" in message:
                items = (message.get("params") or {}).get("items", ())
                self._send({"id": message["id"], "result": [None for _ in items] or None})
            elif message.get("id") == self.number:
                if "error" in message:
                    raise BenchError(f"pyright: {message['error']}")
                return message.get("result")

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
