"""What language servers add to what the index says; where they say nothing, that stays."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pointsman.code.facts import ALL, WHOLE
from pointsman.code.gather import Gathered, dependents
from pointsman.model.bundle import Change, Item, Kind, Section
from pointsman.model.code import Ask, CodeServers, Declaration, Declared, Place, Source, Used

_MOST_ASKED = 16
_MOST_EXPORTS = 24


@dataclass(frozen=True, slots=True)
class Enriched:
    """The sections, each with its source, and what could not be found out."""

    sections: tuple[Section, ...]
    notes: tuple[str, ...]


async def enriched(
    servers: CodeServers, change: Change, gathered: Gathered, seconds: float
) -> Enriched:
    """Ask the servers, for ``seconds`` at most, and put what they say in its place."""
    asks = [
        Ask(each.imported.local, Place(change.path, each.imported.line, each.imported.column))
        for each in gathered.taken
        if each.imported.local and each.imported.name not in {ALL, WHOLE}
    ]
    exports = [
        Ask(one.local or one.name, Place(change.path, one.line, one.column))
        for one in gathered.exports
        if one.local
    ]
    once = list(dict.fromkeys(asks))[:_MOST_ASKED]
    declared, used = await asyncio.gather(
        _or_nothing(servers, change, once, seconds), _used(servers, change, exports, seconds)
    )
    notes = [*gathered.notes]
    sections = {each.kind: each for each in gathered.sections}
    if declared.items:
        found = _declared(sections.get(Kind.DECLARATIONS), declared)
        if found is not None:
            sections[Kind.DECLARATIONS] = found
    if not used.problem and exports and used.server and len(exports) <= _MOST_EXPORTS:
        found = _dependents(change.path, used)
        if found.count:
            sections[Kind.DEPENDENTS] = found
    for answer in (declared, used):
        if answer.problem and answer.problem not in notes:
            notes.append(answer.problem)
    return Enriched(tuple(sections.values()), tuple(notes))


async def _or_nothing(
    servers: CodeServers, change: Change, asks: Sequence[Ask], seconds: float
) -> Declared:
    if not asks:
        return Declared()
    return await servers.declarations(change.root, change.path, asks, seconds)


async def _used(servers: CodeServers, change: Change, asks: Sequence[Ask], seconds: float) -> Used:
    if not asks or len(asks) > _MOST_EXPORTS:
        return Used()
    return await servers.uses(change.root, change.path, asks, seconds)


def _declared(section: Section | None, answer: Declared) -> Section | None:
    """Return the section with what the server says in the place of what the syntax says."""
    items = list(section.items) if section else []
    known = {(each.path, each.line): place for place, each in enumerate(items)}
    said = 0
    for one in answer.items:
        place = known.get((one.place.path, one.place.line))
        if place is None:
            continue
        items[place] = _item(items[place], one)
        said += 1
    if section is None or not said:
        return section
    # Lines that the server left as they were are the same by both: it knows all it was asked.
    source = Source.SYNTAX if answer.problem else Source.LSP
    return replace(section, source=source, items=tuple(items), stale=answer.stale)


def _item(item: Item, said: Declaration) -> Item:
    return replace(
        item,
        text=said.text or item.text,
        more=said.members or item.more,
        why=f"{item.why}; as its language server has it",
    )


def _dependents(path: str, answer: Used) -> Section:
    users: dict[str, dict[str, int]] = defaultdict(dict)
    for use in answer.items:
        if use.place.path != path:
            names = users[use.place.path]
            names[use.name] = min(use.place.line, names.get(use.name, use.place.line))
    frozen: Mapping[str, Mapping[str, int]] = users
    return replace(dependents(path, frozen), source=Source.LSP, stale=answer.stale)
