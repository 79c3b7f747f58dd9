"""What the daemon's memory grows to with two hundred sessions at once, and with ten times as much.

Every session is the recorded one under a name of its own, with its two agents beside the main
thread. They go on side by side: each sends a fifth of its calls before any sends them again, the
next time as other calls with other commands.
"""

import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.decisions import told_apart
from bench.figures import BenchError, Figure, ratio, rounded
from bench.load import send_all
from bench.rig import Effort, Rig, rig
from pointsman.serve import state_dir

_SESSIONS = 200
_ROUNDS = 10
_EACH = 5
"""Of the recorded session's calls, one in so many is sent in each round."""
_CALL = re.compile(rb'"(toolu_\w+)"')
_WIDTH = 32
_SETTLES_IN = 2.0
"""Seconds for what follows on the last answers."""
_GOAL = 1.2
_NAME = "memory of the daemon, 200 sessions"
_WHAT = "resident memory with so many sessions under way, three agents in each"


def memory(effort: Effort) -> list[Figure]:
    """Send the sessions through a daemon, and look at what it has in memory after each part."""
    if sys.platform != "linux":
        return [Figure(name=_NAME, what=_WHAT, unit="MiB", reason="read from /proc, of Linux")]
    count = effort.of(_SESSIONS, 20)
    with rig() as made, made.daemon():
        # One of them alone: code that is loaded for an event is no session's memory.
        alone = _session(made, 0)
        sent = _send(made, [made.frame(each) for each in alone])
        sizes = [_resident(made)]
        sessions = [_some(_session(made, n + 1)) for n in range(count)]
        for number in range(_ROUNDS):
            for events in sessions:
                sent += _send(made, [made.frame(_again(each, number)) for each in events])
            sizes.append(_resident(made))
        found = made.recorded("SELECT count(*) FROM events WHERE transport = 'hook'")[0][0]
    if found != sent:
        raise BenchError(f"{sent} events were sent, {found} are on record")
    return _figures(count, sent, sizes)


def _figures(count: int, events: int, sizes: Sequence[float]) -> list[Figure]:
    start, first, last = sizes[0], sizes[1], sizes[-1]
    return [
        Figure(
            name=_NAME,
            what=_WHAT,
            unit="MiB",
            value=last,
            detail={
                "sessions": count,
                "events": events,
                "one_session_mib": rounded(start),
                "first_round_mib": rounded(first),
                "each_session_kib": rounded((last - start) * 1024 / count),
            },
        ),
        Figure(
            name="memory, ten times the events",
            what="the same after ten rounds of events against what it was after the first",
            unit="x",
            value=ratio(last, first),
            goal=_GOAL,
            detail={f"round_{n}_mib": rounded(size) for n, size in enumerate(sizes[1:], 1)},
        ),
    ]


def _session(made: Rig, number: int) -> list[bytes]:
    """Return the recorded session as one of many: what is its own has its number."""
    own = f"{number:03d}".encode()
    # Without its end: what a session that is over leaves behind is another matter.
    given = [each for each in made.payloads() if b'"SessionEnd"' not in each]
    return [
        each.replace(b"2d26fb3d", b"2d26f" + own)
        .replace(b"a62a0402", b"a62a0" + own)
        .replace(b"ab4fca89", b"ab4fc" + own)
        .replace(b'"toolu_', b'"toolu_' + own)
        for each in given
    ]


def _some(session: Sequence[bytes]) -> list[bytes]:
    """Return every fifth call of a session from its hook to its batch, and each agent's start.

    Whole calls: one of which no end comes is something to remember.
    """
    calls = dict.fromkeys(found for each in session for found in _CALL.findall(each))
    taken = set(list(calls)[::_EACH])
    return [
        each
        for each in session
        if not taken.isdisjoint(_CALL.findall(each)) or b'"SubagentStart"' in each
    ]


def _again(payload: bytes, number: int) -> bytes:
    """Return an event as another one of its kind: a call of its own, its command another."""
    payload = payload.replace(b'"toolu_', b'"toolu_' + str(number).encode())
    return told_apart(json.loads(payload), number)


def _send(made: Rig, frames: Sequence[bytes]) -> int:
    answered = send_all(str(made.places.socket), frames, len(frames), _WIDTH)
    if answered != len(frames):
        raise BenchError(f"{len(frames)} events were sent, {answered} answered")
    return answered


def _resident(made: Rig) -> float:
    """Return the daemon's resident memory in MiB, once it is at rest."""
    time.sleep(_SETTLES_IN)
    pid = state_dir.holder(made.places)
    if pid is None:
        raise BenchError("there is no daemon")
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise BenchError(f"/proc/{pid}/status does not say how much memory it has")
