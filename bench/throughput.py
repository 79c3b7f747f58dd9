"""How many events a second are on record and answered, as they come from many clients."""

import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.figures import BenchError, Figure, median, rounded
from bench.rig import Effort, Rig, rig
from pointsman.assembly import Setups
from pointsman.case import Delivery
from pointsman.config.policy_loader import PolicyLoader
from pointsman.proof.prover import Proof
from pointsman.runtime import Runtime
from pointsman.serve import state_dir
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record

_GOAL = 20_000.0
_PROCESSES = 2
WIDTH = 64
"""Clients at once in each process; also how many records one transaction takes."""


def throughput(effort: Effort) -> list[Figure]:
    """Measure the socket with events nobody decides on, with all, and the ledger by itself."""
    return [
        _socket(
            effort,
            "events/s, to be recorded",
            "events on which no hook is asked, through the socket, durable and answered",
            guarded=False,
        ),
        _socket(
            effort,
            "events/s, whole session",
            "a recorded session with all its decisions, through the socket",
            guarded=True,
        ),
        _ledger(effort),
    ]


def _socket(effort: Effort, name: str, what: str, *, guarded: bool) -> Figure:
    count = effort.of(6_000 if guarded else 16_000, 2_000)
    rates, spent = [], []
    for _ in range(effort.of(3, 1)):
        with rig() as made, made.daemon():
            given = made.payloads()
            frames = [made.frame(each) for each in (given if guarded else _recorded_only(made))]
            _load(made, frames, len(frames) * _PROCESSES)  # What is read once has been read then.
            before, already = _cpu_seconds(made), _on_record(made)
            seconds, answered = _load(made, frames, count)
            spent.append((_cpu_seconds(made) - before) / count * 1e6)
            found = _on_record(made) - already
        if found != answered or answered != count:
            raise BenchError(f"{count} events sent, {answered} answered, {found} on record")
        rates.append(found / seconds)
    return Figure(
        name=name,
        what=what,
        unit="/s",
        value=median(rates),
        goal=None if guarded else _GOAL,
        at_least=True,
        detail={
            "events": count,
            "clients_at_once": _PROCESSES * WIDTH,
            "daemon_cpu_us_each": rounded(median(spent)),
            "best": rounded(max(rates)),
            "worst": rounded(min(rates)),
        },
    )


def _on_record(made: Rig) -> int:
    found: int = made.recorded("SELECT count(*) FROM events WHERE transport = 'hook'")[0][0]
    return found


def _cpu_seconds(made: Rig) -> float:
    """Return the processor time that the daemon has had: what a busy machine does not change."""
    pid = state_dir.holder(made.places)
    if pid is None or sys.platform != "linux":
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _recorded_only(made: Rig) -> list[bytes]:
    """Return the payloads of events on which no hook is asked."""
    runtime = _runtime(made)
    given = made.payloads()
    return [each for each in given if not runtime.open(_delivery(made, each)).asked]


def _runtime(made: Rig) -> Runtime:
    # With proof, as in the daemon: what agents with a contract do is looked at.
    proof = Proof(made.places.state)
    return Runtime(Setups(PolicyLoader(made.places), made.places, proof, live=False), None)


def _delivery(made: Rig, payload: bytes) -> Delivery:
    return Delivery(
        host="claude-code",
        event=json.loads(payload)["hook_event_name"],
        payload=payload,
        cwd=str(made.repository),
        project=str(made.repository),
    )


def _load(made: Rig, frames: Sequence[bytes], count: int) -> tuple[float, int]:
    """Let the load processes send; return the seconds from first to last, and the answers."""
    file = made.folder / "frames"
    file.write_bytes(pickle.dumps(list(frames)))
    share = str(count // _PROCESSES)
    command = [sys.executable, "-m", "bench.load", str(made.places.socket), str(file)]
    running = [
        subprocess.Popen(
            [*command, share, str(WIDTH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
        for _ in range(_PROCESSES)
    ]
    try:
        for each in running:
            if each.stdout is None or each.stdout.readline() != "ready\n":
                raise BenchError("a load process did not start")
        for each in running:
            _release(each)
        told = [each.communicate(timeout=300) for each in running]
    finally:
        for each in running:
            each.kill()
            each.wait()
    reports = [json.loads(out) for out, _ in told]
    begin, end = (min(r["begin"] for r in reports), max(r["end"] for r in reports))
    return end - begin, sum(report["answered"] for report in reports)


def _release(process: "subprocess.Popen[str]") -> None:
    """Let a load process go; all of them are let go before the first is waited for."""
    if process.stdin is not None:
        process.stdin.write("go\n")
        process.stdin.flush()


def _ledger(effort: Effort) -> Figure:
    """Append the same records in batches, without socket and decision."""
    batches = effort.of(400, 40)
    with rig() as made:
        made.places.state.mkdir(mode=0o700)
        records = records_of(made)
        ledger = Ledger.open(made.places.ledger)
        batch = [records[number % len(records)] for number in range(WIDTH)]
        started = time.perf_counter()
        for _ in range(batches):
            ledger.append(batch)
        seconds = time.perf_counter() - started
        ledger.close()
        found = made.recorded("SELECT count(*) FROM events")[0][0]
    return Figure(
        name="events/s, ledger alone",
        what="the same records appended in batches of as many, without socket and decision",
        unit="/s",
        value=found / seconds,
        goal=_GOAL,
        at_least=True,
        detail={"events": found, "batch": WIDTH},
    )


def records_of(made: Rig) -> list[Record]:
    """Return what the events of a session amount to on which no hook is asked."""
    runtime = _runtime(made)
    cases = [runtime.open(_delivery(made, each)) for each in _recorded_only(made)]
    return [runtime.finish_at_once(case).record for case in cases]
