"""Which subagents of a session have lately been at work, by what Claude Code keeps of them.

Measured with client 2.1.330: beside a session's transcript lie, for each of its subagents,
``subagents/agent-ID.meta.json`` with the agent's type and ``agent-ID.jsonl``, which grows with each
of its messages: so before every call.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

LATELY = 120.0
"""Seconds since its last message for which an agent counts as at work."""
_MOST = 256
_MOST_BYTES = 16 * 1024


def lately_at_work(session: str, host_config: str, home: str) -> tuple[str, ...]:
    """Return the types of the subagents that have said something in the last two minutes."""
    # A session's name is the host's own; anything else than one name leads elsewhere.
    if not session or "/" in session or session.startswith("."):
        return ()
    base = Path(host_config) if host_config.startswith("/") else Path(home) / ".claude"
    try:
        folders = [folder / session / "subagents" for folder in (base / "projects").iterdir()]
        found = [meta for folder in folders for meta in folder.glob("agent-*.meta.json")]
    except OSError:
        return ()
    newest = sorted(found, key=_last_word, reverse=True)[:_MOST]
    since = time.time() - LATELY
    return tuple(dict.fromkeys(_types(meta for meta in newest if _last_word(meta) >= since)))


def _last_word(meta: Path) -> float:
    transcript = meta.with_name(meta.name.removesuffix(".meta.json") + ".jsonl")
    try:
        return max(meta.stat().st_mtime, transcript.stat().st_mtime)
    except OSError:
        return 0.0


def _types(metas: Iterator[Path]) -> Iterator[str]:
    for meta in metas:
        try:
            with meta.open("rb") as file:
                value = json.loads(file.read(_MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            continue
        kind = value.get("agentType") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind:
            yield kind
