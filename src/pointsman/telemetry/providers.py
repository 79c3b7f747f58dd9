"""Whose a model is, by its name: the well-known values of ``gen_ai.provider.name``."""

from typing import Final

UNKNOWN: Final = "unknown"
_PARTS = (
    ("anthropic.", "aws.bedrock"),
    ("amazon.", "aws.bedrock"),
    ("claude-", "anthropic"),
    ("gpt-", "openai"),
    ("codex-", "openai"),
    ("gemini-", "gcp.gemini"),
    ("mistral-", "mistral_ai"),
    ("deepseek-", "deepseek"),
    ("grok-", "x_ai"),
)


def provider_of(model: str) -> str:
    """Return the provider that a name tells; ``unknown`` where it tells none.

    A service in between that keeps a maker's own names cannot be told from the maker.
    """
    name = model.lower()
    if name.startswith("claude-") and "@" in name:
        return "gcp.vertex_ai"
    # A name of Bedrock may have a region in front (``us.anthropic.claude-…``).
    inside = name.partition(".")[2]
    for part, provider in _PARTS:
        if name.startswith(part) or (part.endswith(".") and inside.startswith(part)):
            return provider
    return UNKNOWN
