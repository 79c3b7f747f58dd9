"""What a model's messages have used, and what that costs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one message of a model has used, as its host's transcript says.

    Tokens are counted apart, as the host counts them: ``input_tokens`` holds none of the cache's.
    ``calls`` are the ids of the tool calls that the message asked for.
    """

    host: str
    session: str
    message_id: str
    model: str
    at_ns: int
    agent_id: str | None = None
    agent_type: str | None = None
    repository: str | None = None
    branch: str = ""
    speed: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    calls: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Every token that went in or came out."""
        return self.context_tokens + self.output_tokens

    @property
    def context_tokens(self) -> int:
        """How much the model was shown: the size of the context when the message was asked for."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self.input_tokens + self.cache_read_tokens + written


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The price of a message. ``usd`` is ``None`` where the model has no price: never 0."""

    usd: float | None
    prices: str
    """The version of the price table, or the file that overrode it."""
