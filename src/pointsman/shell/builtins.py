"""What the shell's own commands change in what it knows."""

import re
from collections.abc import Callable, Mapping

from pointsman.shell.arithmetic import evaluate
from pointsman.shell.batches import listed
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.printed import formatted
from pointsman.shell.state import Feed, State, Variable, resolve

_MOST_ITEMS = 512


def follow(words: tuple[str, ...], state: State, feed: Feed) -> None:
    """Let a command change what the shell knows; nothing for any other program."""
    change = _BUILTINS.get(words[0]) if words else None
    if change is not None:
        change(words, state, feed)


def is_builtin(name: str) -> bool:
    """Whether a command changes the shell itself."""
    return name in _BUILTINS


def assign(state: State, name: str, text: str, *, exported: bool = False) -> None:
    """Give a variable, or an item of a list, a value."""
    base, bracket, rest = name.partition("[")
    if not bracket:
        state.set(name, text, exported=exported)
        if state.array(name) is not None:
            state.put(f"list {name}", {**(state.array(name) or {}), "0": text})
        return
    key = rest.removesuffix("]").strip("\"'")
    number = evaluate(key, state.get, state.set) if re.search(r"^[\d$+* -]+$", key) else None
    items = dict(state.array(base) or {})
    if len(items) < _MOST_ITEMS:
        items[key if number is None else str(number)] = text
    put_list(state, base, items)


def put_list(state: State, name: str, items: Mapping[str, str]) -> None:
    """Give a list its items."""
    state.put(f"list {name}", items)
    state.set(name, items.get("0", ""))


def _cd(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    plain = [word for word in words[1:] if not (word.startswith("-") and len(word) > 1)]
    if "-P" in words[1:-1]:
        # Where a link leads is not known here.
        state.go(UNKNOWN)
        return
    if words[0] == "pushd":
        stack = state.table.get("stack")
        below = stack if isinstance(stack, tuple) else ()
        state.put("stack", (state.cwd, *below[:32]))
    target = plain[0] if plain else state.get("HOME") or state.home
    if target == "-":
        state.go(state.get("OLDPWD") or UNKNOWN)
        return
    if target.startswith("+") and words[0] == "pushd":
        target = UNKNOWN
    state.go(resolve(target or ".", state.cwd))


def _popd(_words: tuple[str, ...], state: State, _feed: Feed) -> None:
    stack = state.table.get("stack")
    if isinstance(stack, tuple) and stack:
        state.put("stack", stack[1:])
        state.go(stack[0])
    else:
        state.go(UNKNOWN)


def _alias(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    for word in words[1:]:
        name, equals, text = word.partition("=")
        if equals:
            state.put(f"alias {name}", text)


def _unalias(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    for word in words[1:]:
        state.put(f"alias {word}", None)


def _set(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    rest = list(words[1:])
    while rest and rest[0][:1] in {"-", "+"} and rest[0] not in {"--", "-"}:
        rest = rest[2:] if rest[0] in {"-o", "+o"} else rest[1:]
        if not rest:
            return
    if rest and rest[0] in {"--", "-"}:
        rest = rest[1:]
    elif not rest:
        return
    state.put("arguments", tuple(rest) if len(rest) <= _MOST_ITEMS else None)


def _shift(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    given = state.arguments()
    count = int(words[1]) if len(words) > 1 and words[1].isdigit() else 1
    # Each turn copies what is left.
    if given is not None and len(given) <= _MOST_ITEMS:
        state.put("arguments", given[count:] if count <= len(given) else given)
    else:
        state.put("arguments", None)


def _unset(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    functions = "-f" in words
    for word in words[1:]:
        if word.startswith("-"):
            continue
        base, bracket, key = word.partition("[")
        items = state.array(base)
        if bracket and items is not None:
            kept = {each: text for each, text in items.items() if each != key.removesuffix("]")}
            put_list(state, base, kept)
        elif functions or f"function {word}" in state.table:
            state.put(f"function {word}", None)
        if not functions and not bracket:
            state.unset(word)


def _declare(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    exported = words[0] == "export" or any(re.fullmatch(r"-\w*x\w*", word) for word in words)
    for word in words[1:]:
        name, equals, text = word.partition("=")
        if equals and re.fullmatch(r"\w+(\[.*\])?\+?", name):
            if name.endswith("+"):
                name = name[:-1]
                text = (state.get(name) or "") + text
            assign(state, name, text, exported=exported)
        elif exported and name.isidentifier():
            export(state, name)


def export(state: State, name: str) -> None:
    """Let child processes see a variable."""
    found = state.table.get(name)
    if isinstance(found, Variable):
        state.put(name, Variable(found.value, found.shell, exported=True))


def _read(words: tuple[str, ...], state: State, feed: Feed) -> None:
    """``read a b`` from what the command is fed, as far as that is known."""
    names, array, end, given = [], "", "\n", list(words[1:])
    while given:
        word = given.pop(0)
        if word in {"-d", "-u", "-p", "-n", "-N", "-t", "-i", "-a"}:
            value = given.pop(0) if given else ""
            end = value[:1] or "\0" if word == "-d" else end
            array = value if word == "-a" else array
        elif not word.startswith("-"):
            names.append(word)
    line = _line_of(words, feed, end)
    if (
        line is not None
        and "\\" in line
        and not any(re.fullmatch(r"-\w*r\w*", word) for word in words)
    ):
        line = re.sub(r"\\(.)", r"\1", line)
    marks = state.get("IFS") or ""
    if array:
        parts = _parts(line, marks, 0) if line is not None else [UNKNOWN]
        put_list(state, array, {str(at): part for at, part in enumerate(parts[:_MOST_ITEMS])})
        return
    names = names or ["REPLY"]
    parts = [UNKNOWN] * len(names) if line is None else _parts(line, marks, len(names))
    for index, name in enumerate(names):
        if re.fullmatch(r"\w+(\[.*\])?", name):
            assign(state, name, parts[index] if index < len(parts) else "")


def _line_of(words: tuple[str, ...], feed: Feed, end: str) -> str | None:
    if feed.text is not None:
        return feed.line(end) or ""
    names = listed(Invocation(words, "", fed_by=feed.by))
    return " ".join(names) if feed.by else None


def _parts(line: str, marks: str, most: int) -> list[str]:
    """Cut a line at ``IFS``; the last of so many parts keeps the rest."""
    if not marks:
        return [line]
    space = "".join(mark for mark in marks if mark in " \t\n")
    others = re.escape("".join(mark for mark in marks if mark not in " \t\n"))
    white = re.escape(space)
    gap = (
        f"[{white}]*[{others}][{white}]*|[{white}]+" if others and white
        else f"[{others or white}]" + ("" if others else "+")
    )  # fmt: skip
    return (
        re.split(gap, line.strip(space), maxsplit=max(most - 1, 0) if most else 0)
        if most != 1
        else [line.strip(space)]
    )


def _mapfile(words: tuple[str, ...], state: State, feed: Feed) -> None:
    plain = [word for word in words[1:] if not word.startswith("-")]
    name = plain[-1] if plain else "MAPFILE"
    text = feed.rest
    if text is None:
        put_list(state, name, {"0": UNKNOWN})
        return
    keep = "" if any(re.fullmatch(r"-\w*t\w*", word) for word in words) else "\n"
    lines = text.removesuffix("\n").split("\n")[:_MOST_ITEMS] if text else []
    put_list(state, name, {str(at): line + keep for at, line in enumerate(lines)})


def _printf(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    if words[1:2] == ("-v",) and len(words) > 3:
        text = formatted(words[3], list(words[4:]))
        if re.fullmatch(r"\w+(\[.*\])?", words[2]):
            assign(state, words[2], text)


def _let(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    for word in words[1:]:
        if evaluate(word, state.get, state.set) is None:
            for name in re.findall(r"([A-Za-z_]\w*)\s*(?:[-+*/%&|^]?=|\+\+|--)", word):
                state.set(name, UNKNOWN)


def _getopts(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    for name in (*words[2:3], "OPTARG", "OPTIND"):
        state.set(name, UNKNOWN)


def _trap(words: tuple[str, ...], state: State, _feed: Feed) -> None:
    plain = [word for word in words[1:] if word not in {"--", "-p", "-l"}]
    if len(plain) > 1 and {"EXIT", "0", "exit"} & set(plain[1:]):
        state.put("trap EXIT", plain[0] if plain[0] != "-" else None)


_BUILTINS: Mapping[str, Callable[[tuple[str, ...], State, Feed], None]] = {
    "cd": _cd,
    "chdir": _cd,
    "pushd": _cd,
    "popd": _popd,
    "alias": _alias,
    "unalias": _unalias,
    "set": _set,
    "shift": _shift,
    "unset": _unset,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "printf": _printf,
    "let": _let,
    "getopts": _getopts,
    "trap": _trap,
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), _declare),
}
