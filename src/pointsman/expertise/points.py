"""What a sheet says, as single lines: each with its section and its rank (0 is told first)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MOST_WORDS = 240
"""Characters of a text in a line; the whole of it stands in the file."""
_OVER = frozenset({"resolved", "fixed", "done", "closed", "wontfix"})


@dataclass(frozen=True, slots=True)
class Point:
    """One line. ``rank`` 0 is told first; ``text`` has no line breaks."""

    section: str
    rank: int
    text: str


def points(sections: Mapping[str, Any]) -> list[Point]:
    """Return everything that these sections say, section by section."""
    return [point for name, read in _READERS.items() if name in sections
            for point in read(sections[name])]  # fmt: skip


def short(value: object) -> str:
    """Return a value as one line that is not long."""
    text = " ".join(str(value).split()) if value is not None else ""
    return text if len(text) <= _MOST_WORDS else f"{text[: _MOST_WORDS - 1]}…"


def _overview(given: Mapping[str, Any]) -> Iterator[Point]:
    for key, rank in (("description", 0), ("scope", 4), ("rationale", 6)):
        if given.get(key):
            yield Point("overview", rank, f"{key.capitalize()}: {short(given[key])}")


def _core(given: Mapping[str, Any]) -> Iterator[Point]:
    for each in _entries(given.get("key_conventions")):
        text = _joined(each, "name", "summary")
        if text:
            yield Point("core_implementation", 2, f"Convention: {text}")
    for each in _entries(given.get("primary_files")):
        text = _joined(each, "path", "purpose")
        if text:
            yield Point("core_implementation", 3, f"File: {text}")


def _operations(given: Mapping[str, Any]) -> Iterator[Point]:
    for key, each in _named(given):
        how = short(each.get("when_to_use") or each.get("description"))
        way = short(each.get("approach"))
        text = ": ".join(part for part in (short(each.get("name") or key), how) if part)
        yield Point("key_operations", 4, f"Operation: {text}{f' How: {way}' if way else ''}")
        for pitfall in _entries(each.get("pitfalls")):
            what = _joined(pitfall, "what", "why")
            instead = short(pitfall.get("instead"))
            if what:
                more = f" Instead: {instead}" if instead else ""
                yield Point("key_operations", 3, f"Pitfall: {what}{more}")


def _trees(given: Mapping[str, Any]) -> Iterator[Point]:
    for key, each in _named(given):
        name = short(each.get("name") or key)
        for branch in _entries(each.get("branches")):
            text = _joined(branch, "condition", "action", " → ")
            if text:
                yield Point("decision_trees", 5, f"Decide ({name}): {text}")


def _patterns(given: Mapping[str, Any]) -> Iterator[Point]:
    for key, each in _named(given):
        name = short(each.get("name") or key)
        text = short(each.get("context") or each.get("implementation"))
        yield Point("patterns", 5, f"Pattern: {name}{f': {text}' if text else ''}")


def _protocols(given: list[Any]) -> Iterator[Point]:
    for each in _entries(given):
        text = _joined(each, "protocol", "description")
        if text:
            but = short(each.get("exception"))
            yield Point("safety_protocols", 0, f"Safety: {text}{f' Except: {but}' if but else ''}")


def _practices(given: list[Any]) -> Iterator[Point]:
    for each in _entries(given):
        practices = each.get("practices")
        for one in _entries(practices) if isinstance(practices, list) else _entries([each]):
            if one.get("practice"):
                yield Point("best_practices", 5, f"Practice: {short(one['practice'])}")


def _issues(given: list[Any]) -> Iterator[Point]:
    for each in _entries(given):
        if str(each.get("status", "")).strip().lower() in _OVER:
            continue
        text = _joined(each, "issue", "workaround", " → ")
        if text:
            yield Point("known_issues", 1, f"Known issue: {text}")


def _enhancements(given: list[Any]) -> Iterator[Point]:
    for each in _entries(given):
        text = _joined(each, "enhancement", "rationale")
        if text:
            yield Point("potential_enhancements", 8, f"Possible: {text}")


def _entries(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of a list; a plain text counts as an entry that says only that."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield each
        elif isinstance(each, str | int | float):
            yield dict.fromkeys(("name", "path", "what", "protocol", "practice", "issue",
                                 "enhancement", "condition"), each)  # fmt: skip


def _named(given: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, each in given.items():
        yield str(key), each if isinstance(each, Mapping) else {"description": each}


def _joined(entry: Mapping[str, Any], first: str, second: str, by: str = ": ") -> str:
    texts = (short(entry.get(first)), short(entry.get(second)))
    return by.join(text for text in texts if text)


_READERS: Mapping[str, Callable[[Any], Iterator[Point]]] = {
    "overview": _overview,
    "core_implementation": _core,
    "key_operations": _operations,
    "decision_trees": _trees,
    "patterns": _patterns,
    "safety_protocols": _protocols,
    "best_practices": _practices,
    "known_issues": _issues,
    "potential_enhancements": _enhancements,
}
