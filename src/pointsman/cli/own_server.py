"""The server of questions about oneself, as ``init``, ``uninstall`` and ``doctor`` treat it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.agents import claude_mcp
from pointsman.agents.claude_install import Where
from pointsman.agents.claude_settings import SCOPES
from pointsman.agents.installed_file import Change
from pointsman.cli import host_settings
from pointsman.cli.doctor_gate import Finding
from pointsman.mcp.server import HANDSHAKE, MODERN, VERSION_KEY
from pointsman.mcp.tools import TOOLS
from pointsman.model.errors import HostError
from pointsman.paths.client_command import own_command

_WITHIN = 20.0
_CALL = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the registration: a change of a file, or why there is none."""

    change: Change | None
    taken: bool = False
    dry_run: bool = False
    problem: str = ""

    def row(self) -> dict[str, Any]:
        """Return it as plain values."""
        changed = host_settings.as_json(self.change) if self.change else {}
        return {"server": claude_mcp.NAME, **changed, "problem": self.problem or None}

    def difference(self) -> str:
        """Return the change as a unified diff."""
        return host_settings.difference(self.change) if self.change else ""

    def lines(self) -> Iterator[str]:
        """Yield what to say about it."""
        if self.problem:
            yield f"warning    agents cannot ask about themselves: {self.problem}"
        if self.change is None:
            return
        file, would = self.change.file, "would be " if self.dry_run else ""
        if self.taken:
            if self.change.changed:
                yield f"The server {claude_mcp.NAME!r} {would or 'is '}taken out of {file}."
            return
        done = f"{would}registered in" if self.change.changed else "is registered in"
        yield f"mcp        {claude_mcp.NAME} {done} {file}: agents ask what they have used"


def registered(scope: str, *, dry_run: bool) -> Asked:
    """Register the server; a failure is told and stops nothing: it guards nothing."""
    try:
        change = claude_mcp.register(
            host_settings.where(scope), own_command("mcp"), dry_run=dry_run
        )
    except HostError as error:
        return Asked(None, problem=f"{error}; {error.fix}")
    why = "" if change else "the machine's own servers would shut all others out (docs/mcp.md)"
    return Asked(change, dry_run=dry_run, problem=why)


def taken_out(scope: str, *, dry_run: bool) -> Asked:
    """Take the server out again."""
    try:
        change = claude_mcp.unregister(host_settings.where(scope), dry_run=dry_run)
    except HostError as error:
        return Asked(None, problem=f"{error}; {error.fix}")
    return Asked(change, taken=True, dry_run=dry_run)


def server_findings(where: Where) -> Iterator[Finding]:
    """Start each registered server as the host would, and ask it in both eras."""
    found = {scope: claude_mcp.registered(where, scope) for scope in SCOPES}
    seen: set[str] = set()
    for scope, entry in found.items():
        if entry is not None and (text := json.dumps(entry, sort_keys=True)) not in seen:
            seen.add(text)
            yield _finding(scope, entry)
    if not seen:
        text = "no server is registered: agents cannot ask what they have used"
        yield Finding("mcp", None, text, "pointsman init")


def _finding(scope: str, entry: Mapping[str, Any]) -> Finding:
    try:
        answers = _asked(entry)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Finding(
            "mcp", False, f"the server of the {scope} settings: {error}", "pointsman init"
        )
    wanted: dict[int, Callable[[Any], bool]] = {
        1: lambda it: MODERN[0] in it["supportedVersions"],
        2: lambda it: it["protocolVersion"] == HANDSHAKE[-1],
        3: lambda it: {tool["name"] for tool in it["tools"]} == set(TOOLS),
        # A call that no host has made is nobody's: it must not be answered.
        _CALL: lambda it: it["isError"] and "could not be verified" in it["content"][0]["text"],
    }
    for number, holds in wanted.items():
        try:
            sound = holds(answers[number]["result"])
        except (KeyError, TypeError, IndexError):
            sound = False
        if not sound:
            text = f"the server of the {scope} settings answers {str(answers.get(number))[:200]}"
            return Finding("mcp", False, text, "pointsman init")
    return Finding(
        "mcp", True, f"{len(TOOLS)} questions are answered ({scope}), to their own session"
    )


def _asked(entry: Mapping[str, Any]) -> dict[int, Any]:
    """Return the answers of a server, by the number of the request."""
    requests = [
        {"id": 1, "method": "server/discover", "params": {"_meta": {VERSION_KEY: MODERN[0]}}},
        {"id": 2, "method": "initialize", "params": {"protocolVersion": HANDSHAKE[-1]}},
        {"id": 3, "method": "tools/list"},
        {"id": _CALL, "method": "tools/call", "params": {"name": "spent"}},
    ]
    frames = "".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in requests)
    env = entry.get("env")
    done = subprocess.run(
        [entry["command"], *entry.get("args", ())],
        input=frames.encode(),
        capture_output=True,
        timeout=_WITHIN,
        check=False,
        env={**os.environ, **(env if isinstance(env, dict) else {})},
    )
    if done.returncode:
        raise ValueError(
            f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[:200]}"
        )
    return {each["id"]: each for each in map(json.loads, done.stdout.splitlines())}
