"""What a model's messages have used, and what that costs."""

from dataclasses import dataclass, fields
from operator import attrgetter

TOKEN_FIELDS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
"""The kinds of tokens, each counted apart, in the order in which they are shown."""


USAGE_DAYS = 400
"""Days for which usage is kept where the settings say nothing: a year, and one to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one message of a model has used, as its host's transcript says.

    Tokens are counted apart, as the host counts them: ``input_tokens`` holds none of the cache's.
    ``calls`` are the ids of the tool calls that the message asked for, ``tools`` their tools.
    """

    host: str
    session: str
    message_id: str
    model: str
    at_ns: int
    request: str = ""
    """What tells this message from another one that has the same id."""
    agent_id: str | None = None
    agent_type: str | None = None
    role: str = ""
    task: str = ""
    repository: str | None = None
    branch: str = ""
    speed: str = ""
    final: bool = False
    """Whether the message is whole: what it says of itself before that may grow."""
    growth: bool = False
    """Whether only what a message has used since it was last told of is counted here."""
    repriced: bool = False
    """Whether it had no price until now, and that alone is counted here."""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    web_searches: int = 0
    calls: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Every token that went in or came out."""
        return self.context_tokens + self.output_tokens

    @property
    def context_tokens(self) -> int:
        """How much the model was shown: the size of the context when the message was asked for."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens + self.cache_read_tokens + written

    @property
    def key(self) -> str:
        """What a message is on record by: its first report's."""
        return f"{self.host} {self.message_id} {self.request}"


ORCHESTRATOR, SUBAGENT = "orchestrator", "subagent"


def role_of(usage: Usage, declared: str) -> str:
    """Return the role by which a message is told of: the declared one before any other.

    Without one a main thread, whatever agent it runs as, is the orchestrator, all else a subagent.
    """
    return declared or (ORCHESTRATOR if usage.agent_id is None else SUBAGENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The price of a message. ``usd`` is ``None`` where the model has no price: never 0."""

    usd: float | None
    prices: str
    """The version of the price table, or the file that overrode it."""

    @property
    def nano(self) -> int | None:
        """The same in billionths of a dollar: whole numbers add up in any order."""
        return None if self.usd is None else round(self.usd * 1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Tokens, money and calls of some messages, to be added up.

    ``usd_nano`` is in billionths of a dollar, of the messages that have a price; ``unpriced`` is
    how many have none. ``calls`` is how many messages that are.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    usd_nano: int = 0
    unpriced: int = 0
    calls: int = 0

    @classmethod
    def of(cls, usage: Usage, nano: int | None) -> "Amount":
        """Return what one message comes to at this price; ``None`` is none known."""
        tokens = {name: getattr(usage, name) for name in TOKEN_FIELDS}
        return cls(**tokens, usd_nano=nano or 0, unpriced=int(nano is None), calls=1)

    @property
    def values(self) -> tuple[int, ...]:
        """Every figure, in the order of the fields."""
        found: tuple[int, ...] = _figures(self)
        return found

    @property
    def tokens(self) -> int:
        """Every token that went in or came out."""
        return sum(self.values[: len(TOKEN_FIELDS)])

    @property
    def usd(self) -> float | None:
        """Dollars; ``None`` where a message without a price is among them."""
        return None if self.unpriced else self.usd_nano / 1e9

    def __add__(self, other: "Amount") -> "Amount":
        pairs = zip(self.values, other.values, strict=True)
        return amount(*(mine + theirs for mine, theirs in pairs))

    def __sub__(self, other: "Amount") -> "Amount":
        pairs = zip(self.values, other.values, strict=True)
        return amount(*(mine - theirs for mine, theirs in pairs))

    def __bool__(self) -> bool:
        return any(self.values)


AMOUNT_FIELDS = tuple(entry.name for entry in fields(Amount))
_figures = attrgetter(*AMOUNT_FIELDS)


def amount(*values: int) -> Amount:
    """Return an amount from its figures, in the order of ``AMOUNT_FIELDS``."""
    return Amount(**dict(zip(AMOUNT_FIELDS, values, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTotal:
    """What the host itself says a session has used of one model up to here.

    It counts calls that stand in no transcript (compaction, titles), and a fork goes on from what
    its parent had. ``usd`` is by the host's own price list.
    """

    host: str
    session: str
    model: str
    usd: float
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
