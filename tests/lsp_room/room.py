"""A small repository, and servers for it that do as a test wants."""

import asyncio
import json
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.lsp.keeper import Keeper, Terms
from pointsman.model.code import Ask, Place

FAKE = Path(__file__).with_name("fake_server.py")
FOO = Ask("Foo", Place("m.py", 1, 14))
ALWAYS = 60.0
"""Seconds that are only used up where something hangs that must not."""


@dataclass
class Room:
    """A repository and a PATH of a test's own, with what was reported."""

    folder: Path
    reports: list[tuple[str, str]] = field(default_factory=list)
    terms: Terms = field(default_factory=Terms)
    trusted: bool = False

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()
        self.root.mkdir(parents=True)
        self.bin.mkdir()
        (self.root / "n.py").write_text("class Foo: ...\n", encoding="utf-8")
        (self.root / "m.py").write_text("from n import Foo\nx = Foo()\n", encoding="utf-8")

    @property
    def root(self) -> Path:
        return self.folder / "repository"

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    def install(self, mode: str, program: str = "ty", folder: Path | None = None) -> Path:
        """Put a server that behaves so where programs are."""
        target = (folder or self.bin) / program
        target.parent.mkdir(parents=True, exist_ok=True)
        command = shlex.join([sys.executable, "-S", str(FAKE), mode])
        target.write_text(f"#!/bin/sh\nexec {command}\n", encoding="utf-8")
        target.chmod(0o755)
        return target

    def heard(self) -> list[dict[str, Any]]:
        """Return what the server was told."""
        lines = (self.root / "heard.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    @asynccontextmanager
    async def keeper(self, **environ: str) -> AsyncIterator[Keeper]:
        path = f"{self.bin}:/usr/bin:/bin"
        keeper = Keeper(
            {"PATH": path, **environ},
            trusted=lambda _root: self.trusted,
            report=lambda kind, text: self.reports.append((kind, text)),
            terms=lambda: self.terms,
            own=str(self.folder / "nothing"),
        )
        try:
            # Whatever hangs, the test does not.
            async with asyncio.timeout(ALWAYS):
                yield keeper
        finally:
            await keeper.close()


async def until(condition: Any) -> None:
    """Wait until something is so."""
    while not condition():  # noqa: ASYNC110 - a file or a process, which tells no event
        await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs (one that has ended and waits for its parent does not)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def environ_of(pid: int) -> dict[str, str]:
    """Return a process's environment."""
    data = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(each.partition("=")[::2] for each in data.split("\0") if each)
