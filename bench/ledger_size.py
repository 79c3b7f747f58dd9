"""Whether a verdict takes longer when the ledger is large."""

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing

from bench.figures import BenchError, Figure, median, ratio, rounded
from bench.rig import Effort, Rig, rig
from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.store.ledger import Ledger
from pointsman.store.record import Record

SIZES = (1_000, 10_000, 100_000, 1_000_000)
_GOAL = 1.2
"""What still counts as flat: the noise of two medians of the same thing."""
_COPY = """
INSERT INTO events SELECT seq + :by, received_ns, host, event,
 printf('%s-%d', substr(session, 1, 8), (seq + :by) / 100),
 agent_id, agent_type, parent, prompt_id, tool_use_id, tool, path, cwd,
 repository, permission_mode, decision, rule, reason, hook, cause, context, duration_ns, exit_code,
 transport, client, client_version, problems, derived_from FROM events WHERE seq <= :most;
INSERT INTO bodies SELECT seq + :by, payload, stdout, stderr FROM bodies WHERE seq <= :most;
INSERT INTO hook_runs SELECT seq + :by, n, hook, role, event, started_ns, duration_ns, outcome,
 budget_ms, reason, decision, rule, lines FROM hook_runs WHERE seq <= :most
"""


def ledger_size(effort: Effort) -> list[Figure]:
    """Ask daemons on ledgers of each size in turn, and compare the medians."""
    sizes = SIZES[: effort.of(4, 3)]
    with ExitStack() as stack:
        made = [stack.enter_context(rig()) for _ in sizes]
        for each, rows in zip(made, sizes, strict=True):
            fill(each, rows)
            stack.enter_context(each.daemon())
        samples = _ask_in_turn(made, effort.of(400, 50))
        for each, rows in zip(made, sizes, strict=True):
            found = each.recorded("SELECT count(*) FROM events")[0][0]
            if found <= rows:
                raise BenchError(f"a ledger of {rows} rows has {found} after the verdicts")
    medians = [median(each) for each in samples]
    detail = {f"{rows}_rows_us": rounded(each) for rows, each in zip(sizes, medians, strict=True)}
    return [
        Figure(
            name="verdict on a large ledger",
            what=f"a verdict with {sizes[-1]} rows in the ledger against {sizes[0]}",
            unit="x",
            value=ratio(medians[-1], medians[0]),
            goal=_GOAL,
            detail=detail,
        )
    ]


def fill(made: Rig, rows: int) -> None:
    """Put so many events on record: a thousand by the ledger's own hand, then copies of them."""
    made.places.state.mkdir(mode=0o700)
    ledger = Ledger.open(made.places.ledger)
    ledger.append([_record(made, number) for number in range(min(rows, 1000))])
    ledger.close()
    with closing(sqlite3.connect(made.places.ledger, isolation_level=None)) as connection:
        count = connection.execute("SELECT max(seq) FROM events").fetchone()[0]
        while count < rows:
            more = min(count, rows - count)
            connection.execute("BEGIN")
            for statement in _COPY.split(";"):
                connection.execute(statement, {"by": count, "most": more})
            connection.execute("COMMIT")
            count += more
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _record(made: Rig, number: int) -> Record:
    """Return an event of the usual size."""
    where = str(made.repository)
    who = Identity(
        host="claude-code",
        session=f"{number // 100:08x}-03c3-44b4-805e-c6f658b3ad97",
        prompt_id="093c8ce1-74cf-4232-92db-b37488fab5a8",
        tool_use_id=f"toolu_{number}",
        cwd=where,
        repository=where,
    )
    now = time.time_ns()
    given = {"file_path": f"{where}/src/file_{number}.py"}
    event = PostToolUse(
        identity=who,
        received_ns=now,
        tool_name="Read",
        tool_input=given,
        permission_mode="default",
    )
    run = HookRun(
        hook="scope", role=Role.GUARD, kind="PreEdit", started_ns=now, duration_ns=50_000,
        outcome=Outcome.NO_OPINION, budget=10.0,
    )  # fmt: skip
    payload = json.dumps({"session_id": who.session, "tool_input": given, "pad": "x" * 300})
    return Record(event=event, runs=(run,), payload=payload.encode(), duration_ns=200_000)


def _ask_in_turn(made: Sequence[Rig], rounds: int) -> list[list[float]]:
    frames = []
    for each in made:
        calm = next(p for p in each.payloads() if b'"PreToolUse"' in p and b"git status" in p)
        frames.append(each.frame(calm))
    samples: list[list[float]] = [[] for _ in made]
    for number in range(rounds + 10):
        for each, frame, taken in zip(made, frames, samples, strict=True):
            started = time.perf_counter_ns()
            answer = each.ask(frame)
            took = time.perf_counter_ns() - started
            if answer.code != 0:
                raise BenchError(answer.stderr.decode())
            if number >= 10:
                taken.append(took / 1e3)
    return samples
