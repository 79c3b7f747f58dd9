"""What agents, tasks, sessions and days have used: tokens, money, calls, minutes.

Calls and minutes are exact: they are counted from the events themselves. Tokens and money are as
far as the host's transcript has been read. What was before this process is taken from the record
once, when it is first asked how much of a session or of the day is used. In constant memory.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from pointsman.engine.deeds import deed_of
from pointsman.engine.tally import Pace, SpentSession, Tally, trim
from pointsman.model.event import MAIN_THREAD, Event
from pointsman.model.limit import Deed, Limit, NoPast, PastDeeds, Spend, Told, Used
from pointsman.model.usage import Cost, Usage

_MOST_SESSIONS = 512
_MOST_TALLIES = 1024
_MOST_CALLS = 256
_MOST_MESSAGES = 1024
_MOST_DAYS = 256
_MINUTE = 60e9
_MINUTE_NS = 60 * 10**9

Read = Callable[[], Callable[[], None]]
"""Reads something of the past, and returns what takes it in."""


def local_day(ns: int) -> str:
    """Return the day of a time as the machine's own clock has it."""
    return _day_of(ns // _MINUTE_NS)


@lru_cache(maxsize=16)
def _day_of(minute: int) -> str:
    # Wherever one lives, a day begins with a minute: it is asked for once in each, not per event.
    return time.strftime("%Y-%m-%d", time.localtime(minute * 60))


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
        since_ns: int | None = None,
    ) -> None:
        self._past = past or NoPast()
        self._has_past = past is not None
        self._day_of = day_of
        self._begins = begins
        self._sessions: OrderedDict[str, SpentSession] = OrderedDict()
        self._began = time.time_ns() if since_ns is None else since_ns
        """What was put on record before is the past: all that comes after is told here."""
        self._dropped = False
        self._day = ""
        self._day_whole = False
        self._days: OrderedDict[str, Tally] = OrderedDict()
        """Today's, by repository; under the empty name that of all."""

    def used(self, event: Event, limit: Limit) -> Used:
        """Return how much is used of a limit where this event happens, the event's call aside.

        Raises:
            LedgerError: what was used before this process began cannot be read.
        """
        deed = deed_of(event)
        session = self._learning(deed)
        if not session.whole:
            self._session_of(deed.session, session)()()
        tally = self._tally(session, deed, limit)
        pace = session.pace
        if limit.per in {"agent", "type"}:
            pace = session.paces.get(deed.agent_id or MAIN_THREAD, Pace())
        under_way = 0 if deed.opens else pace.since(deed.at_ns)
        amount = {
            "tokens": float(tally.tokens),
            "usd": tally.usd,
            "calls": float(tally.calls - (deed.is_call and deed.call in session.begun)),
            "minutes": (tally.busy_ns + under_way) / _MINUTE,
        }[limit.of]
        told = tally.told.get((limit, deed.agent_id or MAIN_THREAD), frozenset())
        return Used(amount, tally.unpriced, told)

    def begin(self, event: Event, told: Iterable[Told] = ()) -> None:
        """Count a call that nothing here speaks against, until it is known what becomes of it."""
        if not event.identity.tool_use_id:
            return  # What the host runs for itself, its server say, need not come on record.
        deed = deed_of(event)
        session = self._learning(deed)
        known = session.begun.get(deed.call)
        session.begun[deed.call] = (*(known or ()), *told)
        if known is None and deed.is_call:
            self._count(session, deed, 1)
        # Those that fall out stay counted: they have most likely run.
        trim(session.begun, _MOST_CALLS)

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
        for limit, rule in told or ():
            if ran:
                self._tally(session, deed, limit).tell(limit, deed.agent_id or MAIN_THREAD, rule)
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

    def _count(self, session: SpentSession, deed: Deed, calls: int) -> None:
        for _, tally in self._tallies(session, deed.agent_id, deed.agent_type):
            tally.calls += calls

    def _tally(self, session: SpentSession, deed: Deed, limit: Limit) -> Tally:
        if limit.per == "day":
            if not self._day_whole:
                self._day_of_past(deed.at_ns)()()
            return self._of_day((deed.repository or "") if limit.own else "")
        return session.tally(session.keys(deed.agent_id, deed.agent_type)[limit.per])

    def _tallies(
        self, session: SpentSession, agent_id: str | None, agent_type: str | None
    ) -> Iterator[tuple[str, Tally]]:
        for scope, key in session.keys(agent_id, agent_type).items():
            yield scope, session.tally(key)
        yield "day", self._of_day("")
        if session.repository:
            yield "day", self._of_day(session.repository)

    def _of_day(self, repository: str) -> Tally:
        tally = self._days.setdefault(repository, Tally())
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
        if day > self._day:
            # Of a day that begins under our eyes nothing was before.
            self._day_whole = self._day_of(self._began) < day
            self._day = day
            self._days.clear()

    def missing(self, event: Event, limits: Iterable[Limit]) -> list[tuple[str, Read]]:
        """Return what has to be read before these limits can be told, each with a name for it.

        Each may be called in a thread; what it returns takes in on the loop what was read.

        Raises (each of them):
            LedgerError: the record cannot be read.
        """
        deed, found = deed_of(event), list[tuple[str, Read]]()
        per = {limit.per for limit in limits}
        if self._has_past and per:
            session = self._session(deed.session, deed.at_ns)
            if not session.whole:
                found.append((f"session {deed.session}", self._session_of(deed.session, session)))
            if "day" in per and not self._day_whole:
                found.append((f"day {self._day}", self._day_of_past(deed.at_ns)))
        return found

    def _session_of(self, name: str, session: SpentSession) -> Read:
        def read() -> Callable[[], None]:
            past = _taken_in(self._past, name, session.since_ns)
            return lambda: None if session.whole else session.complete(past)

        return read

    def _day_of_past(self, now_ns: int) -> Read:
        """Return what reads what the day had before this process."""
        day, begun = self._day, self._begins(now_ns)

        def read() -> Callable[[], None]:
            tallies: dict[str, Tally] = {}
            for repository, tally in self._past_day(begun):
                tallies.setdefault(repository, Tally()).merge(tally)

            def take() -> None:
                if self._day == day and not self._day_whole:
                    self._day_whole = True
                    for repository, tally in tallies.items():
                        self._of_day(repository).merge(tally)

            return take

        return read

    def _past_day(self, begun: int) -> Iterator[tuple[str, Tally]]:
        """Yield what is added to the day of all, and to that of a repository."""
        sessions: dict[str, SpentSession] = {}
        for deed in self._past.deeds(begun, self._began):
            session = sessions.setdefault(deed.session, SpentSession())
            session.learn(deed)
            whole, _ = session.work(deed)
            for name in dict.fromkeys(("", session.repository or "")):
                yield name, Tally(busy_ns=whole, calls=int(deed.is_call))
        for spend in self._past.spends(begun, self._began):
            for name in dict.fromkeys(("", spend.repository or "")):
                yield name, Tally(spend.tokens, spend.usd, spend.unpriced)

    def _learning(self, deed: Deed) -> SpentSession:
        session = self._session(deed.session, deed.at_ns)
        session.learn(deed)
        return session

    def _session(self, name: str, now_ns: int) -> SpentSession:
        self._turn(now_ns)
        session = self._sessions.get(name)
        if session is None:
            # One may come back that was dropped: all that is on record of it is then its past.
            since = now_ns if self._dropped else self._began
            session = self._sessions[name] = SpentSession(since_ns=since)
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
                self._dropped = True
        else:
            self._sessions.move_to_end(name)
        return session


def _taken_in(past: PastDeeds, name: str, before_ns: int) -> SpentSession:
    """Return a session as the record has it."""
    session = SpentSession()
    both: list[Deed | Spend] = list(past.deeds(0, before_ns, name))
    both += past.spends(0, before_ns, name)
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
