"""What there is to say before an edit, by the index alone: sections, the most useful first."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pointsman.code.facts import ALL, DEFAULT, WHOLE, Declared, Export, Import
from pointsman.code.users import users_of
from pointsman.code.view import Found, View
from pointsman.model.bundle import Change, Failure, Item, Kind, Section
from pointsman.model.code import Source

MOST_DEPENDENTS = 8
_MOST_NAMES = 200
"""Imported names that are followed to their declarations."""
_MOST_EXPORTS = 60
_MOST_PLACED = 24
_MOST_BARRELS = 40
_AT_ONCE = 6
_MOST_COUNTED = 32 * 1024
"""Characters of a file in which it is counted how often a name is used."""
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_TEST = re.compile(r"(^|/)(tests?|__tests__|spec|e2e)/|(^|/)(test_|conftest)|[._](test|spec)s?\.")


@dataclass(frozen=True, slots=True)
class Taken:
    """A name that the file uses, and what it stands for."""

    name: str
    imported: Import
    found: Found


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that the index says; ``taken`` and ``exports`` are what servers are asked."""

    sections: tuple[Section, ...]
    taken: tuple[Taken, ...]
    exports: tuple[Export, ...]
    notes: tuple[str, ...]


def gather(view: View, change: Change, text: str, failures: Sequence[Failure]) -> Gathered:
    """Return what is to be said of a file, whose present text is given."""
    imports = view.imports(change.path)
    taken = list(_taken(view, change, imports))
    ranked = _ranked(taken, text, change.written)
    exports = view.exports(change.path)
    notes = (
        [] if view.built else ["the index is still being built: who uses this file is not known"]
    )
    if view.late:
        notes.append("there was no time to read every file that is not in the index yet")
    sections = [
        declarations(ranked, change),
        dependents(change.path, users_of(view, change.path, (one.name for one in exports))),
        _imports(view, change.path, imports),
        _beside(view, change.path, imports),
        _history(change.path, failures),
    ]
    told = tuple(each for each in sections if each.count)
    return Gathered(told, tuple(ranked), tuple(exports), tuple(notes))


def is_test(path: str) -> bool:
    """Whether a file is one of tests, by its name."""
    return bool(_TEST.search(path))


def _taken(view: View, change: Change, imports: Sequence[Import]) -> Iterator[Taken]:
    left = _MOST_NAMES
    for one in imports:
        target = view.target(change.path, one.module)
        for name, wanted in _wanted(one, change):
            if left <= 0:
                return
            found = _stands_for(view, change.path, one, target, wanted)
            left -= 1
            for each in found:
                if each.declared is not None and each.path != change.path:
                    yield Taken(name, one, each)
                elif each.declared is None and one.name not in {WHOLE, ALL}:
                    yield from _of_module(view, one, each.path)


def _wanted(one: Import, change: Change) -> Iterator[tuple[str, str]]:
    """Yield the names that an import gives, as the file writes them and as they are exported."""
    if one.name == ALL:
        words = dict.fromkeys(_WORD.findall(change.written))
        yield from ((word, word) for word in list(words)[:40])
    elif one.name == WHOLE:
        # Longer names first to be found in a text; here each as it is written.
        yield from ((f"{one.local}.{name}", name) for name, _ in one.used)
    elif one.name:
        yield one.local or one.name, one.name


def _stands_for(view: View, path: str, one: Import, target: str | None, wanted: str) -> list[Found]:
    found = view.find(target, wanted) if target is not None else []
    if found or one.name in {ALL, WHOLE}:
        return found
    deeper = view.target(path, f"{one.module}\n{one.name}")
    return [Found(deeper, None)] if deeper else []


def _of_module(view: View, one: Import, module: str) -> Iterator[Taken]:
    """Yield what is asked of a module that was imported under a name."""
    for name, _ in one.used:
        for each in view.find(module, name):
            if each.declared is not None:
                yield Taken(f"{one.local}.{name}", one, each)


def _ranked(taken: Sequence[Taken], text: str, written: str) -> list[Taken]:
    """Return them, each declaration once: what the edit names first, then what is used most."""
    edit = Counter(_WORD.findall(written))
    once: dict[tuple[str, int, str], Taken] = {}
    for each in taken:
        declared = each.found.declared
        if declared is not None:
            once.setdefault((each.found.path, declared.line, declared.name), each)

    def rank(each: Taken) -> tuple[int, int, int]:
        word = each.name.rpartition(".")[2]
        return (-int(word in edit), -edit[word], -text.count(word, 0, _MOST_COUNTED))

    return sorted(once.values(), key=rank)


def declarations(ranked: Sequence[Taken], change: Change) -> Section:
    """Return the section of what the names stand for."""
    written = set(_WORD.findall(change.written))
    items = [
        _declaration(each, each.found.declared, written)
        for each in ranked
        if each.found.declared is not None
    ]
    return Section(Kind.DECLARATIONS, Source.SYNTAX, tuple(items), len(items))


def _declaration(each: Taken, declared: Declared, written: set[str]) -> Item:
    used = each.name.rpartition(".")[2] in written
    where = f"imported on line {each.imported.line}" if each.imported.module else "same package"
    alias = f" as {each.name}" if each.name != declared.name else ""
    why = f"{where}{alias}{'; the edit names it' if used else ''}"
    key = "\n".join((declared.text, *declared.members))
    return Item(
        each.found.path,
        declared.line,
        declared.name,
        declared.text,
        why,
        declared.members,
        named=used,
        key=key,
    )


def dependents(path: str, users: Mapping[str, Mapping[str, int]]) -> Section:
    """Return the section of who uses what the file exports: those that use most, tests too."""
    tests = [user for user in users if is_test(user)]
    others = [user for user in users if user not in set(tests)]
    ordered = [*_most(users, others), *_most(users, tests)]
    # Tests say what is expected of the file: two of the places are theirs, if there are any.
    kept = min(2, len(tests)) if len(others) > MOST_DEPENDENTS - 2 else len(tests)
    some = _most(users, others)[: MOST_DEPENDENTS - kept]
    chosen = [*some, *_most(users, tests)[: MOST_DEPENDENTS - len(some)]]
    items = tuple(_dependent(user, users[user], path) for user in chosen)
    return Section(
        Kind.DEPENDENTS, Source.SYNTAX, items, len(users), tests=len(tests), paths=tuple(ordered)
    )


def _most(users: Mapping[str, Mapping[str, int]], some: Iterable[str]) -> list[str]:
    return sorted(some, key=lambda user: (-len(users[user]), user))


def _dependent(user: str, names: Mapping[str, int], path: str) -> Item:
    ordered = sorted(names, key=lambda name: (names[name], name))
    more = f" and {len(ordered) - 4} more" if len(ordered) > 4 else ""
    said = f"{', '.join(ordered[:4])}{more}"
    mark = " (test)" if is_test(user) else ""
    why = f"uses {len(ordered)} of the names that {path} exports"
    return Item(user, min(names.values()), said, f"{said}{mark}", why)


def _imports(view: View, path: str, imports: Sequence[Import]) -> Section:
    items = []
    for one in imports:
        if one.name == ALL and one.module == ".":
            continue  # Go's own package, which no line imports.
        target = view.target(path, one.module)
        group = f"{one.module} → {target}" if target else one.module
        shown = {"": "(for its effect)", WHOLE: f"* as {one.local}", ALL: "*"}.get(one.name)
        alias = f" as {one.local}" if one.local and one.local != one.name else ""
        name = one.local or one.name or one.module
        text = shown or f"{one.name}{alias}"
        items.append(Item(path, one.line, name, text, f"line {one.line} imports it", group=group))
    return Section(Kind.IMPORTS, Source.SYNTAX, tuple(items), len(items))


def _beside(view: View, path: str, imports: Sequence[Import]) -> Section:
    """Return what the modules that the file imports export beside what it takes."""
    taken: dict[str, set[str]] = {}
    for one in imports:
        target = view.target(path, one.module)
        if target is not None and target != path and one.module != ".":
            names = {name for name, _ in one.used} if one.name == WHOLE else {one.name}
            taken.setdefault(target, set()).update(names)
    items: list[tuple[int, Item]] = []
    count = 0
    for target, names in taken.items():
        found = _offers(view, target, names)
        count += len(found)
        why = f"exported by {target}, from which the file already imports"
        for n, (where, each) in enumerate(list(found.values())[:_MOST_EXPORTS]):
            placed = (where, each.line)
            if len(items) < _MOST_PLACED and each.module:
                placed = _placed(view, where, each)
            group = target if placed[0] == target else f"{target} from {placed[0]}"
            item = Item(*placed, each.name, f"{each.name}:{placed[1]}", why, group=group)
            items.append((n // _AT_ONCE, item))
    # A few of each module, then a few more: a large one must not hide the others.
    ordered = tuple(item for _, item in sorted(items, key=lambda each: each[0]))
    return Section(Kind.EXPORTS, Source.SYNTAX, ordered, count)


def _offers(view: View, path: str, names: set[str]) -> dict[str, tuple[str, Export]]:
    """Return what a module exports beside these names, with the file that names it."""
    found: dict[str, tuple[str, Export]] = {}
    seen, waiting = {path}, [path]
    while waiting and len(seen) < _MOST_BARRELS:
        here = waiting.pop(0)
        for each in view.exports(here):
            if each.name == ALL:
                target = view.target(here, each.module)
                if target is not None and target not in seen:
                    seen.add(target)
                    waiting.append(target)
            elif _is_offer(view, here, each, names) and (here == path or each.name != DEFAULT):
                found.setdefault(each.name, (here, each))
    return found


def _is_offer(view: View, path: str, each: Export, names: set[str]) -> bool:
    if each.name in names or each.name == "export=" or each.hidden:
        return False
    return _offered(view, path, each)


def _placed(view: View, path: str, each: Export) -> tuple[str, int]:
    """Return where a name that is passed on is declared, if that can be told."""
    for found in view.find(path, each.name):
        if found.declared is not None:
            return found.path, found.declared.line
    return path, each.line


def _offered(view: View, path: str, export: Export) -> bool:
    """Whether a name is there to be taken: what a module of Python imports is not, but it can."""
    if export.local or not path.endswith((".py", ".pyi")):
        return True
    package = path.rpartition("/")[2].startswith("__init__.")
    return package and export.original != WHOLE and view.target(path, export.module) is not None


def _history(path: str, failures: Sequence[Failure]) -> Section:
    items = []
    for each in failures:
        day = datetime.fromtimestamp(each.ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
        said = " ".join(each.text.split())[:160]
        why = f"event {each.seq} of the ledger"
        items.append(Item(path, 0, each.what, f"{day} {each.what}: {said}", why))
    return Section(Kind.HISTORY, Source.SYNTAX, tuple(items), len(items))
