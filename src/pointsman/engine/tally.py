"""What one session has used so far, and what has to be known of it to go on counting."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.event import MAIN_THREAD
from pointsman.model.limit import Deed, Limit, Spend, Told
from pointsman.model.usage import Cost, Usage

_MOST_TALLIES = 1024
_MOST_MESSAGES = 1024

Key = tuple[str, str]
"""Whose use it is: what it is added up over, and whose of that."""


@dataclass(slots=True)
class Tally:
    """What has been used so far. ``told`` are the rules that each agent was warned by, by limit."""

    tokens: int = 0
    usd: float = 0.0
    unpriced: int = 0
    calls: int = 0
    busy_ns: int = 0
    told: OrderedDict[tuple[Limit, str], frozenset[str]] = field(default_factory=OrderedDict)

    def tell(self, limit: Limit, agent: str, rule: str) -> None:
        """Note that an agent was warned of a limit."""
        self.told[limit, agent] = self.told.get((limit, agent), frozenset()) | {rule}
        trim(self.told, _MOST_TALLIES)

    def add(self, spend: Spend) -> None:
        """Add what was used."""
        self.tokens += spend.tokens
        self.usd += spend.usd
        self.unpriced += spend.unpriced

    def merge(self, other: "Tally") -> None:
        """Add everything that another one has."""
        self.take(Tally(self.tokens + other.tokens, self.usd + other.usd,
                         self.unpriced + other.unpriced))  # fmt: skip
        self.calls += other.calls
        self.busy_ns += other.busy_ns

    def take(self, other: "Tally") -> None:
        """Take over what another one has of tokens and money."""
        self.tokens, self.usd, self.unpriced = other.tokens, other.usd, other.unpriced


@dataclass(slots=True)
class Pace:
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
class SpentSession:
    """One session: its tallies and what is needed to go on counting."""

    tallies: OrderedDict[Key, Tally] = field(default_factory=OrderedDict)
    pace: Pace = field(default_factory=Pace)
    paces: OrderedDict[str, Pace] = field(default_factory=OrderedDict)
    types: OrderedDict[str, str] = field(default_factory=OrderedDict)
    tasks: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """The task that each agent has in progress."""
    prompt: str = ""
    repository: str | None = None
    begun: OrderedDict[str, tuple[Told, ...]] = field(default_factory=OrderedDict)
    """Calls that are counted although it is not known yet whether they run, with what was told."""
    messages: OrderedDict[str, tuple[int, float, int]] = field(default_factory=OrderedDict)
    """What each message has used so far: tokens, dollars, and whether it has no price."""
    since_ns: int = 0
    """What was put on record before this is its past: what comes after was told to it."""
    whole: bool = False
    """Whether what was before this process is in it."""

    def news(self, usage: Usage, cost: Cost) -> Spend:
        """Return what is added by what is told of a message, and remember it."""
        told = (usage.tokens, cost.usd or 0.0, int(cost.usd is None))
        tokens, usd, unpriced = self.messages.get(usage.key, (0, 0.0, 0))
        # Told once more as a whole, it says what it is; told of its growth, what comes to it.
        added = told[:2] if usage.growth else (told[0] - tokens, told[1] - usd)
        spend = Spend(
            at_ns=usage.at_ns, session=usage.session, message=usage.key, tokens=added[0],
            usd=added[1], unpriced=-1 if usage.repriced else told[2] - unpriced,
        )  # fmt: skip
        self.remember(spend)
        return spend

    def remember(self, spend: Spend) -> None:
        """Add to what a message has used."""
        tokens, usd, unpriced = self.messages.get(spend.message, (0, 0.0, 0))
        now = tokens + spend.tokens, usd + spend.usd, unpriced + spend.unpriced
        self.messages[spend.message] = now
        trim(self.messages, _MOST_MESSAGES)

    def tally(self, key: Key) -> Tally:
        """Return the tally of a key, a new one where there is none."""
        tally = self.tallies.get(key)
        if tally is None:
            tally = self.tallies[key] = Tally()
            trim(self.tallies, _MOST_TALLIES)
        else:
            self.tallies.move_to_end(key)
        return tally

    def task(self, agent: str) -> str:
        """Return what this agent works for: its task, that of the main thread, or the prompt."""
        return self.tasks.get(agent) or self.tasks.get(MAIN_THREAD) or f"prompt {self.prompt}"

    def keys(self, agent_id: str | None, agent_type: str | None) -> dict[str, Key]:
        """Return whose use that of an agent is, by what it is added up over."""
        agent = agent_id or MAIN_THREAD
        kind = agent_type or self.types.get(agent) or MAIN_THREAD
        return {
            "agent": ("agent", agent), "type": ("type", kind), "task": ("task", self.task(agent)),
            "session": ("session", ""),
        }  # fmt: skip

    def complete(self, past: "SpentSession") -> None:
        """Take in what was before."""
        for key, tally in past.tallies.items():
            self.tally(key).merge(tally)
        self.types = past.types | self.types
        self.tasks = past.tasks | self.tasks
        self.messages = past.messages | self.messages
        self.prompt = self.prompt or past.prompt
        self.repository = self.repository or past.repository
        if not self.pace.last_ns:
            self.pace, self.paces = past.pace, past.paces
        self.whole = True

    def learn(self, deed: Deed) -> None:
        """Take in who acts, for what."""
        agent = deed.agent_id or MAIN_THREAD
        if deed.agent_type:
            self.types[agent] = deed.agent_type
            trim(self.types, _MOST_TALLIES)
        if deed.prompt_id and (deed.agent_id is None or not self.prompt):
            self.prompt = deed.prompt_id
        self.repository = deed.repository or self.repository
        task, state = deed.task
        if state == "in_progress":
            self.tasks[agent] = f"task {task}"
            trim(self.tasks, _MOST_TALLIES)
        elif state:
            for each in [name for name, now in self.tasks.items() if now == f"task {task}"]:
                del self.tasks[each]

    def work(self, deed: Deed) -> tuple[int, int]:
        """Return the nanoseconds that the session and the agent have worked up to this."""
        agent = self.paces.setdefault(deed.agent_id or MAIN_THREAD, Pace())
        trim(self.paces, _MOST_TALLIES)
        rests_alone = deed.rests and deed.agent_id is not None
        own = agent.step(deed)
        busy = self.pace.busy
        whole = self.pace.step(deed)
        # A subagent's end is not the session's: whoever has started it goes on, if it did.
        self.pace.busy = busy if rests_alone else self.pace.busy
        return whole, own


def trim(table: OrderedDict[Any, Any], most: int) -> None:
    """Drop the oldest entries beyond so many."""
    while len(table) > most:
        table.popitem(last=False)
