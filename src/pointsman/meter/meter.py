"""The daemon's reader of transcripts: woken by events, never in the way of one.

Files are read and messages priced in a thread; what comes of it is put on record by the ledger's
one writer, together with how far the file was read: whatever dies in between, nothing is counted
twice and nothing is left out.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from pointsman.agents.claude_code import NAME
from pointsman.agents.claude_transcript import is_transcript, main_file
from pointsman.cost.posting import Book, Booked, Posting, reprice
from pointsman.cost.prices import Prices
from pointsman.meter.absence import Absence
from pointsman.meter.reading import Learned, is_unread, read_next, unread, with_subagents
from pointsman.model.errors import PointsmanError
from pointsman.model.event import Event
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.model.secret import Secrets
from pointsman.model.tools import roles_of
from pointsman.model.usage import TOKEN_FIELDS, USAGE_DAYS, Amount, Cost, Usage, role_of
from pointsman.store import usage_retention, usage_rows
from pointsman.store.usage_retention import horizon
from pointsman.store.usage_rows import Reading

OnUsage = Callable[[Usage, Cost], None]
"""Is told of what was used, once that is on record; see ``Meter.on_usage``."""

_PAUSE = 0.05
"""Seconds between an event and the look: what comes together is read together."""
_ACTIVE = 900.0
"""Seconds for which a session's files are looked at after its last event."""
_PRUNE_EVERY = 60.0
_HOURS_AT_ONCE = 24
_AT_ONCE = 200
"""Messages that get a new price in one go."""


class Writer(Protocol):
    """The ledger, as far as it is written to here."""

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Give the connection within one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the daemon knows and a transcript does not say.

    ``role`` returns the role that is declared for an agent in a repository; ``cover`` a text
    without its secrets; ``report`` puts a note on record. ``enabled`` says whether
    transcripts are read at all.
    """

    role: Callable[[str | None, str], str] = lambda _repository, _agent: ""
    cover: Callable[[str], str] = lambda text: text
    report: Callable[[str, str], None] = lambda _kind, _text: None
    enabled: Callable[[], bool] = lambda: True
    days: Callable[[], int] = lambda: USAGE_DAYS
    """For how long usage is kept: what is older is not taken in again."""


@dataclass(slots=True)
class Meter:
    """Follows the transcripts that events name.

    ``on_usage`` are those who want to know (detectors, limits): each is called on the daemon's
    loop with a message and its price, after it is on record. What a message grows by later comes
    as a ``Usage`` that holds the growth alone (``growth``), so that adding up is always right.
    """

    ledger: Writer
    prices: Prices
    around: Surroundings = field(default_factory=Surroundings)
    on_usage: list[OnUsage] = field(default_factory=list)
    beside: Absence | None = None
    """Who else follows them: whether each call that ran is on record."""
    _active: dict[str, float] = field(default_factory=dict)
    _readings: dict[str, Reading] | None = None
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _task: "asyncio.Task[None] | None" = None
    _named: set[str] = field(default_factory=set)
    """The transcripts that events have named since the last look."""
    _everything: bool = False
    _begun: bool = False
    _pruned: float = float("-inf")
    _covered: dict[str, str] = field(default_factory=dict)
    _complaint: str = ""

    def saw(self, event: Event) -> None:
        """Note which transcripts an event names, and look into them soon."""
        if self.beside is not None:
            self.beside.saw(event)
        if event.identity.host != NAME:
            return  # Other hosts' transcripts say it in other words.
        named = (event.transcript_path, getattr(event, "agent_transcript_path", ""))
        paths = [main_file(path) for path in named if path and is_transcript(path)]
        if not paths:
            return
        self._active.update(dict.fromkeys(paths, time.monotonic()))
        self._named.update(paths)
        self._start()

    def wake(self) -> None:
        """Look soon into every session that is under way; returns at once."""
        if self.beside is not None:
            self.beside.wake()
        self._everything = True
        self._start()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._soon())

    async def _soon(self) -> None:
        while self._named or self._everything:
            await asyncio.sleep(_PAUSE)
            # With many sessions, an event is no reason to look into all of them.
            named, everything = self._named, self._everything
            self._named, self._everything = set(), False
            await self.catch_up(None if everything else named)

    async def catch_up(self, only: Collection[str] | None = None) -> int:
        """Put on record what there is to read; return how many postings that were.

        ``only`` are the sessions' transcripts to look into; ``None`` is every one under way. It
        raises nothing: what goes wrong is reported, once until it changes.
        """
        if not self.around.enabled():
            return 0  # What was named is remembered: switched on again, it is read from there.
        try:
            async with self._alone:
                count = await self._catch_up(only)
        except PointsmanError as error:
            self._complain(f"{error}; {error.fix}")
        except Exception as error:  # noqa: BLE001 - a bug of ours here must not end the daemon
            self._complain(f"{type(error).__name__}: {error}")
        else:
            self._complaint = ""
            return count
        return 0

    async def close(self) -> None:
        """Stop; what was not read yet is read by the next daemon."""
        if self.beside is not None:
            await self.beside.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _catch_up(self, only: Collection[str] | None) -> int:
        readings = self._known()
        now = time.monotonic()
        self._active = {path: at for path, at in self._active.items() if now - at < _ACTIVE}
        await self._prune(now)
        if self.prices.refresh():
            await self._reprice()
        chosen = set(self._active if only is None else only)
        if not self._begun:
            # The first look of this daemon: whatever has grown while there was none.
            chosen |= {main_file(path) for path in readings}
        count = 0
        for reading in await asyncio.to_thread(_unread_of, sorted(chosen), readings):
            count += await self._follow(reading, readings)
        self._begun = True
        return count

    async def _prune(self, now: float) -> None:
        """Remove what is kept no more, an hour of it at a time; once a minute, so many hours."""
        if now - self._pruned < _PRUNE_EVERY:
            return
        self._pruned = now
        before = horizon(self.around.days(), time.time_ns())
        for _ in range(_HOURS_AT_ONCE):
            with self.ledger.writing() as connection:
                count = usage_retention.prune(connection, before)
            if not count:
                break
            await asyncio.sleep(0)

    def _known(self) -> dict[str, Reading]:
        if self._readings is None:
            with self.ledger.writing() as connection:
                found = usage_rows.readings(connection)
            self._readings = {reading.path: reading for reading in found}
        return self._readings

    async def _follow(self, reading: Reading, readings: dict[str, Reading]) -> int:
        """Read one transcript to its end."""
        count, more = 0, True
        while more:
            try:
                learned, costs = await asyncio.to_thread(self._read, reading)
            except OSError:
                return count  # It is gone: the host removes what is old.
            count += len(self._record(learned, costs))
            reading = readings[reading.path] = learned.reading
            more = learned.more
            if learned.passed:
                text = f"{learned.passed} lines of {reading.path} are too long to be read"
                self.around.report("usage not read", text)
        return count

    def _read(self, reading: Reading) -> tuple[Learned, dict[Usage, Cost]]:
        learned = read_next(reading)
        # Here, beside the loop: loading the table of prices takes a while.
        return learned, {_plain(usage): self.prices.of(usage) for usage in learned.usages}

    def _record(self, learned: Learned, costs: dict[Usage, Cost]) -> list[Posting]:
        roles: dict[tuple[str | None, str], str] = {}
        oldest = horizon(self.around.days(), time.time_ns())
        usages = [
            self._placed(usage, roles) for usage in learned.usages if not 0 < usage.at_ns < oldest
        ]
        try:
            postings = self._post(usages, costs, learned)
        except PointsmanError:
            raise  # The record's trouble, not a message's: it is tried again.
        except Exception as error:  # noqa: BLE001 - one message must not hold up all behind it
            self._complain(f"{learned.reading.path}: {type(error).__name__}: {error}")
            postings = self._post_each(usages, costs)
            self._post((), costs, learned)
        self._tell(postings)
        return postings

    def _post_each(self, usages: Iterable[Usage], costs: dict[Usage, Cost]) -> list[Posting]:
        postings: list[Posting] = []
        for usage in usages:
            try:
                postings += self._post((usage,), costs, None)
            except PointsmanError:
                raise
            except Exception as error:  # noqa: BLE001 - as above: this one is lost, and said so
                self._complain(f"{usage.message_id}: {type(error).__name__}: {error}")
        return postings

    def _post(
        self, usages: Iterable[Usage], costs: dict[Usage, Cost], learned: Learned | None
    ) -> list[Posting]:
        """Put messages on record, and with them how far their transcript was read."""

        def price(usage: Usage) -> Cost:
            return costs.get(_plain(usage)) or self.prices.of(usage)

        with self.ledger.writing() as connection:
            book = Book(price, lambda usage: known(connection, usage))
            postings = book.add(usages)
            usage_rows.write(connection, postings, time.time_ns())
            if learned is not None:
                usage_rows.note_readings(connection, [learned.reading], time.time_ns())
                usage_rows.note_totals(connection, learned.totals)
        return postings

    def _placed(self, usage: Usage, roles: dict[tuple[str | None, str], str]) -> Usage:
        """Return a message with its role, and with no secret in what names it."""
        at = (usage.repository, usage.agent_type or ("" if usage.agent_id else usage_rows.MAIN))
        if at not in roles:
            roles[at] = self.around.role(*at)
        return replace(
            usage,
            role=role_of(usage, roles[at]),
            agent_type=self._cover(usage.agent_type) if usage.agent_type else usage.agent_type,
            model=self._cover(usage.model),
            branch=self._cover(usage.branch),
            tools=tuple(self._cover(tool) for tool in usage.tools),
        )

    def _cover(self, text: str) -> str:
        if text not in self._covered:
            if len(self._covered) > 4096:
                self._covered.clear()
            self._covered[text] = self.around.cover(text)
        return self._covered[text]

    async def _reprice(self) -> None:
        """Give a price to the messages that had none, now that the prices are others."""
        with self.ledger.writing() as connection:
            keys = usage_rows.unpriced_keys(connection)
        count = 0
        for first in range(0, len(keys), _AT_ONCE):
            count += await self._reprice_these(keys[first : first + _AT_ONCE])
        if count:
            text = f"messages without a price that have got one: {count}"
            self.around.report("usage priced", text)

    async def _reprice_these(self, keys: Sequence[str]) -> int:
        with self.ledger.writing() as connection:
            found = [booked for key in keys if (booked := _on_record(connection, key))]
        costs = await asyncio.to_thread(lambda: [self.prices.of(each.usage) for each in found])
        pairs = zip(found, costs, strict=True)
        priced = [(booked, cost) for booked, cost in pairs if cost.usd is not None]
        postings = [posting for booked, cost in priced for posting in reprice(booked, cost)]
        with self.ledger.writing() as connection:
            usage_rows.write(connection, postings, time.time_ns())
        self._tell(postings)
        return len(postings)

    def _tell(self, postings: Sequence[Posting]) -> None:
        for usage, cost in _added(postings):
            for listener in self.on_usage:
                try:
                    listener(usage, cost)
                except Exception as error:  # noqa: BLE001 - one listener must not cost the others
                    self._complain(f"{type(error).__name__}: {error}")

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self.around.report("usage not read", text)
        self._complaint = text


def metered(
    ledger: Writer,
    places: Places,
    policy: Callable[[str | None], Policy],
    secrets: Secrets,
    report: Callable[[str, str], None],
) -> Meter:
    """Return the meter of a daemon; ``policy`` returns what is in force for a repository."""

    def role(repository: str | None, agent: str) -> str:
        return roles_of(agent, policy(repository).roles)

    def enabled() -> bool:
        own = policy(None)
        # Nobody may switch off by the way what a limit depends on.
        needed = any(limit.of in {"tokens", "usd"} for limit in own.limits)
        return needed or bool(own.cost.get("enabled", True))

    prices = Prices(places.prices, lambda error: report("prices broken", str(error)))

    def days() -> int:
        return int(policy(None).cost.get("retention_days", USAGE_DAYS))

    around = Surroundings(role=role, cover=secrets.text, report=report, enabled=enabled, days=days)
    return Meter(ledger, prices, around)


def known(connection: sqlite3.Connection, usage: Usage) -> Booked | None:
    """Return what is on record of a message, by its session and id or by its key."""
    return _on_record(connection, usage_rows.key_in(connection, usage))


def _on_record(connection: sqlite3.Connection, key: str) -> Booked | None:
    found = usage_rows.on_record(connection, key)
    return Booked(usage=found[0], amount=found[1]) if found else None


def _plain(usage: Usage) -> Usage:
    """Return a message by what its price depends on."""
    return replace(
        usage, role="", agent_type=None, branch="", task="", session="", calls=(), tools=()
    )


def _unread_of(paths: Sequence[str], readings: Mapping[str, Reading]) -> list[Reading]:
    """Return the transcripts of these sessions, and of their subagents, that have grown."""
    found = [readings.get(path) or unread(path) for path in with_subagents(paths)]
    return [reading for reading in found if is_unread(reading)]


def _added(postings: Iterable[Posting]) -> Iterator[tuple[Usage, Cost]]:
    """Yield what postings add to the sums, as messages."""
    sums: dict[str, tuple[Posting, Amount]] = {}
    for posting in postings:
        before = sums.get(posting.usage.key)
        figures = before[1] + posting.amount if before else posting.amount
        sums[posting.usage.key] = posting, figures
    for posting, figures in sums.values():
        tokens = {name: getattr(figures, name) for name in TOKEN_FIELDS}
        repriced = figures.unpriced < 0
        if figures.calls or any(tokens.values()) or repriced:
            usd = None if posting.cost.usd is None else figures.usd_nano / 1e9
            told = {"growth": not figures.calls, "repriced": repriced, **tokens}
            yield replace(posting.usage, **told), replace(posting.cost, usd=usd)
