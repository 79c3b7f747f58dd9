"""Brace expansion: ``{a,b}`` and ``{1..9..2}``, outermost first, up to a cap."""

import re
from itertools import pairwise

_MOST_WORDS = 512
_MOST_NESTING = 16
_RANGE = re.compile(r"(-?\d{1,9}|[a-zA-Z])\.\.(-?\d{1,9}|[a-zA-Z])(?:\.\.(-?\d{1,9}))?")


def braces(word: str, depth: int = 0) -> list[str]:
    """Return the words that the braces of a word make, in the order of the shell."""
    if "{" not in word or depth > _MOST_NESTING:
        return [word]
    done, prefix, rest = [""], "", word
    while True:
        found = _first(rest)
        if found is None:
            return [f"{each}{prefix}{rest}" for each in done]
        start, end, options = found
        inner = [text for each in options for text in braces(each, depth + 1)][:_MOST_WORDS]
        prefix = rest[:start]
        done = [f"{each}{prefix}{text}" for each in done for text in inner][:_MOST_WORDS]
        prefix, rest = "", rest[end:]


def _first(word: str) -> tuple[int, int, list[str]] | None:
    """Find the first outermost brace that expands, in one pass with a stack."""
    found: dict[int, tuple[int, list[int]]] = {}
    stack: list[tuple[int, list[int]]] = []
    for index, char in enumerate(word):
        if char == "{":
            stack.append((index, []))
        elif char == "," and stack:
            stack[-1][1].append(index)
        elif char == "}" and stack:
            start, commas = stack.pop()
            if commas or _RANGE.fullmatch(word, start + 1, index):
                found[start] = (index, commas)
            if not stack and found:
                break
    if not found:
        return None
    start = min(found)
    end, commas = found[start]
    return start, end + 1, _options(word, start, end, commas)


def _options(word: str, start: int, end: int, commas: list[int]) -> list[str]:
    if commas:
        edges = [start, *commas, end]
        return [word[left + 1 : right] for left, right in pairwise(edges)]
    found = _RANGE.fullmatch(word, start + 1, end)
    if found is None:
        return [word[start : end + 1]]
    first, last, by = found.groups()
    numbers = first.lstrip("-").isdigit() and last.lstrip("-").isdigit()
    if not numbers and (first.lstrip("-").isdigit() or last.lstrip("-").isdigit()):
        return [word[start : end + 1]]
    low, high = (int(first), int(last)) if numbers else (ord(first), ord(last))
    step = abs(int(by or 1)) or 1
    values = range(low, high + 1, step) if high >= low else range(low, high - 1, -step)
    if not numbers:
        return [chr(code) for code in values[:_MOST_WORDS]]
    padded = re.match(r"-?0\d", first) or re.match(r"-?0\d", last)
    width = max(len(first), len(last)) if padded else 0
    return [f"{value:0{width}d}" if width else str(value) for value in values[:_MOST_WORDS]]
