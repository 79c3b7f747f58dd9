"""What a Python program does that depends on where it runs: listens, writes files, calls hosts."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pointsman.model.preflight import Files
from pointsman.preflight.environments_model import address_of
from pointsman.preflight.python_names import Imports

_LISTEN = frozenset(
    {"uvicorn.run", "uvicorn.Config", "hypercorn.run", "waitress.serve", "aiohttp.web.run_app",
     "werkzeug.serving.run_simple", "asyncio.start_server", "socketserver.TCPServer",
     "http.server.HTTPServer", "http.server.ThreadingHTTPServer",
     "wsgiref.simple_server.make_server", "mcp.server.fastmcp.FastMCP", "fastmcp.FastMCP",
     "gradio.launch", "bottle.run"}
)  # fmt: skip
_ANY = "0.0.0.0"  # noqa: S104 - a word to compare with; nothing is bound
_LOOPBACK_BY_DEFAULT = frozenset(
    {"uvicorn.run", "uvicorn.Config", "mcp.server.fastmcp.FastMCP", "fastmcp.FastMCP", "bottle.run"}
)
"""They listen on 127.0.0.1 where they are not told otherwise, by their documentation."""
_ENV = frozenset({"os.getenv", "os.environ.get", "os.environ.setdefault", "decouple.config"})
_SAID = frozenset(
    {"print", "warn", "debug", "info", "warning", "error", "exception", "log", "echo"}
)
_OPENERS = frozenset({"open", "io.open", "codecs.open", "gzip.open", "aiofiles.open"})
_WRITERS = frozenset(
    {"os.makedirs", "os.mkdir", "logging.FileHandler", "logging.handlers.RotatingFileHandler",
     "logging.handlers.TimedRotatingFileHandler", "shelve.open", "dbm.open"}
)  # fmt: skip
_DATABASES = frozenset({"sqlite3.connect", "aiosqlite.connect"})
_WRITES = frozenset({"write_text", "write_bytes", "mkdir", "touch"})
_KEY_FILES = frozenset(
    {"from_service_account_file", "from_service_account_json", "load_credentials_from_file",
     "from_authorized_user_file"}
)  # fmt: skip
_JS_LISTEN = re.compile(
    rb"""\.listen\(\s*(\d{2,5})(?:\s*,\s*['"](localhost|127\.0\.0\.1|0\.0\.0\.0)['"])?"""
)


class Kind(StrEnum):
    """What is done."""

    LISTEN = "listens"
    WRITE = "writes"
    SQLITE = "keeps a database in"
    KEY_FILE = "takes a key from"
    CALL = "calls"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """One place of a program that depends on where it runs."""

    kind: Kind
    file: str
    line: int
    text: str = ""
    """A path or address, as it is written."""
    host: str = ""
    """Of a listener: empty where it is worked out by the program."""
    port: int = 0
    main: bool = False
    """Whether it stands below ``if __name__ == "__main__"``."""


def habits(files: Files, names: Iterable[str]) -> tuple[Habit, ...]:
    """Return the habits of the named files, in their order. Broken files have none."""
    return tuple(each for name in names for each in _of(files, name))


@lru_cache(maxsize=4096)
def _of(files: Files, name: str) -> tuple[Habit, ...]:
    data = files.read(name)
    if name.endswith(".py"):
        try:
            return tuple(_Module(ast.parse(data), name).all())
        except (SyntaxError, ValueError, RecursionError):
            return ()  # The check `unread` names it.
    return tuple(
        Habit(kind=Kind.LISTEN, file=name, line=data.count(b"\n", 0, found.start()) + 1,
              port=int(found.group(1)), host=(found.group(2) or b"0.0.0.0").decode())
        for found in _JS_LISTEN.finditer(data)
    )  # fmt: skip


class _Module:
    def __init__(self, tree: ast.Module, file: str) -> None:
        self._tree = tree
        self._file = file
        self._imports = Imports(tree)
        self._texts = {
            node.targets[0].id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        self._apps = {
            name
            for name, value in self._texts.items()
            if isinstance(value, ast.Call)
            and self._imports.name(value.func) in {"flask.Flask", "quart.Quart"}
        }

    def all(self) -> Iterator[Habit]:
        """Walk the module, the branch for being run as a program marked."""
        waiting: list[tuple[ast.AST, bool]] = [(self._tree, False)]
        while waiting:
            node, main = waiting.pop()
            if isinstance(node, ast.Call):
                yield from self._call(node, main=main)
            elif isinstance(node, ast.Assign):
                yield from self._assign(node)
            run = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
            waiting.extend(
                (each, main or run) for each in reversed(list(ast.iter_child_nodes(node)))
            )

    def _call(self, node: ast.Call, *, main: bool) -> Iterator[Habit]:
        name = self._imports.name(node.func)
        last = node.func.attr if isinstance(node.func, ast.Attribute) else name
        if self._listens(node, name, last):
            yield self._listener(node, name, main=main)
        elif last in _KEY_FILES and node.args:
            yield from self._path(Kind.KEY_FILE, node.args[0], node)
        elif name in _DATABASES and node.args:
            yield from self._path(Kind.SQLITE, node.args[0], node)
        elif (name in _WRITERS and node.args) or (
            name in _OPENERS and node.args and _for_writing(node, 1)
        ):
            yield from self._path(Kind.WRITE, node.args[0], node)
        elif isinstance(node.func, ast.Attribute) and (
            last in _WRITES or (last == "open" and _for_writing(node, 0))
        ):
            yield from self._path(Kind.WRITE, node.func.value, node)
        elif name not in _ENV and last not in _SAID:
            yield from self._addresses(node, main=main)

    def _listens(self, node: ast.Call, name: str, last: str) -> bool:
        if name in _LISTEN:
            return True
        base = node.func.value if isinstance(node.func, ast.Attribute) else None
        named = {each.arg for each in node.keywords}
        if last == "run" and isinstance(base, ast.Name) and base.id in self._apps:
            return True
        return last in {"run", "launch", "listen", "serve"} and bool(named & {"host", "port"})

    def _listener(self, node: ast.Call, name: str, *, main: bool) -> Habit:
        given = {each.arg: each.value for each in node.keywords if each.arg}
        pair = next((each for each in node.args if isinstance(each, ast.Tuple)), None)
        host: ast.expr | None = given.get("host") or given.get("server_name")
        port: ast.expr | None = given.get("port") or given.get("server_port")
        if pair is not None and len(pair.elts) == 2:
            host, port = pair.elts
        base = node.func.value if isinstance(node.func, ast.Attribute) else None
        flask = isinstance(base, ast.Name) and base.id in self._apps
        silent = "127.0.0.1" if name in _LOOPBACK_BY_DEFAULT or flask else _ANY
        if None in {each.arg for each in node.keywords}:
            silent = ""  # **options may say it
        if "FastMCP" in name and host is None and port is None:
            silent = ""  # it listens only where it is run with such a transport
        found = self._resolved(port)
        return Habit(
            kind=Kind.LISTEN, file=self._file, line=node.lineno, main=main,
            host=silent if host is None else self._text(host),
            port=found.value if isinstance(found, ast.Constant) and type(found.value) is int else 0,
        )  # fmt: skip

    def _path(self, kind: Kind, node: ast.expr, call: ast.Call) -> Iterator[Habit]:
        text = self._text(node)
        if text and "://" not in text:
            yield Habit(kind=kind, file=self._file, line=call.lineno, text=text)

    def _addresses(self, node: ast.Call, *, main: bool) -> Iterator[Habit]:
        named = [(each.arg or "", each.value) for each in node.keywords]
        for key, value in (*(("", each) for each in node.args), *named):
            text = value.value if isinstance(value, ast.Constant) else None
            if not isinstance(text, str) or "origin" in key:
                continue
            found = address_of(text)
            url = "://" in text or key in {"host", "hostname", "address", "endpoint"}
            if found is not None and url and (found.loopback or found.private):
                yield Habit(kind=Kind.CALL, file=self._file, line=value.lineno, host=found.host,
                            port=found.port, text=str(found),
                            main=main)  # fmt: skip
            elif text.startswith("sqlite") and ":///" in text:
                path = text.partition(":///")[2]
                yield Habit(kind=Kind.SQLITE, file=self._file, line=value.lineno, text=path)

    def _assign(self, node: ast.Assign) -> Iterator[Habit]:
        target = node.targets[0]
        if (
            isinstance(target, ast.Subscript)
            and isinstance(target.slice, ast.Constant)
            and target.slice.value == "GOOGLE_APPLICATION_CREDENTIALS"
        ):
            yield Habit(kind=Kind.KEY_FILE, file=self._file, line=node.lineno,
                        text=self._text(node.value) or "a file")  # fmt: skip

    def _resolved(self, node: ast.expr | None) -> ast.expr | None:
        return self._texts.get(node.id) if isinstance(node, ast.Name) else node

    def _text(self, node: ast.expr) -> str:
        """Return a path or host as far as it is written out; empty where its beginning is not."""
        parts: list[str] = []
        found = self._resolved(node)
        while isinstance(found, ast.BinOp) and isinstance(found.op, ast.Div):
            parts.append(str(found.right.value) if isinstance(found.right, ast.Constant) else "…")
            found = self._resolved(found.left)
        if isinstance(found, ast.Call) and self._imports.name(found.func) == "pathlib.Path":
            found = self._resolved(found.args[0]) if found.args else ast.Constant(".")
        if isinstance(found, ast.JoinedStr) and found.values:
            parts.append("…")
            found = found.values[0]
        value = found.value if isinstance(found, ast.Constant) else None
        if not isinstance(value, str) or (not value and parts):
            return ""
        return "/".join((value.rstrip("/") if parts else value, *reversed(parts)))


def _for_writing(node: ast.Call, at: int) -> bool:
    given: ast.expr | None = node.args[at] if len(node.args) > at else None
    for each in node.keywords:
        given = each.value if each.arg == "mode" else given
    mode = given.value if isinstance(given, ast.Constant) else ""
    return isinstance(mode, str) and bool(set(mode) & set("wax+"))
