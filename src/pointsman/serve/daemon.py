"""The resident daemon: one per user, started by whoever needs it first."""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from pointsman import __version__
from pointsman.assembly import Setup, Setups
from pointsman.case import Case, Handled, as_row
from pointsman.config.policy_loader import PolicyLoader
from pointsman.desk import Desk, spoken
from pointsman.meter.absence import watching_for_absence
from pointsman.meter.meter import metered
from pointsman.model.answer import PASS, Answer
from pointsman.model.errors import LedgerError, PointsmanError
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.proof.prover import Proof
from pointsman.recall import recall
from pointsman.runtime import Runtime
from pointsman.serve import context_answer, control, exec_gate, protocol, state_dir
from pointsman.serve.alerting import Alerting
from pointsman.serve.code_servers import code_servers
from pointsman.serve.dashboard import Dashboard
from pointsman.serve.deliveries import delivery_of
from pointsman.serve.failing import bug, unrecorded
from pointsman.serve.holding import Holding
from pointsman.serve.intake import Connection, Intake
from pointsman.serve.keeping import Keeping
from pointsman.serve.relay import Relay
from pointsman.serve.spooled import take_in
from pointsman.serve.state_dir import Listener
from pointsman.store.approvals import Approvals
from pointsman.store.backlog import Backlog
from pointsman.store.recorder import Recorder, append_each
from pointsman.store.redacting import Redacting

_TICK = 1.0
_DRAIN = 5.0
"""Seconds that requests under way have when the daemon is told to stop."""
_CHECKPOINT_BYTES = 4 * 1024 * 1024
_PRUNE_EVERY = 600.0
_log = logging.getLogger("pointsman.daemon")


class Daemon:
    """Owns the ledger and the runtime, and hands requests from the socket to them."""

    def __init__(self, places: Places, *, held: Callable[[], bool] = lambda: True) -> None:
        self.places = places
        self.policies = PolicyLoader(places)
        user = partial(self.policies.policy_for, None)
        self.started = self.heartbeat = time.monotonic()
        self._began_ns = time.time_ns()
        self.answered = 0
        self.unrecorded = 0
        self._held = held
        self.keeping = Keeping(places, lambda: user().ledger, held)
        self._ledger = self.keeping.ledger
        self._proof = Proof(places.state)
        self._setups = Setups(self.policies, places, self._proof)
        self.secrets = self._setups.secrets
        self.servers = self._setups.servers
        self.alerting = Alerting(places, self._setups.board, self.report, self.secrets.text)
        self._setups.oversight.report = self._setups.context.report = self.report
        self.servers.on_finding = self.alerting.taken
        self.backlog = Backlog(Redacting(self._ledger, self.secrets))
        self.alerting.attach(self._setups.oversight, self._ledger, self.backlog, self.policy)
        self._desk = Desk(Approvals(places.approvals), self.report, self.secrets)
        self.holding = Holding(places, lambda: user().mechanism)
        self.dashboard = Dashboard(places, user, self.report)
        self.relay = Relay(places, user, self.report)
        self.code_servers = code_servers(places, user, self.report)
        self._setups.context.servers = self.code_servers
        recorder = Recorder(self.backlog)
        gate = exec_gate.services(places, self.holding, self._proof.beside)
        self._runtime = Runtime(
            self._setups, recorder, report=self.report, desk=self._desk, gate=gate
        )
        self.meter = metered(self._ledger, places, self.policy, self.secrets, self.report)
        self.meter.on_usage.append(self._setups.oversight.usage)
        self.meter.beside = watching_for_absence(
            places, self.policy, self._setups.oversight.found, self.report
        )
        self._waiting: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._newer_client = ""
        self._complaint = ""
        self._pruned = 0.0

    async def run(self, listener: Listener) -> None:
        """Serve until told to stop; requests under way are given ``_DRAIN`` seconds."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        intake = Intake(listener.socket, self.serve, self._note_protocol)
        self.report("daemon started", f"version {__version__}, process {os.getpid()}")
        loading = asyncio.ensure_future(self._load_detector())
        ticking = asyncio.ensure_future(self._tick_for_ever(intake, listener))
        beating = asyncio.ensure_future(self._beat())
        # Beside the first requests, so that no command has to wait until it has been tried.
        probing = asyncio.ensure_future(asyncio.to_thread(self.holding.described))
        showing = asyncio.ensure_future(self.dashboard.run())
        relaying = asyncio.ensure_future(self.relay.run())
        await self._stopping.wait()
        showing.cancel()
        relaying.cancel()
        ticking.cancel()
        loading.cancel()
        # The name goes before the drain: who meets no listener starts the next daemon, which waits
        # for our lock; where one still answered, it would take us for the daemon and end.
        listener.remove()
        intake.close()
        await self._drain()
        await intake.sent(_DRAIN)
        await self._setups.close()
        await self.code_servers.close()
        await self.dashboard.close()
        await self.relay.close()
        await self.servers.close()
        await asyncio.to_thread(self._proof.close)
        await self.meter.close()
        await self.alerting.close()
        # It beats through the drain, so that the watchdog does not take that for a standstill.
        beating.cancel()
        probing.cancel()
        self._put_away()

    def _put_away(self) -> None:
        """Leave the ledger as whole as can be, whatever has happened to its directory."""
        try:
            if self._held():
                self._ledger.check_in_place()
                self._catch_up()
                self.report("daemon stopped", f"version {__version__}, process {os.getpid()}")
                self._ledger.checkpoint()
            else:
                state_dir.prepare(self.places)  # Deleted, perhaps: the record needs a place.
                kept = self._ledger.rescue()
                self.keeping.put_back_key()
                _log.error("the state directory is another daemon's by now; our ledger: %s", kept)
        except PointsmanError as error:
            _log.error("at the end: %s; %s", error, error.fix)
        self.keeping.close()
        self._desk.store.close()

    @property
    def in_flight(self) -> int:
        """How many requests wait for a hook."""
        return len(self._waiting)

    def stop(self) -> None:
        """Begin to stop."""
        self._stopping.set()

    def policy(self, repository: str | None) -> Policy:
        """Return the policy in force."""
        return self.policies.policy_for(repository)

    def serve(self, connections: Sequence[Connection]) -> None:
        """Answer requests that came together; their records are one transaction."""
        done: list[tuple[Connection, Case, Handled]] = []
        seen: dict[str | None, Setup] = {}
        for connection in connections:
            try:
                self._open(connection, done, seen)
            except Exception as error:  # noqa: BLE001 - a bug of ours must not read as a pass
                connection.reply(bug(connection.header, error))
        if done:
            self._commit(done)

    def _open(
        self,
        connection: Connection,
        done: list[tuple[Connection, Case, Handled]],
        seen: dict[str | None, Setup],
    ) -> None:
        header = connection.header
        if header.get("host") == control.HOST:
            if not context_answer.taken(self._setups.context, self.policy, connection, self._tasks):
                connection.reply(control.answer(self, header, connection))
            return
        self._note_version(header.get("version", ""))
        if header.get("host") == exec_gate.HOST:
            case = exec_gate.opened(self._runtime, self.backlog, header, connection.body)
            if isinstance(case, Answer):
                connection.reply(case)
                self.answered += 1
                return
        else:
            case = self._runtime.open(delivery_of(header, connection.body), seen)
        if case.at_once:
            done.append((connection, case, self._runtime.finish_at_once(case)))
        else:
            self._later(connection, case)

    def _commit(self, done: Sequence[tuple[Connection, Case, Handled]]) -> None:
        # Before any answer: what is not on record is answered as our own failure.
        results = append_each(self.backlog, [handled.record for _, _, handled in done])
        for result, (connection, _, handled) in zip(results, done, strict=True):
            if isinstance(result, int):
                connection.reply(_given(connection, handled))
                self.answered += 1
            else:
                connection.reply(self._not_on_record(connection, result))
        # A second round: no answer waits for what follows on the event of another client.
        for result, (_, case, handled) in zip(results, done, strict=True):
            if isinstance(result, int):
                self._runtime.recorded(case, handled, result)
                self.meter.saw(handled.event)

    def _not_on_record(self, connection: Connection, error: Exception) -> Answer:
        self.unrecorded += 1
        if isinstance(error, LedgerError):
            return unrecorded(connection.header, error)
        return bug(connection.header, error)

    def _later(self, connection: Connection, case: Case) -> None:
        self._waiting.add(connection)
        task = asyncio.ensure_future(self._finish(connection, case))
        # The loop holds tasks weakly: without this one could be collected before it has answered.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, connection: Connection, case: Case) -> None:
        try:
            handled = await self._runtime.finish(case)
            answer = _given(connection, handled)
            self.answered += 1
            self.meter.saw(handled.event)
        except LedgerError as error:
            answer = self._not_on_record(connection, error)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not read as a pass
            answer = bug(connection.header, error)
        self._waiting.discard(connection)
        connection.reply(answer)

    def report(self, kind: str, text: str, **data: object) -> None:
        """Say something of the daemon's own, in its log and on the record."""
        text = self.secrets.text(text)
        _log.info("%s: %s", kind, text)
        self.alerting.noted(kind, text)
        try:
            self._ledger.note(kind, text, **data)
        except LedgerError as error:
            _log.error("not on record (%s): %s", error, text)

    async def _load_detector(self) -> None:
        """Get the detector ready meanwhile; a request that needs it sooner waits for it."""
        fault = await asyncio.to_thread(self.secrets.load, self.places.detector)
        if fault:
            self.report("detector failed", f"{fault}; the built-in patterns go on without it")
        await recall(self._setups.oversight, self.places.ledger, self._began_ns, self.report)

    def _note_version(self, version: str) -> None:
        """After an upgrade, make room for the new version at the next idle moment."""
        if version != __version__ and _numbers(version) > _numbers(__version__):
            self._newer_client = version

    def _note_protocol(self, magic: bytes) -> None:
        """Make room for a client whose protocol is newer than ours."""
        ours = protocol.REQUEST_MAGIC
        if magic[:3] == ours[:3] and magic > ours:
            self._newer_client = f"that speaks {magic.decode('ascii', 'replace')}"

    async def _drain(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_DRAIN)
        # Closed without an answer, a client asks the next daemon, which is better than a stop.
        for connection in tuple(self._waiting):
            connection.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.wait({asyncio.ensure_future(self._runtime.settle())}, timeout=_DRAIN)

    async def _beat(self) -> None:
        """Show the watchdog that the loop turns, however long the upkeep takes."""
        while True:
            self.heartbeat = time.monotonic()
            await asyncio.sleep(_TICK)

    async def _tick_for_ever(self, intake: Intake, listener: Listener) -> None:
        while True:
            intake.sweep()
            self.alerting.tick()
            try:
                if self._is_in_place(listener):
                    await self._tick()
            except PointsmanError as error:
                self._complain(f"{error}; {error.fix}")
            except Exception:  # noqa: BLE001 - upkeep must not end the daemon
                _log.exception("upkeep")
            await asyncio.sleep(_TICK)

    def _is_in_place(self, listener: Listener) -> bool:
        """Whether lock and socket are still ours; without them, give way to a daemon that has."""
        lost = "" if self._held() else f"{self.places.lock} was deleted or replaced"
        if not lost and not listener.in_place():
            lost = f"{self.places.socket} was deleted or replaced"
        if lost:
            self.report("daemon gives way", lost)
            self.stop()
        return not lost

    def _complain(self, text: str) -> None:
        """Report a failure of the upkeep, once until it changes."""
        if text != self._complaint:
            self.report("upkeep failed", text)
        self._complaint = text

    async def _tick(self) -> None:
        # First: the checkpoint below opens the file by its name, which must be ours.
        self._ledger.check_in_place()
        for kind, text in self.policies.drain_events():
            self.report(kind, text)
        self._catch_up()
        await take_in(self.places.spool, self._runtime, self.secrets.json, self.report)
        await self._setups.close_retired()
        if _size(Path(f"{self.places.ledger}-wal")) > _CHECKPOINT_BYTES:
            await asyncio.to_thread(self._ledger.checkpoint)
        await self.keeping.tick(self.report)
        await self._tend_approvals()
        await self._runtime.escalate(self._setups.oversight.tick(time.time_ns()))
        self.meter.wake()
        await self.servers.tick(self.report)
        if self._newer_client and not self.in_flight:
            self.report("daemon gives way", f"a client of version {self._newer_client} was here")
            self.stop()
        self._prune()
        self._complaint = ""

    async def _tend_approvals(self) -> None:
        """Put what became of approvals on record, and tell people of those that wait too long."""
        for change in self._desk.store.unnoted():
            covered = replace(change, text=self.secrets.text(change.text))
            self._ledger.note("approval", spoken(covered), change=asdict(covered))
            self._desk.store.noted(change.number)
            self.alerting.approval(covered)
        await self._runtime.escalate([*self._desk.news(), *self._desk.sweep()])

    def _catch_up(self) -> None:
        late = self.backlog.catch_up()
        if late:
            text = f"{late} events could not be put on record when they came; now they are"
            self.report("ledger caught up", text)
        if self.backlog.lost:
            text = f"{self.backlog.lost} more events could not be kept and are not on record"
            self.report("events lost", text)
            self.backlog.lost = 0

    def _prune(self) -> None:
        now = time.monotonic()
        # Zero is "never": this clock may begin at boot, and be younger than `_PRUNE_EVERY`.
        if now - self._pruned < _PRUNE_EVERY and self._pruned:
            return
        # The user's own word: no repository shortens what is kept of it.
        days = self.policies.policy_for(None).retention_days
        pruned = self._ledger.prune(time.time_ns() - days * 86_400 * 10**9)
        if pruned:
            self.report("retention", f"{pruned} events older than {days} days removed")
            return  # More may be due: go on with the next tick.
        self._pruned = now
        self._desk.store.prune(time.time_ns() - days * 86_400 * 10**9)
        self.alerting.prune(time.time_ns() - days * 86_400 * 10**9)


def _given(connection: Connection, handled: Handled) -> Answer:
    # Asked by `pointsman decide`, which shows the decision and is no host that obeys it.
    if connection.header.get("detail"):
        return Answer(PASS, json.dumps(as_row(handled)).encode())
    return handled.answer


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
