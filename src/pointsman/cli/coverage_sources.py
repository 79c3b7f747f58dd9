"""What ``coverage`` compares, by session: the ledger, transcripts, the host's telemetry."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pointsman.model.coverage import Call, Heard
from pointsman.store.host_telemetry import Told


def telemetry_calls(
    told: Mapping[str, Told], known: Collection[tuple[str, str]], start_ns: int
) -> Iterator[Call]:
    """Yield the calls that have ended by the host's telemetry, and are in no transcript.

    ``known`` are session and id of those that are.
    """
    for session, each in told.items():
        for call in each.calls:
            if call.ended and call.at_ns >= start_ns and (session, call.id) not in known:
                yield Call(
                    id=call.id, tool=call.tool, session=session, at_ns=call.at_ns, ran=True,
                    agent_id=call.agent_id or None,
                )  # fmt: skip


def by_session(
    transcript: Sequence[Call], heard: Mapping[str, Heard], told: Mapping[str, Told]
) -> list[dict[str, Any]]:
    """Return what each source says of each session; ``None`` where a source says nothing of it."""
    ran = Counter(call.session for call in transcript if call.ran)
    seen = {call.session for call in transcript}
    rows = []
    for session in sorted({*seen, *told}):
        mine, host = heard.get(session), told.get(session)
        rows.append({
            "session": session,
            "ledger": len(mine.answered) if mine else 0,
            "transcript": ran[session] if session in seen else None,
            "telemetry": sum(1 for call in host.calls if call.ended) if host else None,
            "hooks_cancelled": host.counts["hooks_cancelled"] if host else None,
            "guards_cancelled": host.counts["guards_cancelled"] if host else None,
            "hooks_failed": host.counts["hooks_failed"] if host else None,
        })  # fmt: skip
    return rows


def cancelled_line(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what to say of hooks that the host gave up; empty where it tells of none."""
    count = sum(row["hooks_cancelled"] or 0 for row in rows)
    guards = sum(row["guards_cancelled"] or 0 for row in rows)
    if not count:
        return ""
    return f"The host's telemetry counts {count} hooks cancelled, {guards} of them before a call."
