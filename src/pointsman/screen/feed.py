"""What the view shows, kept up to date by what has come behind a sequence number.

A session is added up once, when it is first met; from then on each poll reads only new rows, so
that it costs the same however long the record is.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.store import browse, live, own
from pointsman.store.live import Spent
from pointsman.store.query import opened

KEPT = 2000
"""Events that the view can be scrolled back through."""
MOST_FINDINGS = 100
ADOPTED = 10
"""Sessions of before that one reading adds up: the view is there at once, and fills."""
_MOST_AGENTS = 1000
_OVER = frozenset({"SessionEnd", "SubagentStop"})
_WAITS = frozenset({"Stop", "StopFailure", "TeammateIdle", "PermissionRequest"})
_BEGINS = frozenset({"PreToolUse"})

Key = tuple[str, str]
"""A session and an agent's id, empty for the main thread."""
Row = dict[str, Any]


@dataclass(slots=True)
class Agent:
    """One agent of a session. ``doing`` is what it does, or how it has stopped doing anything."""

    session: str
    id: str
    name: str
    parent: str = ""
    first_ms: int = 0
    last_ms: int = 0
    last_seq: int = 0
    calls: int = 0
    denied: int = 0
    asked: int = 0
    tokens: int = 0
    usd_nano: int = 0
    unpriced: int = 0
    state: str = "works"
    doing: str = ""
    repository: str = ""

    @property
    def key(self) -> Key:
        """The session and its own id."""
        return self.session, self.id


@dataclass(frozen=True, slots=True)
class Adopted:
    """A session that is met for the first time, added up."""

    session: str
    agents: list[Row]
    spent: list[Spent]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was read: new rows, or with ``anew`` everything; or the ``problem`` that there is."""

    rows: list[Row] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    findings: list[Row] | None = None
    pending: list[str] = field(default_factory=list)
    """Sessions that are still to be added up, the next one last."""
    anew: bool = False
    last: int = 0
    last_spent: int = 0
    problem: str = ""


@dataclass
class Feed:
    """The agents of lately, the newest events and findings; ``poll`` reads on.

    ``window_ns`` is how long ago a session may have been heard of last.
    """

    ledger: Path
    window_ns: int
    now: Callable[[], int] = time.time_ns
    agents: dict[Key, Agent] = field(default_factory=dict)
    rows: deque[Row] = field(default_factory=lambda: deque(maxlen=KEPT))
    findings: deque[Row] = field(default_factory=lambda: deque(maxlen=MOST_FINDINGS))
    last: int = 0
    problem: str = ""
    _spent: int = 0
    _begun: bool = False
    _pending: list[str] = field(default_factory=list)

    def poll(self) -> list[Row]:
        """Read what is new and take it in; return those rows."""
        return self.take(self.read())

    def read(self) -> News:
        """Read what is new, and change nothing here: it may be done beside the screen.

        One at a time, and what it returns is to be taken in before the next.
        """
        try:
            with opened(self.ledger) as connection:
                connection.execute("BEGIN")  # One view of it all.
                return self._read(connection)
        except LedgerError as error:
            return News(problem=f"{error}; {error.fix}" if error.fix else str(error))

    def take(self, news: News) -> list[Row]:
        """Take in what was read; what is wrong stands in ``problem``."""
        self.problem = news.problem
        if news.problem:
            return []
        if news.anew:
            self.agents.clear()
            self.rows.clear()
        for adopted in news.adopted:
            self._adopt(adopted)
            for row in self.rows if not news.anew else ():
                if row["session"] == adopted.session:
                    self._tell(row)
        fresh = {adopted.session for adopted in news.adopted}
        for row in news.rows:
            self._take(row, counted=news.anew or row["session"] in fresh)
        self._add(each for each in news.spent if each.session not in fresh)
        if news.findings is not None:
            self.findings.clear()
            self.findings.extend(reversed(news.findings))
        self.last, self._spent, self._begun = news.last, news.last_spent, True
        self._pending = news.pending
        return news.rows

    def _read(self, connection: sqlite3.Connection) -> News:
        newest = browse.newest(connection)
        if not self._begun or newest < self.last:
            return self._begin(connection, newest)
        rows = browse.after(connection, self.last, browse.MOST_ROWS)
        known = {agent.session for agent in self.agents.values()}
        fresh = {row["session"] for row in rows} - known
        pending = [each for each in self._pending if each not in known | fresh]
        fresh |= set(pending[-ADOPTED:])
        spent = live.spent_after(connection, self._spent, browse.MOST_ROWS)
        found = any(row["event"] == "WatchFinding" for row in rows)
        return News(
            rows=rows,
            adopted=[_adopted(connection, session) for session in sorted(fresh)],
            spent=spent,
            pending=pending[:-ADOPTED],
            findings=own.latest_findings(connection, MOST_FINDINGS) if found else None,
            last=max([self.last, *(row["seq"] for row in rows)]),
            last_spent=max([self._spent, *(each.number for each in spent)]),
        )

    def _begin(self, connection: sqlite3.Connection, newest: int) -> News:
        """Read everything anew: the first time, or where another ledger is in its place."""
        sessions = live.sessions_since(connection, self.now() - self.window_ns)
        return News(
            anew=True,
            rows=browse.after(connection, max(0, newest - KEPT), KEPT),
            adopted=[_adopted(connection, session) for session in sessions[-ADOPTED:]],
            pending=sessions[:-ADOPTED],
            findings=own.latest_findings(connection, MOST_FINDINGS),
            last=newest,
            last_spent=live.last_spent(connection),
        )

    def _adopt(self, adopted: Adopted) -> None:
        for row in adopted.agents:
            name = row["agent_type"] or ("main" if row["agent_id"] is None else row["agent_id"])
            agent = Agent(adopted.session, row["agent_id"] or "", name, row["parent"] or "")
            agent.first_ms, agent.last_ms = row["first"], row["last"]
            agent.calls, agent.denied, agent.asked = row["calls"], row["denied"], row["asked"]
            self.agents[agent.key] = agent
        self._add(adopted.spent)
        self._trim()

    def _add(self, spent: Iterable[Spent]) -> None:
        for each in spent:
            agent = self.agents.get((each.session, each.agent))
            if agent is not None:
                agent.tokens += each.tokens
                agent.usd_nano += each.usd_nano
                agent.unpriced += each.unpriced

    def _take(self, row: Row, *, counted: bool) -> None:
        self.rows.append(row)
        key = row["session"], row.get("agent_id", "")
        if key not in self.agents:
            if counted:  # An old row of a session that is not shown.
                return
            self.agents[key] = Agent(*key, row["agent"], row.get("parent", ""), row["at"])
            self._trim()
        self._tell(row)
        agent = self.agents.get(key)
        if agent is not None and not counted and row["event"] == "PreToolUse":
            agent.calls += 1
            agent.denied += row.get("decision") == "deny"
            agent.asked += row.get("decision") == "ask"

    def _tell(self, row: Row) -> None:
        agent = self.agents.get((row["session"], row.get("agent_id", "")))
        if agent is not None:
            agent.last_ms, agent.last_seq = max(agent.last_ms, row["at"]), row["seq"]
            agent.repository = row.get("repository", agent.repository)
            _tell(agent, row)

    def _trim(self) -> None:
        while len(self.agents) > _MOST_AGENTS:
            oldest = min(self.agents.values(), key=lambda agent: agent.last_ms)
            del self.agents[oldest.key]

    def shown(self) -> list[Agent]:
        """Return the agents as a tree: sessions by their last event, each with its own below."""
        since = (self.now() - self.window_ns) // 10**6
        by_session: dict[str, list[Agent]] = {}
        for agent in self.agents.values():
            by_session.setdefault(agent.session, []).append(agent)
        last = {name: max(each.last_ms for each in some) for name, some in by_session.items()}
        names = sorted((name for name in last if last[name] >= since), key=lambda name: -last[name])
        return [agent for name in names for agent in _tree(by_session[name])]


def _adopted(connection: sqlite3.Connection, session: str) -> Adopted:
    agents, spent = live.agents_of(connection, session), live.spent_in(connection, session)
    return Adopted(session, agents, spent)


def _tell(agent: Agent, row: Row) -> None:
    """Say what an agent does by what was last heard of it."""
    kind = row["event"]
    if kind in _OVER:
        agent.state, agent.doing = "over", ""
    elif kind in _WAITS or row.get("decision") == "ask":
        agent.state, agent.doing = "waits", "for a person" if kind != "Stop" else ""
    elif kind in _BEGINS and row.get("decision") != "deny":
        agent.state = "works"
        agent.doing = f"{row.get('tool', '')} {row.get('what') or row.get('path', '')}".strip()
    elif "derived_from" not in row and kind != "WatchFinding":
        agent.state = "works"
        agent.doing = "" if kind.startswith("PostTool") else agent.doing


def _tree(agents: list[Agent]) -> Iterator[Agent]:
    main = [agent for agent in agents if not agent.id]
    below = sorted((agent for agent in agents if agent.id), key=lambda each: each.first_ms)
    return iter([*main, *below])
