"""Where the language servers of a project are: in it, on the PATH, or installed with us.

A program that lies in a repository is foreign code: an agent may have put it there a moment ago.
It is taken only where a person has trusted the repository. Nothing is run to find out what it is,
and nothing is downloaded, so a program that would download itself is passed over.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.lsp.table import HOMES, SERVERS, ServerKind
from pointsman.model.errors import ServerError
from pointsman.paths.content import read_regular

_MOST_MANIFEST = 1024 * 1024
_MOST_HEAD = 512
OWN = os.path.dirname(sys.executable)
"""Where the programs are that are installed with us."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A server that can be started."""

    kind: ServerKind
    command: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """What goes with ``initialize``."""


@dataclass(frozen=True, slots=True)
class Found:
    """The servers that can be started for a language, best first, and why others cannot."""

    launches: tuple[Launch, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Where:
    """Where to look: a repository, whether a person has trusted it, and the machine's programs.

    ``path`` is the PATH; ``own`` the directory of the programs that are installed with us.
    """

    root: str
    trusted: bool
    path: str
    own: str = OWN

    def theirs(self, program: str) -> bool:
        """Whether a program lies in the repository, by its name or by what the name leads to."""
        return any(
            f"{each}/".startswith(f"{self.root}/") for each in (program, os.path.realpath(program))
        )

    def safe_path(self) -> str:
        """Return the PATH without what an agent could put a program into by a relative name."""
        parts = [part for part in self.path.split(":") if part.startswith("/")]
        if not self.trusted:
            parts = [part for part in parts if not self.theirs(part)]
        return ":".join(parts)


def find(family: str, where: Where) -> Found:
    """Return the servers for a language in a repository, and why others are not used."""
    launches: list[Launch] = []
    reasons: list[str] = []
    kinds = [kind for kind in SERVERS if kind.family == family]
    for kind in kinds:
        try:
            launches += _launches(kind, where)
        except ServerError as error:
            reasons.append(str(error))
    if launches:
        return Found(tuple(launches))
    advice = next((kind.advice for kind in kinds if kind.advice), "")
    reasons = reasons or [f"none of {', '.join(kind.program for kind in kinds)} is installed"]
    untrusted = any("pointsman trust" in reason for reason in reasons)
    told = "" if untrusted or not advice else f"; to have one: {advice}"
    return Found((), f"no language server for {family}: {'; '.join(reasons)}{told}")


def _launches(kind: ServerKind, where: Where) -> list[Launch]:
    """Return how a kind can be started here: nothing, or one way.

    Raises:
        ServerError: it is there, and may not or cannot be used.
    """
    refused = ""
    for program in _programs(kind, where):
        theirs = where.theirs(program)
        if not where.trusted and (theirs or kind.runs_code):
            what = "lies in the repository" if theirs else "runs programs that the repository names"
            refused = refused or (
                f"{program} {what}, which nobody has trusted: pointsman trust {where.root}"
            )
            continue
        try:
            return [_CHECKS[kind.check](kind, program, where)]
        except ServerError as error:
            refused = refused or str(error)
    if refused:
        raise ServerError(refused)
    return []


def _programs(kind: ServerKind, where: Where) -> Iterator[str]:
    """Yield what has the program's name: the project's own first, then the PATH's, then ours."""
    folders = [f"{where.root}/{home}" for home in HOMES[kind.family]]
    # A relative entry of the PATH means another program in every directory.
    folders += [part for part in where.path.split(":") if part.startswith("/")]
    for folder in dict.fromkeys([*folders, where.own]):
        program = f"{folder}/{kind.program}"
        if os.path.isfile(program) and os.access(program, os.X_OK):
            yield program


def _plain(kind: ServerKind, program: str, where: Where) -> Launch:
    del where
    return Launch(kind, (program, *kind.arguments), kind.options)


def _typescript_7(kind: ServerKind, program: str, where: Where) -> Launch:
    """Take a compiler that is a server itself, which it is since version 7."""
    package = _package_of(program, where, "typescript")
    version = _version(package)
    if version < (7,):
        known = ".".join(map(str, version)) or "unknown"
        raise ServerError(f"{program} is of version {known}, and has no server before 7")
    # Without the wrapper, a script for node that stays for as long as the server does.
    native = _native(package)
    return Launch(kind, (native or program, *kind.arguments), kind.options)


def _tsserver(kind: ServerKind, program: str, where: Where) -> Launch:
    """Say which TypeScript it is to use: by itself it would take, and run, the repository's."""
    beside = f"{_package_of(program, where, kind.program)}/../typescript"
    homes = [f"{where.root}/node_modules/typescript"] if where.trusted else []
    for home in (*homes, beside):
        server = os.path.realpath(f"{home}/lib/tsserver.js")
        if os.path.isfile(server):
            # Its second server answers while the first still loads, from syntax alone and as if
            # that were all; and its own watching is late by seconds.
            more = {"useSyntaxServer": "never", "useClientFileWatcher": True}
            options = {**kind.options, "tsserver": {"path": server, **more}}
            return Launch(kind, (program, *kind.arguments), options)
    raise ServerError(f"{program} has no TypeScript before 7 beside it, which it needs")


def _no_download(kind: ServerKind, program: str, where: Where) -> Launch:
    """Refuse the package for Python of a program for node: it downloads what it starts."""
    with open(program, "rb") as file:
        first = file.read(_MOST_HEAD).partition(b"\n")[0]
    if first.startswith(b"#!") and b"python" in first:
        raise ServerError(f"{program} would download itself; npm install pyright does not")
    return _plain(kind, program, where)


_CHECKS: Mapping[str, Callable[[ServerKind, str, Where], Launch]] = {
    "": _plain,
    "typescript_7": _typescript_7,
    "tsserver": _tsserver,
    "no_download": _no_download,
}


def _package_of(program: str, where: Where, name: str) -> str:
    """Return the directory of the npm package that a program is of."""
    if program.startswith(f"{where.root}/node_modules/.bin/"):
        # Not by what the name leads to: some package managers put a script there.
        return os.path.realpath(f"{where.root}/node_modules/{name}")
    return os.path.dirname(os.path.dirname(os.path.realpath(program)))


def _version(package: str) -> tuple[int, ...]:
    """Return the numbers of an npm package's version, none where they cannot be read."""
    try:
        said = json.loads(read_regular(f"{package}/package.json", _MOST_MANIFEST))["version"]
        return tuple(int(part) for part in str(said).partition("-")[0].split("."))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()


def _native(package: str) -> str:
    """Return TypeScript's executable for this machine, where npm has put it, or nothing."""
    uname = os.uname()
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(uname.machine, uname.machine)
    name = f"@typescript/typescript-{sys.platform}-{machine}/lib/tsc"
    for folder in (f"{package}/..", f"{package}/node_modules"):
        program = os.path.normpath(f"{folder}/{name}")
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    return ""
