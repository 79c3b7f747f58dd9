"""What is known of each server, and the file in the state directory that outlives the daemon.

No secret is in it: of a declaration it holds what ``Server.where`` shows, and a hash.
"""

import json
import os
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pointsman.mcp_health.drift import drift
from pointsman.model.server_health import Breaker, Health, Phase, Server, Verdict, key_of
from pointsman.paths.content import read_regular

MOST = 512
"""Servers that are remembered; those heard of longest ago are forgotten first."""
_MOST_BYTES = 16 * 1024 * 1024
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One server: how it is called and where it stands, what was found, its breaker.

    ``baseline`` are the tools as they were first seen or accepted. ``server`` is its declaration
    where it was looked up in this process; ``config`` is the host's own directory then.
    """

    name: str
    host: str
    root: str = ""
    scope: str = ""
    file: str = ""
    transport: str = ""
    where: str = ""
    declared: str = ""
    config: str = ""
    health: Health | None = None
    baseline: Mapping[str, str] = field(default_factory=dict)
    breaker: Breaker = field(default_factory=Breaker)
    server: Server | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> str:
        """What it is kept under."""
        return key_of(self.host, self.root, self.name)


class Book:
    """Every server by its key; ``dirty`` says that the file is behind."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dirty = False
        self.problem = ""
        self.entries: OrderedDict[str, Entry] = OrderedDict()
        self._load()

    def put(self, entry: Entry) -> None:
        """Keep an entry, as the one that was heard of last."""
        if self.entries.get(entry.key) != entry:
            self.dirty = True
        self.entries[entry.key] = entry
        self.entries.move_to_end(entry.key)
        while len(self.entries) > MOST:
            self.entries.popitem(last=False)

    def known(self, server: Server, config: str = "") -> Entry:
        """Return what is known of a declaration; of one that has changed, nothing."""
        entry = self.entries.get(server.key)
        if entry is None or entry.declared not in {"", server.declared}:
            entry = Entry(name=server.name, host=server.host, root=server.root)
        return replace(
            entry, scope=server.scope, file=server.file, transport=server.transport,
            where=server.where, declared=server.declared, server=server, config=config,
        )  # fmt: skip

    def took(self, entry: Entry, health: Health) -> Entry:
        """Return an entry with what a probe has found; tools are compared with the baseline."""
        if health.verdict is not Verdict.HEALTHY:
            return replace(entry, health=health)
        baseline = entry.baseline or health.tools
        health = replace(health, drift=drift(baseline, health.tools))
        return replace(entry, health=health, baseline=baseline)

    def accept(self, name: str) -> list[Entry]:
        """Take the tools of every server of a name as they are now for the baseline."""
        found = [each for each in self.entries.values() if each.name == name and each.health]
        for each in found:
            health = each.health
            if health is not None and health.verdict is Verdict.HEALTHY:
                self.put(replace(each, baseline=health.tools, health=replace(health, drift=())))
        return found

    def save(self) -> None:
        """Write the file anew, under another name first; raises OSError."""
        rows = [as_row(each) for each in self.entries.values()]
        text = json.dumps({"form": _FORM, "servers": rows}, indent=1)
        with tempfile.NamedTemporaryFile(
            "w", dir=self.path.parent, prefix=".mcp-health-", delete=False
        ) as file:
            file.write(text)
        os.replace(file.name, self.path)  # noqa: PTH105 - a name is given
        self.dirty = False

    def _load(self) -> None:
        try:
            found = json.loads(read_regular(str(self.path), _MOST_BYTES))
            for row in found["servers"][-MOST:]:
                entry = _entry(row)
                self.entries[entry.key] = entry
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            self.problem = f"{self.path} cannot be read and begins anew: {error}"[:300]


def as_row(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON."""
    return asdict(replace(entry, server=None))


def _entry(row: Mapping[str, Any]) -> Entry:
    health, breaker = row["health"], row["breaker"]
    return Entry(
        **{
            **row,
            "server": None,
            "health": health and health_of(health),
            "breaker": Breaker(**{**breaker, "phase": Phase(breaker["phase"])}),
        }
    )


def health_of(row: Mapping[str, Any]) -> Health:
    """Return what a probe has found, from JSON.

    Raises:
        TypeError, ValueError: it is something else.
    """
    lists = {key: tuple(row[key]) for key in ("drift", "codes") if key in row}
    return Health(**{**row, **lists, "verdict": Verdict(row["verdict"])})
