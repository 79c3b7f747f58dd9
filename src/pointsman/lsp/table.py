"""The language servers we know, one line each, in the order in which they are tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

TYPESCRIPT, PYTHON, GO, RUST = "typescript", "python", "go", "rust"

EXTENSIONS: Mapping[str, tuple[str, str]] = MappingProxyType({
    ".ts": (TYPESCRIPT, "typescript"), ".mts": (TYPESCRIPT, "typescript"),
    ".cts": (TYPESCRIPT, "typescript"), ".tsx": (TYPESCRIPT, "typescriptreact"),
    ".js": (TYPESCRIPT, "javascript"), ".mjs": (TYPESCRIPT, "javascript"),
    ".cjs": (TYPESCRIPT, "javascript"), ".jsx": (TYPESCRIPT, "javascriptreact"),
    ".py": (PYTHON, "python"), ".pyi": (PYTHON, "python"),
    ".go": (GO, "go"), ".rs": (RUST, "rust"),
})  # fmt: skip
"""The family of servers that knows a file, and the protocol's own name for its language."""

FAMILIES: Mapping[str, str] = MappingProxyType({
    "typescript": TYPESCRIPT, "tsx": TYPESCRIPT, "javascript": TYPESCRIPT, "jsx": TYPESCRIPT,
    "typescriptreact": TYPESCRIPT, "javascriptreact": TYPESCRIPT,
    "python": PYTHON, "go": GO, "rust": RUST,
})  # fmt: skip
"""What a language may be called, and the servers that know it."""

CONFIGURATION: frozenset[str] = frozenset((
    "tsconfig.json", "jsconfig.json", "package.json", "pyproject.toml", "ty.toml",
    "pyrightconfig.json", "setup.cfg", "go.mod", "go.work", "Cargo.toml",
))  # fmt: skip
"""Files that change what a server makes of all others."""

HOMES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    TYPESCRIPT: ("node_modules/.bin",),
    PYTHON: (".venv/bin", "venv/bin", "node_modules/.bin"),
    GO: (),
    RUST: (),
})  # fmt: skip
"""Where a project keeps programs of its own, relative to its root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKind:
    """One kind of server.

    ``check`` names the test in ``find.py`` that a found program has to pass. ``runs_code`` says
    that it runs programs that the repository names, whoever has installed the server.
    ``loads`` says that its answers are worth nothing until the work it reports has come to an end.
    ``reads_closed`` says that it answers about files that it was not told to open, ``opens_new``
    that a file which is new to it counts only some time after it was told of, or once it is open.
    ``advice`` is what a person types to have it.
    """

    name: str
    family: str
    program: str
    arguments: tuple[str, ...] = ()
    check: str = ""
    runs_code: bool = False
    loads: bool = False
    reads_closed: bool = False
    opens_new: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""


_GO_OPTIONS = {"hoverKind": "FullDocumentation", "linksInHover": False}
_RUST_OPTIONS = {
    # Build scripts and procedural macros are programs; a look at the code must not run them.
    "cargo": {"buildScripts": {"enable": False}},
    "procMacro": {"enable": False},
    "checkOnSave": False,
    "cachePriming": {"enable": False},
}

SERVERS: tuple[ServerKind, ...] = (
    ServerKind(
        name="TypeScript 7", family=TYPESCRIPT, program="tsc", arguments=("--lsp", "--stdio"),
        check="typescript_7", reads_closed=True, advice="npm install --save-dev typescript@7",
    ),
    ServerKind(
        name="typescript-language-server", family=TYPESCRIPT, check="tsserver", loads=True,
        program="typescript-language-server", arguments=("--stdio",),
        options={"disableAutomaticTypingAcquisition": True, "hostInfo": "pointsman"},
    ),
    ServerKind(
        name="ty", family=PYTHON, program="ty", arguments=("server",), reads_closed=True,
        advice="pip install 'pointsman[python]'",
    ),
    ServerKind(
        name="pyright", family=PYTHON, program="pyright-langserver", arguments=("--stdio",),
        check="no_download", opens_new=True,
    ),
    ServerKind(
        name="gopls", family=GO, program="gopls", loads=True,
        options=_GO_OPTIONS, settings={"gopls": _GO_OPTIONS},
        advice="go install golang.org/x/tools/gopls@latest",
    ),
    ServerKind(
        name="rust-analyzer", family=RUST, program="rust-analyzer", runs_code=True, loads=True,
        options=_RUST_OPTIONS, settings={"rust-analyzer": _RUST_OPTIONS},
        advice="rustup component add rust-analyzer",
    ),
)  # fmt: skip
"""A further server is one line here; a further language also one in each table above."""
