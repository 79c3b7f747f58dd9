"""How many tokens a text is, as far as that can be said without the model's own tokenizer."""

BYTES_PER_TOKEN = 3
"""Bytes of UTF-8 that a token is taken to hold. English prose has some four, code some three: a
cap that is kept by this figure is kept by the model's own as well."""


def tokens_of(text: str) -> int:
    """Return an upper estimate of a text's tokens."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def within(text: str, tokens: int) -> str:
    """Return the text, cut at the end of a word where it is more than so many tokens."""
    most = tokens * BYTES_PER_TOKEN
    data = text.encode("utf-8", "replace")
    if len(data) <= most:
        return text
    kept = data[: max(0, most - 3)].decode("utf-8", "ignore")
    return f"{kept.rpartition(' ')[0] or kept}…"
