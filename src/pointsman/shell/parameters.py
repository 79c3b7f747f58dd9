"""``${…}``: defaults, prefixes and suffixes, replacing, parts, case, lists, names of names."""

import re
from collections.abc import Callable, Iterator, Mapping

from tree_sitter import Node

from pointsman.shell.arithmetic import evaluate
from pointsman.shell.effects import UNKNOWN
from pointsman.shell.escapes import unescape
from pointsman.shell.patterns import matches, replaced, without_prefix, without_suffix
from pointsman.shell.words import LITERAL, QUOTED, SPLIT, Expander, Piece, listed

_FORM = re.compile(
    rb"\$\{\s*([!#]?)(\w+|[@*#?$!-])(?:\[([^\]]*)\])?"
    rb"(:?[-=+?]|##?|%%?|//|/#|/%|/|\^\^?|,,?|@[a-zA-Z]|:|[@*](?=\}))?"
)


def parameter(expander: Expander, node: Node) -> Iterator[Piece]:
    """Yield what a ``${…}`` is as pieces."""
    found = _FORM.match(expander.source, node.start_byte, node.end_byte)
    if found is None:
        yield UNKNOWN, SPLIT
        return
    sort, name, index, operator = ((each or b"").decode() for each in found.groups())
    start, end = found.end(), node.end_byte - 1
    if sort == "#" and not operator and start == end:
        yield _length(expander, name, index), SPLIT
        return
    # `"${x[*]}"` is one word, `"${x[@]}"` as many as there are items.
    one = index == "*" and node.parent is not None and node.parent.type == "string"
    if sort == "!":
        yield from _indirect(expander, name, index, operator, (node, start, end))
        return
    values = _values(expander, name, index)
    if operator in _DEFAULTS:
        yield from _default(expander, (name, values), operator, (node, start, end))
    elif not operator:
        whole = start == end
        yield from listed(values if whole else None, one=one)
    elif values is None:
        yield UNKNOWN, SPLIT
    elif operator == ":" and index + name in {"@", "*", f"@{name}", f"*{name}"}:
        items = expander.state.array(name) if index else None
        yield from listed(_slice(expander, items or values, start, end), one=one)
    else:
        change = _changer(expander, operator, (node, start, end))
        yield from listed([change(each) for each in values], one=one)


def _values(expander: Expander, name: str, index: str) -> list[str] | None:
    """Return the values that a name stands for: one, or all of a list; ``None`` unknown."""
    state = expander.state
    if name in {"@", "*"} or name.isdigit() or name == "#":
        pieces = list(expander.value_of(name))
        texts = [text for text, kind in pieces if kind == SPLIT]
        return None if UNKNOWN in texts else texts
    value = state.get(name)
    one = None if value is None else [value]
    items = state.array(name)
    if index in {"@", "*"}:
        return one if items is None else list(items.values())
    return _item(expander, name, index, one) if index else one


def _item(expander: Expander, name: str, index: str, one: list[str] | None) -> list[str] | None:
    """Return the item of a list; a variable is a list of one."""
    key = _key(expander, index)
    items = expander.state.array(name)
    if items is None:
        return one if key == "0" or one is None else [""]
    if key.startswith("-") and key[1:].isdigit():
        known, at = list(items.values()), int(key)
        return [known[at]] if -at <= len(known) else [""]
    return [items.get(key, "" if UNKNOWN not in key else UNKNOWN)]


def _key(expander: Expander, index: str) -> str:
    """Return the key of an item: a number that is worked out, or a name."""
    text = re.sub(r"\$\{?(\w+)\}?", lambda found: expander.state.get(found[1]) or UNKNOWN, index)
    text = text.strip("\"'")
    if re.fullmatch(r"[-+*/%() \w]+", text) and re.search(r"\d", text):
        value = evaluate(text, expander.state.get, expander.state.set)
        return text if value is None else str(value)
    return text


def _length(expander: Expander, name: str, index: str) -> str:
    values = _values(expander, name, index)
    if values is None or any(UNKNOWN in each for each in values):
        return UNKNOWN
    counts = index in {"@", "*"} or name in {"@", "*"}
    return str(len(values) if counts else len(values[0]))


def _indirect(
    expander: Expander, name: str, index: str, operator: str, rest: tuple[Node, int, int]
) -> Iterator[Piece]:
    """``${!x}``: the variable whose name is the value; ``${!x[@]}``: the keys of a list."""
    state = expander.state
    if index in {"@", "*"}:
        items = state.array(name)
        yield from listed(None if items is None else list(items))
        return
    if operator in {"@", "*"}:
        # `${!GIT@}`: the names that begin so.
        names = sorted(each for each in state.table if each.startswith(name) and state.is_set(each))
        yield from listed(names)
        return
    target = (_values(expander, name, index) or [UNKNOWN])[0]
    found = re.fullmatch(r"(\w+|[@*])(?:\[([^\]]*)\])?", target)
    if found is None:
        yield UNKNOWN, SPLIT
        return
    values = _values(expander, found[1], found[2] or "")
    if operator in _DEFAULTS:
        yield from _default(expander, (found[1], values), operator, rest)
    else:
        yield from listed(values if not operator else None)


_DEFAULTS = frozenset({"-", ":-", "=", ":=", "+", ":+", "?", ":?"})


def _default(
    expander: Expander,
    subject: tuple[str, list[str] | None],
    operator: str,
    rest: tuple[Node, int, int],
) -> Iterator[Piece]:
    """``${x:-y}`` and its like; a name that was never set here is taken for unset."""
    name, values = subject
    unset = values is None or (not expander.state.is_set(name) and not values[0])
    empty = unset or (operator.startswith(":") and not any(values or ()))
    if operator.endswith("+"):
        if values is None or UNKNOWN in values:
            yield UNKNOWN, SPLIT
        elif not empty:
            yield from _bare(expander, rest)
        else:
            yield "", LITERAL
        return
    if not empty:
        yield from listed(values)
        return
    if operator.endswith("?"):
        yield UNKNOWN if values is None else "", SPLIT
        return
    pieces = list(_bare(expander, rest))
    if operator.endswith("="):
        node, start, end = rest
        del node
        # `${x:=…}` keeps the value; of a position it may not.
        text = "".join(text for text, _ in pieces)
        if end > start and name.isidentifier():
            expander.state.set(name, text)
    yield from pieces


def _bare(expander: Expander, rest: tuple[Node, int, int]) -> Iterator[Piece]:
    """Yield the word behind an operator; bare text in it is split like any value."""
    quoted = rest[0].parent is not None and rest[0].parent.type == "string"
    for text, kind in expander.between(*rest):
        yield text, QUOTED if quoted and kind == LITERAL else SPLIT if kind == LITERAL else kind


def _slice(
    expander: Expander, values: list[str] | Mapping[str, str], start: int, end: int
) -> list[str] | None:
    """``${@:2}``, ``${x[@]:1:2}``: of a list by its keys, which may have gaps."""
    bounds = _bounds(expander, start, end)
    if bounds is None:
        return None
    first, count = bounds
    if isinstance(values, Mapping):
        if not all(key.isdigit() for key in values):
            return None
        last = max(map(int, values), default=-1)
        # Counted from the end it is from the highest key, however few items there are.
        least = first if first >= 0 else last + 1 + first
        kept = [text for key, text in sorted(values.items(), key=_place) if int(key) >= least]
        return kept if count is None else kept[: max(count, 0)]
    arguments = expander.source[: start - 1].endswith((b"@", b"*"))
    # Of arguments `:0` is the shell's own name, of a list it is the first item.
    if arguments:
        values = ["bash", *values]
    first = first if first >= 0 else max(len(values) + first, 0)
    return values[first:] if count is None else values[first : first + max(count, 0)]


def _place(item: tuple[str, str]) -> int:
    return int(item[0])


def _bounds(expander: Expander, start: int, end: int) -> tuple[int, int | None] | None:
    text = expander.cut(start, end)
    text = re.sub(r"\$\{?(\w+)\}?", lambda found: expander.state.get(found[1]) or UNKNOWN, text)
    first, colon, count = text.partition(":")
    values = [
        evaluate(each, expander.state.get, expander.state.set) if each.strip() else 0
        for each in (first, count)
    ]
    if values[0] is None or values[1] is None:
        return None
    return values[0], values[1] if colon else None


def _changer(
    expander: Expander, operator: str, rest: tuple[Node, int, int]
) -> Callable[[str], str]:
    """Return what an operator makes of one value."""
    if operator == ":":
        bounds = _bounds(expander, rest[1], rest[2])
        return lambda text: UNKNOWN if bounds is None else _part(text, *bounds)
    if operator[0] in "^,":
        pattern = _pattern(expander, rest)
        return lambda text: _cased(text, operator, pattern)
    if operator[0] == "@":
        return lambda text: _transformed(text, operator[1])
    if operator[0] == "/":
        pattern, by = _replacement(expander, rest)
        return lambda text: _known(text, pattern, replaced(text, pattern, by, operator[1:]))
    pattern = _pattern(expander, rest)
    longest = len(operator) == 2
    if operator[0] == "#":
        return lambda text: _known(text, pattern, without_prefix(text, pattern, longest=longest))
    return lambda text: _known(text, pattern, without_suffix(text, pattern, longest=longest))


def _known(text: str, pattern: str, found: str | None) -> str:
    return UNKNOWN if found is None or UNKNOWN in text + pattern else found


def _part(text: str, first: int, count: int | None) -> str:
    if UNKNOWN in text:
        return UNKNOWN
    first = first if first >= 0 else len(text) + first
    if first < 0:
        return ""
    end = len(text) if count is None else first + count if count >= 0 else len(text) + count
    return text[first : max(end, first)]


def _pattern(expander: Expander, rest: tuple[Node, int, int]) -> str:
    text = "".join(text for text, _ in expander.between(*rest))
    return expander.plain_pattern(text)


def _replacement(expander: Expander, rest: tuple[Node, int, int]) -> tuple[str, str]:
    node, start, end = rest
    cut = next(
        (child.start_byte for child in node.children
         if not child.is_named and child.type == "/" and child.start_byte >= start),
        end,
    )  # fmt: skip
    by = "".join(text for text, _ in expander.between(node, min(cut + 1, end), end))
    return _pattern(expander, (node, start, cut)), expander.unmarked(by)


def _cased(text: str, operator: str, pattern: str) -> str:
    def one(char: str) -> str:
        fits = not pattern or matches(char, pattern)
        return (char.upper() if operator[0] == "^" else char.lower()) if fits else char

    if len(operator) == 1:
        return one(text[:1]) + text[1:]
    return "".join(map(one, text))


def _transformed(text: str, how: str) -> str:
    if how in "UuL":
        return {"U": text.upper(), "L": text.lower(), "u": text[:1].upper() + text[1:]}[how]
    if how == "E":
        return unescape(text)
    return "'" + text.replace("'", "'\\''") + "'" if how in "QK" else UNKNOWN
