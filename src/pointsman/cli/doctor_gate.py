"""What ``doctor`` finds of the second gate: that it stands, stops, lets pass, and holds."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.agents.claude_seam import VARIABLE, argv_of, value_in
from pointsman.cli.places import places
from pointsman.config.policy_loader import PolicyLoader
from pointsman.hooks.canary import COMMAND, DOCTOR, RULE
from pointsman.model.budget import HOST_TIMEOUT

_TEXT = "source /dev/null 2>/dev/null || true && eval {} < /dev/null"
_SAID = "pointsman-harmless"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. ``ok`` is ``None`` for what is only told."""

    check: str
    ok: bool | None
    text: str
    fix: str = ""


def gate_findings(texts: Mapping[str, tuple[str, bytes | None]]) -> Iterator[Finding]:
    """Start each pointsman-exec of the settings as the host would, with two commands.

    ``texts`` maps a scope to the name and the bytes of its settings file.
    """
    seen: set[tuple[str, ...]] = set()
    for name, data in texts.values():
        argv = argv_of(value_in(parsed(data)))
        if argv is not None and argv not in seen:
            seen.add(argv)
            yield _canary(argv, name)
            yield _harmless(argv, name)
    if seen:
        return
    if not PolicyLoader(places()).policy_for(None).sandbox:
        yield Finding("second gate", None, "switched off: [sandbox] enabled = false")
        return
    text = f"no settings set {VARIABLE}: shell commands are checked at their hook alone"
    yield Finding("second gate", None, text, "pointsman init")


def _canary(argv: tuple[str, ...], name: str) -> Finding:
    done = _run(argv, f"'{COMMAND}'")
    if isinstance(done, str):
        return Finding("second gate", False, f"{name}: {done}", "pointsman init")
    text = done.stderr.decode(errors="replace").strip()
    # 126 alone proves nothing: every failure of ours ends in it.
    if done.returncode == 126 and f"[{RULE} " in text:
        return Finding("second gate", True, f"a command without a hook is judged ({name})")
    what = f"exit code {done.returncode}: {text[:300]}"
    return Finding("second gate", False, what, "pointsman up --restart")


def _harmless(argv: tuple[str, ...], name: str) -> Finding:
    # A gate that stops everything would pass the canary.
    done = _run(argv, f"'echo {_SAID}'")
    if isinstance(done, str):
        return Finding("second gate", False, f"{name}: {done}", "pointsman init")
    if (done.returncode, done.stdout.decode(errors="replace").strip()) == (0, _SAID):
        return Finding("second gate", True, f"a harmless command runs ({name})")
    text = done.stderr.decode(errors="replace").strip()[:300]
    return Finding("second gate", False, f"exit code {done.returncode}: {text}", "pointsman up")


def _run(argv: tuple[str, ...], quoted: str) -> subprocess.CompletedProcess[bytes] | str:
    environ = {**os.environ, "CLAUDE_CODE_SESSION_ID": DOCTOR}
    # It is a tool's command that is tried, and the host names its project to its own alone.
    environ.pop("CLAUDE_PROJECT_DIR", None)
    try:
        return subprocess.run(
            [*argv, _TEXT.format(quoted)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environ,
            timeout=HOST_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{argv[0]} cannot be run: {error}"


def parsed(data: bytes | None) -> Mapping[str, Any]:
    """Return the object in a settings file; of anything else, and of none, an empty one."""
    try:
        value = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
