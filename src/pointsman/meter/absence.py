"""Calls that ran and that no hook record answers for, found while the session goes on.

What has switched the hooks off cannot stop this: it is no hook and waits for none. Every few
seconds the host's own transcripts are read on from where they were left, in a thread, and each
call that has ended is looked for on record. One that is not there is a finding, with the likely
cause. Bounded: files, sessions, calls and what is read at once.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.agents.claude_calls import CallReader, is_trusted, transcripts
from pointsman.agents.claude_code import NAME
from pointsman.agents.claude_transcript import files_of, is_transcript, main_file
from pointsman.agents.claude_veto import hooks_in_force
from pointsman.engine.coverage import reconcile, without_copies
from pointsman.meter.tail import Position, has_grown, read_on
from pointsman.model.alert import Finding, Severity
from pointsman.model.coverage import Call, Fate, Heard, Unguarded
from pointsman.model.errors import PointsmanError
from pointsman.model.event import Event
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.model.watching import UNGUARDED
from pointsman.paths.repository import anchored_root
from pointsman.store import heard
from pointsman.store.query import opened

EVERY = 5.0
"""Seconds between two looks."""
_SETTLED_NS = 3 * 10**9
"""A call is judged so long after its end was read: what waits in the spool comes first."""
_FURTHEST_NS = 24 * 3600 * 10**9
"""How far back a daemon looks that has not looked for a while."""
_OVERLAP_NS = 90 * 10**9
"""A daemon shows on record once a minute that it lives, idle too."""
_GUARDED_NS = 7 * _FURTHEST_NS
"""A repository in which a hook was asked within that time is meant to be guarded."""
_MOST_BYTES = 4 * 1024 * 1024
"""Of a file that is long when it is first seen, its end; of one that grows, so much at a look."""
_MOST_AT_ONCE = 32 * 1024 * 1024
"""Of all files together, at one look."""
_LOOK_ROUND = 30.0
"""Seconds between two looks for transcripts that no event has named; more where that takes long."""
_ACTIVE = 900.0
"""Seconds for which a session's files are looked for after its last event."""
_LATELY_NS = 3600 * 10**9
"""A transcript that is new here holds nothing older that was not seen in another way."""
_EXPECTED_NS = 60 * 10**9
"""How long it stands whether a folder is meant to be guarded."""
_MOST_FILES = 4096
_MOST_SESSIONS = 256
_MOST_CALLS = 8192
_MOST_RECENT = 256
_MOST_DIRECTORIES = 16
_MOST_WAITING = 16_384


@dataclass(slots=True)
class _File:
    position: Position
    since_ns: int
    """Calls that are older were looked at before."""
    reader: CallReader = field(default_factory=CallReader)


@dataclass(slots=True)
class _Session:
    """What is known of a session: how far its record was read, which calls are answered for."""

    seq: int
    config: Path
    any: bool = False
    answered: OrderedDict[str, None] = field(default_factory=OrderedDict)
    recent: OrderedDict[tuple[str, int], Call] = field(default_factory=OrderedDict)
    told: OrderedDict[str, int] = field(default_factory=OrderedDict)


@dataclass(frozen=True, slots=True)
class _Ended:
    call: Call
    path: str
    read_ns: int


@dataclass(slots=True)
class Absence:
    """Compares the host's transcripts with the record, again and again.

    ``enabled`` says whether a repository's calls are looked at; ``found`` takes what is found, on
    the daemon's loop; ``report`` puts a note on record. ``config`` is the host's own directory.
    """

    ledger: Path
    home: Path
    config: Path | None
    enabled: Callable[[str | None], bool]
    found: Callable[[Finding], None]
    report: Callable[[str, str], None]
    clock: Callable[[], int] = time.time_ns
    _began: int = 0
    _since: int = 0
    _ready: bool = False
    _directories: OrderedDict[Path, None] = field(default_factory=OrderedDict)
    _files: OrderedDict[str, _File] = field(default_factory=OrderedDict)
    _sessions: OrderedDict[str, _Session] = field(default_factory=OrderedDict)
    _named: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _waiting: deque[_Ended] = field(default_factory=lambda: deque(maxlen=_MOST_WAITING))
    _seen: OrderedDict[tuple[str, int], None] = field(default_factory=OrderedDict)
    _expected: OrderedDict[str, tuple[bool, int]] = field(default_factory=OrderedDict)
    _task: "asyncio.Task[None] | None" = None
    _next: float = 0.0
    _round: float = 0.0
    _rounded: int = 0
    _looked: bool = False
    _complaint: str = ""

    def __post_init__(self) -> None:
        self._began = self.clock()

    def saw(self, event: Event) -> None:
        """Note where the host that sent an event keeps its transcripts."""
        path = event.transcript_path
        if event.identity.host != NAME or not path or not is_transcript(path):
            return
        main = main_file(path)
        _put(self._named, main, time.monotonic(), _MOST_SESSIONS)
        parents = Path(main).parents
        if len(parents) > 2 and parents[1].name == "projects":
            _put(self._directories, parents[2], None, _MOST_DIRECTORIES)

    def wake(self) -> None:
        """Look, if it is time; returns at once."""
        now = time.monotonic()
        if now >= self._next and (self._task is None or self._task.done()):
            self._next = now + EVERY
            self._task = asyncio.ensure_future(self.look())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Look once; it raises nothing: what goes wrong is reported, once until it changes."""
        try:
            found = await asyncio.to_thread(self.compared)
            for finding in found:
                self.found(finding)
            self._complaint = ""
        except PointsmanError as error:
            self._complain(f"{error}; {error.fix}")
        except Exception as error:  # noqa: BLE001 - a bug of ours here must not end the daemon
            self._complain(f"{type(error).__name__}: {error}")

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self.report("coverage not read", text)
        self._complaint = text

    # --- in a thread -------------------------------------------------------------------------

    def compared(self) -> list[Finding]:
        """Read on, and return what is found by now.

        Raises:
            LedgerError: the record cannot be read.
        """
        if not self.ledger.exists():
            return []
        with opened(self.ledger) as connection:
            if not self._ready:
                last = heard.last_sign(connection, self._began) or self._began
                self._since = max(last - _OVERLAP_NS, self._began - _FURTHEST_NS)
                self._ready = True
            now, left = self.clock(), _MOST_AT_ONCE
            for path in self._paths():
                before = self._file(path).position.offset
                self._waiting += (_Ended(call, path, now) for call in self._read(path))
                left -= max(self._file(path).position.offset - before, 0)
                if left <= 0:
                    break
            self._looked = True
            due = [each for each in self._waiting if now - each.read_ns >= _SETTLED_NS]
            while self._waiting and now - self._waiting[0].read_ns >= _SETTLED_NS:
                self._waiting.popleft()
            return list(self._judged(connection, due, now))

    def _paths(self) -> list[str]:
        """Return the transcripts to look into: known ones, named ones, now and then all others."""
        found = dict.fromkeys(tuple(self._files))
        began = time.monotonic()
        for main, at in tuple(self._named.items()):
            if began - at < _ACTIVE:
                found.update(dict.fromkeys(files_of(main)))
        if began >= self._round:
            since, self._rounded = max(self._since, self._rounded - _OVERLAP_NS), self.clock()
            for config in dict.fromkeys([*self._own(), *tuple(self._directories)]):
                more = transcripts(config, since)[:_MOST_FILES]
                found.update(dict.fromkeys(map(str, more)))
            took = time.monotonic() - began
            self._round = began + max(_LOOK_ROUND, 50 * took)
        return [path for path in found if has_grown(path, self._file(path).position)]

    def _own(self) -> list[Path]:
        return [self.config] if self.config else []

    def _file(self, path: str) -> _File:
        file = self._files.get(path)
        if file is None:
            lately = self.clock() - _LATELY_NS if self._looked else 0
            since = max(self._since, lately)
            file = _File(_beginning(path), since)
        _put(self._files, path, file, _MOST_FILES)
        return file

    def _read(self, path: str) -> Iterator[Call]:
        """Yield the calls that have ended in a transcript since it was last read."""
        file, left, more = self._file(path), _MOST_BYTES, True
        while more and left > 0:
            before = file.position
            try:
                piece = read_on(path, before)
            except OSError:
                return  # It is gone: the host removes what is old.
            if piece.anew:
                file.reader = CallReader()
            file.position, more = piece.position, piece.position.more
            left -= max(piece.position.offset - before.offset, 1)
            for line in piece.lines:
                for call in file.reader.read(line):
                    if call.ran and call.session and call.at_ns >= file.since_ns:
                        yield call

    def _judged(
        self, connection: sqlite3.Connection, due: Iterable[_Ended], now: int
    ) -> Iterator[Finding]:
        due = list(due)
        where = {each.call.session: each.path for each in due}
        known = {name: self._learn(connection, name, path) for name, path in where.items()}
        once = without_copies(
            (each.call for each in due), lambda name: Heard(answered=known[name].answered)
        )
        by_session: dict[str, list[Call]] = {}
        for call in once:
            key = (call.id, call.at_ns)
            if key not in self._seen:  # Else it is a fork's copy of its parent's.
                _put(self._seen, key, None, 8 * _MOST_CALLS)
                by_session.setdefault(call.session, []).append(call)
        for name, calls in by_session.items():
            session = known[name]
            for call in calls:
                _put(session.recent, (call.id, call.at_ns), call, _MOST_RECENT)
            absent = [call for call in calls if not _is_answered(call, session)]
            if absent:
                yield from self._absent(connection, absent, session, now)

    def _learn(self, connection: sqlite3.Connection, name: str, path: str) -> _Session:
        session = self._sessions.get(name)
        if session is None:
            first = heard.first_seq(connection, self._since - 3600 * 10**9)
            config = _config_of(path) or self.config or self.home / ".claude"
            session = _Session(first, config, any=heard.has_any(connection, name))
        _put(self._sessions, name, session, _MOST_SESSIONS)
        news = heard.since(connection, name, session.seq)
        session.seq, session.any = news.seq, session.any or news.any
        for call in news.answered:
            _put(session.answered, call, None, _MOST_CALLS)
        return session

    def _absent(
        self, connection: sqlite3.Connection, calls: Sequence[Call], session: _Session, now: int
    ) -> Iterator[Finding]:
        last = calls[-1]
        repository = anchored_root(last.cwd, last.cwd) if last.cwd else None
        folder = repository or last.cwd
        if not self.enabled(repository) or not (
            session.any or self._is_expected(connection, folder, session.config, now)
        ):
            return
        judged = heard.judged(connection, last.session)
        about = reconcile(
            session.recent.values(),
            lambda _name: Heard(answered=session.answered, judged=judged, any=session.any),
            lambda folder: is_trusted(session.config, self.home, folder),
        )
        wanted = {(call.id, call.at_ns) for call in calls}
        newest: dict[str, Unguarded] = {}
        for each in about.unguarded:
            # What the second gate has judged it has told of at once.
            if (each.call.id, each.call.at_ns) in wanted and not each.judged:
                kind = each.cause.partition(":")[0]
                newest[kind] = each
                _put(session.told, kind, session.told.get(kind, 0) + 1, _MOST_RECENT)
        for kind, each in newest.items():
            yield _finding(kind, each, session.told[kind], repository, now)

    def _is_expected(
        self, connection: sqlite3.Connection, folder: str, config: Path, now: int
    ) -> bool:
        """Whether hooks should have come where none did: they did lately, or are in the settings.

        Elsewhere nobody has asked us to guard anything.
        """
        said, at_ns = self._expected.get(folder, (False, 0))
        if now - at_ns >= _EXPECTED_NS:
            said = heard.is_known(connection, folder, now - _GUARDED_NS) or hooks_in_force(
                folder, str(config), str(self.home)
            )
            _put(self._expected, folder, (said, now), _MOST_SESSIONS)
        return said


def watching_for_absence(
    places: Places,
    policy: Callable[[str | None], Policy],
    found: Callable[[Finding], None],
    report: Callable[[str, str], None],
) -> Absence:
    """Return the one of a daemon; ``policy`` returns what is in force for a repository."""

    def enabled(repository: str | None) -> bool:
        said = policy(repository).watch
        own = said.get(UNGUARDED, {})
        return bool(said.get("enabled", True) and own.get("enabled", True))

    config = places.agents.parent if places.agents else None
    return Absence(places.ledger, Path.home(), config, enabled, found, report)


def _is_answered(call: Call, session: _Session) -> bool:
    left = any(
        hook.ours and hook.event == "PreToolUse" and hook.fate is not Fate.ANSWERED
        for hook in call.hooks
    )
    return call.id in session.answered and not left


def _config_of(path: str) -> Path | None:
    """Return the host's directory that a transcript lies in."""
    return next((one.parent for one in Path(path).parents if one.name == "projects"), None)


def _finding(kind: str, each: Unguarded, count: int, repository: str | None, now: int) -> Finding:
    call = each.call
    what = f"{call.tool} {call.command.partition(chr(10))[0][:100]}".strip()
    many = "a call ran" if count == 1 else f"{count} calls ran"
    return Finding(
        detector=UNGUARDED,
        key=kind,
        severity=Severity.CRITICAL,
        summary=f"{many} that no hook answers for, the last {what} ({call.id}); likely cause: "
        f"{each.cause}; next step: pointsman coverage --session {call.session}",
        at_ns=now,
        host=NAME,
        session=call.session,
        agent_id=call.agent_id,
        repository=repository,
        figures={"count": count, "call": call.id, "tool": call.tool, "cause": each.cause},
    )


def _beginning(path: str) -> Position:
    """Return where to begin in a file that was not seen before: of a long one near its end."""
    with contextlib.suppress(OSError):
        found = Path(path).stat()
        if found.st_size > _MOST_BYTES:
            # With no hash of its head it counts as read so far; the line cut through is passed.
            return Position(
                offset=found.st_size - _MOST_BYTES, device=found.st_dev, inode=found.st_ino,
                head=_EMPTY, passing=True,
            )  # fmt: skip
    return Position()


_EMPTY = "e3b0c44298fc1c149afbf4c8996fb924"
"""The hash that ``meter.tail`` has of no bytes."""


def _put(table: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > most:
        table.popitem(last=False)
