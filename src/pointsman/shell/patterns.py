"""Patterns of the shell against texts that are known: ``${x#…}``, ``${x/…}``, ``case``."""

import re
from functools import lru_cache

_MOST_TEXT = 4096
_MOST_PATTERN = 256
_MOST_TRIES = 1 << 15
"""A star may end anywhere: characters to the power of stars. Past this it is not known."""
_PLAIN = re.compile(r"[^*?\[\]\\()]+")


def matches(text: str, pattern: str) -> bool | None:
    """Whether a pattern covers a whole text; ``None`` where that is not worked out."""
    found = _compiled(pattern) if _fits(text, pattern) else None
    return None if found is None else found.fullmatch(text) is not None


def without_prefix(text: str, pattern: str, *, longest: bool) -> str | None:
    """Return a text without the prefix that a pattern covers."""
    # `${x##*/}` is in every script: it is answered without a try at each place.
    if _PLAIN.fullmatch(pattern.removeprefix("*")):
        mark = pattern.removeprefix("*")
        if mark == pattern:
            return text.removeprefix(mark)
        at = text.rfind(mark) if longest else text.find(mark)
        return text if at < 0 else text[at + len(mark) :]
    found = _compiled(pattern)
    if found is None or not _fits(text, f"{pattern}*"):
        return None
    ends = range(len(text), -1, -1) if longest else range(len(text) + 1)
    return next((text[end:] for end in ends if found.fullmatch(text, 0, end)), text)


def without_suffix(text: str, pattern: str, *, longest: bool) -> str | None:
    """Return a text without the suffix that a pattern covers."""
    if _PLAIN.fullmatch(pattern.removesuffix("*")):
        mark = pattern.removesuffix("*")
        if mark == pattern:
            return text.removesuffix(mark)
        at = text.find(mark) if longest else text.rfind(mark)
        return text if at < 0 else text[:at]
    found = _compiled(pattern)
    if found is None or not _fits(text, f"{pattern}*"):
        return None
    starts = range(len(text) + 1) if longest else range(len(text), -1, -1)
    return next((text[:start] for start in starts if found.fullmatch(text, start)), text)


def _fits(text: str, pattern: str) -> bool:
    return len(text) <= _MOST_TEXT and len(text) ** (pattern.count("*") or 1) <= _MOST_TRIES


def replaced(text: str, pattern: str, by: str, where: str) -> str | None:
    """Return a text with what a pattern covers replaced: first, all (``/``), ``#`` or ``%``."""
    if not pattern:
        return text
    if where in {"", "/"} and _PLAIN.fullmatch(pattern):
        out = text.replace(pattern, by, -1 if where else 1) if len(by) <= _MOST_TEXT else None
        return out if out is None or len(out) <= 16 * _MOST_TEXT else None
    found = _compiled(pattern)
    if found is None or not _fits(text, f"{pattern}*"):
        return None
    if where == "#":
        rest = without_prefix(text, pattern, longest=True)
        return text if rest == text or rest is None else by + rest
    if where == "%":
        rest = without_suffix(text, pattern, longest=True)
        return text if rest == text or rest is None else rest + by
    # By a function: a backslash in what is put in means nothing to the shell.
    out = found.sub(lambda _match: by, text, count=0 if where == "/" else 1)
    return out if len(out) <= 16 * _MOST_TEXT else None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    if len(pattern) > _MOST_PATTERN:
        return None
    # Extended globs nest, and a shell reads them only where it was told to.
    if re.search(r"[@?*+!]\(", pattern):
        return None
    try:
        return re.compile(_translated(pattern), re.DOTALL)
    except re.error:
        return None


def _translated(pattern: str) -> str:
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        # A bracket right behind the first is one of the characters: `[]x]`.
        end = pattern.find("]", at + 2) if char == "[" else -1
        if char == "*":
            out.append(".*")
        elif char == "?":
            out.append(".")
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            out.append(re.escape(pattern[at]))
        elif end > 0:
            inner = pattern[at + 1 : end]
            negated = inner[:1] in {"!", "^"}
            inner = _classes(inner[1:] if negated else inner)
            out.append(f"[{'^' if negated else ''}{inner}]")
            at = end
        else:
            out.append(re.escape(char))
        at += 1
    return "".join(out)


def _classes(inner: str) -> str:
    named = {"[:digit": "0-9", "[:alpha": "A-Za-z", "[:alnum": "A-Za-z0-9", "[:space": r"\s"}
    if inner in named:
        return named[inner]
    return re.sub(r"([\\\[\]^&~|])", r"\\\1", inner)
