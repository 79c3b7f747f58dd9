"""What agents, tasks, sessions and days have used: tokens, money, calls, minutes.

Calls and minutes are exact: they are counted from the events themselves. Tokens and money are as
far as the host's transcript has been read. What was before this process is taken from the record
once, when a session or the day is first met. In constant memory.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pointsman.engine.deeds import deed_of
from pointsman.model.event import MAIN_THREAD, Event
from pointsman.model.limit import Deed, Limit, NoPast, PastDeeds, Spend, Used
from pointsman.model.usage import Cost, Usage

_MOST_SESSIONS = 512
_MOST_TALLIES = 1024
_MOST_CALLS = 256
_MOST_MESSAGES = 1024
_MOST_DAYS = 256
_MINUTE = 60e9
_LOOK_AGAIN = 30 * 10**9
"""Nanoseconds between two looks whether what had no price has got one."""

_Key = tuple[str, str]


@dataclass(slots=True)
class _Tally:
    """What has been used so far. ``told`` are the limits that the agent has been warned of."""

    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    calls: int = 0
    busy_ns: int = 0
    told: set[Limit] = field(default_factory=set)

    def add(self, spend: Spend) -> None:
        """Add what was used."""
        self.tokens += spend.tokens
        self.usd += spend.usd
        self.unpriced += spend.unpriced

    def take(self, other: "_Tally") -> None:
        """Take over what another one has of tokens and money."""
        self.tokens, self.usd, self.unpriced = other.tokens, other.usd, other.unpriced


@dataclass(slots=True)
class _Pace:
    """When something was last seen to happen, and whether it went on from there."""

    last_ns: int = 0
    busy: bool = False

    def step(self, deed: Deed) -> int:
        """Return the nanoseconds of work that end with this."""
        spent = self.since(deed.at_ns) if not deed.opens else 0
        self.last_ns, self.busy = max(self.last_ns, deed.at_ns), not deed.rests
        return spent

    def since(self, now_ns: int) -> int:
        """Return the nanoseconds of work up to now that nothing has ended yet."""
        return max(0, now_ns - self.last_ns) if self.busy else 0


@dataclass(slots=True)
class _Session:
    """One session: its tallies and what is needed to go on counting."""

    tallies: OrderedDict[_Key, _Tally] = field(default_factory=OrderedDict)
    pace: _Pace = field(default_factory=_Pace)
    paces: OrderedDict[str, _Pace] = field(default_factory=OrderedDict)
    types: OrderedDict[str, str] = field(default_factory=OrderedDict)
    tasks: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """The task that each agent has in progress."""
    prompt: str = ""
    repository: str | None = None
    begun: OrderedDict[str, tuple[Limit, ...]] = field(default_factory=OrderedDict)
    """Calls that are counted although it is not known yet whether they run, with what was told."""
    messages: OrderedDict[str, tuple[int, float, int]] = field(default_factory=OrderedDict)
    """What each message has used so far: tokens, dollars, and whether it has no price."""
    looked_ns: int = 0

    def news(self, usage: Usage, cost: Cost) -> Spend:
        """Return what is added by what is told of a message, and remember it."""
        told = (usage.tokens, cost.usd or 0.0, int(cost.usd is None))
        tokens, usd, unpriced = self.messages.get(usage.key, (0, 0.0, 0))
        # Told once more as a whole, it says what it is; told of its growth, what comes to it.
        added = told[:2] if usage.growth else (told[0] - tokens, told[1] - usd)
        spend = Spend(
            at_ns=usage.at_ns, session=usage.session, message=usage.key, tokens=added[0],
            usd=added[1], unpriced=told[2] - unpriced,
        )  # fmt: skip
        self.remember(spend)
        return spend

    def remember(self, spend: Spend) -> None:
        """Add to what a message has used."""
        tokens, usd, unpriced = self.messages.get(spend.message, (0, 0.0, 0))
        now = tokens + spend.tokens, usd + spend.usd, unpriced + spend.unpriced
        self.messages[spend.message] = now
        _trim(self.messages, _MOST_MESSAGES)

    def tally(self, key: _Key) -> _Tally:
        tally = self.tallies.get(key)
        if tally is None:
            tally = self.tallies[key] = _Tally()
            _trim(self.tallies, _MOST_TALLIES)
        else:
            self.tallies.move_to_end(key)
        return tally

    def task(self, agent: str) -> str:
        """Return what this agent works for: its task, that of the main thread, or the prompt."""
        return self.tasks.get(agent) or self.tasks.get(MAIN_THREAD) or f"prompt {self.prompt}"

    def keys(self, agent_id: str | None, agent_type: str | None) -> dict[str, _Key]:
        agent = agent_id or MAIN_THREAD
        kind = agent_type or self.types.get(agent) or MAIN_THREAD
        return {
            "agent": ("agent", agent), "type": ("type", kind), "task": ("task", self.task(agent)),
            "session": ("session", ""),
        }  # fmt: skip

    def learn(self, deed: Deed) -> None:
        """Take in who acts, for what."""
        agent = deed.agent_id or MAIN_THREAD
        if deed.agent_type:
            self.types[agent] = deed.agent_type
            _trim(self.types, _MOST_TALLIES)
        if deed.prompt_id and (deed.agent_id is None or not self.prompt):
            self.prompt = deed.prompt_id
        self.repository = deed.repository or self.repository
        task, state = deed.task
        if state == "in_progress":
            self.tasks[agent] = f"task {task}"
            _trim(self.tasks, _MOST_TALLIES)
        elif state:
            for each in [name for name, now in self.tasks.items() if now == f"task {task}"]:
                del self.tasks[each]

    def work(self, deed: Deed) -> tuple[int, int]:
        """Return the nanoseconds that the session and the agent have worked up to this."""
        agent = self.paces.setdefault(deed.agent_id or MAIN_THREAD, _Pace())
        _trim(self.paces, _MOST_TALLIES)
        rests_alone = deed.rests and deed.agent_id is not None
        own = agent.step(deed)
        busy = self.pace.busy
        whole = self.pace.step(deed)
        # A subagent's end is not the session's: whoever has started it goes on, if it did.
        self.pace.busy = busy if rests_alone else self.pace.busy
        return whole, own


def local_day(ns: int) -> str:
    """Return the day of a time as the machine's own clock has it."""
    return time.strftime("%Y-%m-%d", time.localtime(ns // 10**9))


def day_begins(ns: int) -> int:
    """Return when that day began, in ns since the epoch."""
    moment = datetime.fromtimestamp(ns // 10**9).astimezone()
    return int(moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1e9)


class Spending:
    """Counts what is used, per session and per day (``model.limit.Spent``)."""

    def __init__(
        self,
        past: PastDeeds | None = None,
        day_of: Callable[[int], str] = local_day,
        begins: Callable[[int], int] = day_begins,
    ) -> None:
        self._past = past or NoPast()
        self._day_of = day_of
        self._begins = begins
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._day = ""
        self._days: OrderedDict[str, _Tally] = OrderedDict()
        """Today's, by repository; under the empty name that of all."""

    def used(self, event: Event, limit: Limit) -> Used:
        """Return how much is used of a limit where this event happens, the event's call aside.

        Raises:
            LedgerError: what was used before this process began cannot be read.
        """
        deed = deed_of(event)
        session = self._learning(deed)
        tally = self._tally(session, deed, limit)
        if limit.of == "usd" and tally.unpriced:
            self._look_again(deed.session, session, deed.at_ns)
        pace = session.pace
        if limit.per in {"agent", "type"}:
            pace = session.paces.get(deed.agent_id or MAIN_THREAD, _Pace())
        under_way = 0 if deed.opens else pace.since(deed.at_ns)
        amount = {
            "tokens": float(tally.tokens),
            "usd": tally.usd,
            "calls": float(tally.calls - (deed.is_call and deed.call in session.begun)),
            "minutes": (tally.busy_ns + under_way) / _MINUTE,
        }[limit.of]
        return Used(amount, tally.unpriced, limit in tally.told)

    def begin(self, event: Event, told: Iterable[Limit] = ()) -> None:
        """Count a call that nothing here speaks against, until it is known what becomes of it."""
        deed = deed_of(event)
        session = self._learning(deed)
        known = session.begun.get(deed.call)
        session.begun[deed.call] = (*(known or ()), *told)
        if known is None and deed.is_call:
            self._count(session, deed, 1)
        # Those that fall out stay counted: they have most likely run.
        _trim(session.begun, _MOST_CALLS)

    def note(self, event: Event, *, stopped: bool, real: bool = True) -> None:
        """Learn from an event that is on record, and from what became of it.

        ``real`` says that it has happened, and is not only asked about.
        """
        deed = deed_of(event)
        session = self._learning(deed)
        told = session.begun.pop(deed.call, None)
        ran = real and not stopped
        if deed.is_call and (told is not None) != ran:
            self._count(session, deed, 1 if ran else -1)
        for limit in told or ():
            if ran:
                self._tally(session, deed, limit).told.add(limit)
        if real:
            whole, own = session.work(deed)
            for scope, tally in self._tallies(session, deed.agent_id, deed.agent_type):
                tally.busy_ns += own if scope in {"agent", "type"} else whole

    def usage(self, usage: Usage, cost: Cost) -> None:
        """Count what a message of a model has used, or what it has grown by (``Usage.growth``)."""
        session = self._session(usage.session, usage.at_ns)
        session.repository = usage.repository or session.repository
        spend = session.news(usage, cost)
        # A late message of yesterday is none of today's.
        today = self._day_of(usage.at_ns) == self._day
        for scope, tally in self._tallies(session, usage.agent_id, usage.agent_type):
            if today or scope != "day":
                tally.add(spend)

    def _count(self, session: _Session, deed: Deed, calls: int) -> None:
        for _, tally in self._tallies(session, deed.agent_id, deed.agent_type):
            tally.calls += calls

    def _tally(self, session: _Session, deed: Deed, limit: Limit) -> _Tally:
        if limit.per == "day":
            self._turn(deed.at_ns)
            return self._of_day((deed.repository or "") if limit.own else "")
        return session.tally(session.keys(deed.agent_id, deed.agent_type)[limit.per])

    def _tallies(
        self, session: _Session, agent_id: str | None, agent_type: str | None
    ) -> Iterator[tuple[str, _Tally]]:
        for scope, key in session.keys(agent_id, agent_type).items():
            yield scope, session.tally(key)
        yield "day", self._of_day("")
        if session.repository:
            yield "day", self._of_day(session.repository)

    def _of_day(self, repository: str) -> _Tally:
        tally = self._days.setdefault(repository, _Tally())
        if repository:
            self._days.move_to_end(repository)
            if len(self._days) > _MOST_DAYS:
                # The first that is not the one of all.
                del self._days[next(each for each in self._days if each)]
        return tally

    def _turn(self, now_ns: int) -> None:
        """Begin the day's tallies anew where another day has begun."""
        day = self._day_of(now_ns)
        # The clock may go back, a late message may be of yesterday: neither begins a day again.
        if day <= self._day:
            return
        first, self._day = not self._day, day
        self._days.clear()
        if first:
            self._read_day(now_ns)

    def _read_day(self, now_ns: int) -> None:
        begun = self._begins(now_ns)
        try:
            deeds = self._past.deeds(begun, now_ns)
            spends = self._past.spends(begun, now_ns)
        except BaseException:
            self._day = ""  # Asked again with the next event, which is not let pass before.
            raise
        sessions: dict[str, _Session] = {}
        for deed in deeds:
            session = sessions.setdefault(deed.session, _Session())
            session.learn(deed)
            whole, _ = session.work(deed)
            for tally in self._both(session.repository):
                tally.busy_ns += whole
                tally.calls += deed.is_call
        for spend in spends:
            for tally in self._both(spend.repository):
                tally.add(spend)

    def _look_again(self, name: str, session: _Session, now_ns: int) -> None:
        """Take tokens and money from the record anew: what had no price may have got one."""
        if 0 <= now_ns - session.looked_ns < _LOOK_AGAIN:
            return
        session.looked_ns = now_ns
        now = _taken_in(self._past, name, now_ns)
        if not now.messages:
            return  # There is no record to look into.
        session.messages = now.messages
        for key, tally in now.tallies.items():
            session.tally(key).take(tally)
        days: dict[str, _Tally] = {}
        for spend in self._past.spends(self._begins(now_ns), now_ns):
            for repository in dict.fromkeys(("", spend.repository or "")):
                days.setdefault(repository, _Tally()).add(spend)
        for repository, tally in days.items():
            self._of_day(repository).take(tally)

    def _both(self, repository: str | None) -> list[_Tally]:
        return [self._of_day(name) for name in dict.fromkeys(("", repository or ""))]

    def _learning(self, deed: Deed) -> _Session:
        session = self._session(deed.session, deed.at_ns)
        session.learn(deed)
        return session

    def _session(self, name: str, now_ns: int) -> _Session:
        self._turn(now_ns)
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = _taken_in(self._past, name, now_ns)
            _trim(self._sessions, _MOST_SESSIONS)
        else:
            self._sessions.move_to_end(name)
        return session


def _taken_in(past: PastDeeds, name: str, now_ns: int) -> _Session:
    """Return a session as the record has it."""
    session = _Session()
    both: list[Deed | Spend] = [
        *past.deeds(0, now_ns, name),
        *past.spends(0, now_ns, name),
    ]
    # By their time: what is used goes to the task that was under way then.
    for each in sorted(both, key=lambda one: one.at_ns):
        if isinstance(each, Deed):
            session.learn(each)
            whole, own = session.work(each)
        for scope, key in session.keys(each.agent_id, each.agent_type).items():
            tally = session.tally(key)
            if isinstance(each, Deed):
                tally.busy_ns += own if scope in {"agent", "type"} else whole
                tally.calls += each.is_call
            else:
                tally.add(each)
        if isinstance(each, Spend):
            session.remember(each)
    return session


def _trim(table: OrderedDict[Any, Any], most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)
