"""What the detectors knew of the sessions that go on, for a daemon that was not there yet.

Beside the first answers, in a thread: the newest events and messages of the sessions that were
heard of lately are shown to detectors of their own, whose state is then taken over. What they find
on the way is on record already.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pointsman.agents.all_agents import AGENTS
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.errors import PayloadError, PointsmanError
from pointsman.model.event import Event
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.oversight import Oversight
from pointsman.store import lookback
from pointsman.store.lookback import Happened, Used
from pointsman.store.query import opened
from pointsman.watch.watch import Watch

_LATELY_NS = 3600 * 10**9
_MOST_SESSIONS = 32
_ACTIONS = frozenset(map(str, Action))
_CAUSES = frozenset(map(str, Cause))


async def recall(
    oversight: Oversight, ledger: Path, now_ns: int, report: Callable[[str, str], None]
) -> None:
    """Let the detectors of a new daemon know what those of the last one did."""
    try:
        past = await asyncio.to_thread(recalled, ledger, now_ns)
        oversight.remember(past)
    except PointsmanError as error:
        report("watch failed", f"what was before could not be read: {error}; {error.fix}")
        oversight.remember(None)
    except Exception as error:  # noqa: BLE001 - what is only remembered must not cost the daemon
        report("watch failed", f"what was before: {type(error).__name__}: {error}")
        oversight.remember(None)


def recalled(ledger: Path, before_ns: int) -> Watch:
    """Return detectors that have seen the newest of each session that was heard of lately.

    Raises:
        LedgerError: the record cannot be read.
    """
    # One that fails here fails again on what is to come, and says so then.
    watch = Watch(lambda _detector, _session, _error: None)
    if not ledger.exists():
        return watch
    with opened(ledger) as connection:
        for name in lookback.sessions(connection, before_ns - _LATELY_NS, _MOST_SESSIONS):
            for each in _course(connection, name, before_ns):
                if isinstance(each, Used):
                    watch.usage(each.usage, each.cost, {})
                elif (event := _event(each)) is not None:
                    watch.event(event, _decision(each), _runs(each), each.seq, {})
    return watch


def _course(
    connection: sqlite3.Connection, session: str, before_ns: int
) -> Iterator[Happened | Used]:
    """Yield what has happened in a session, in its order."""
    both: list[Happened | Used] = list(lookback.happened(connection, session, before_ns))
    both += lookback.used(connection, session, before_ns)
    yield from sorted(both, key=lambda each: each.at_ns)


def _event(each: Happened) -> Event | None:
    agent = AGENTS.get(each.host)
    if agent is None or not each.payload:
        return None
    try:
        event = agent.read(each.payload, each.event, each.cwd, each.at_ns)
    except PayloadError:
        return None
    who = replace(event.identity, repository=each.repository, parent=each.parent)
    return replace(event, identity=who)


def _decision(each: Happened) -> Decision:
    return Decision(
        action=Action(each.decision) if each.decision in _ACTIONS else None,
        reason=each.reason,
        rule=each.rule,
        cause=Cause(each.cause) if each.cause in _CAUSES else Cause.VIOLATION,
    )


def _runs(each: Happened) -> tuple[HookRun, ...]:
    return tuple(
        HookRun(
            hook=run.hook, role=Role(run.role), kind=run.event, started_ns=run.started_ns,
            duration_ns=run.duration_ns, outcome=Outcome(run.outcome), budget=run.budget_ms / 1000,
            reason=run.reason,
        )
        for run in each.runs
    )  # fmt: skip
