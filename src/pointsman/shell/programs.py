"""What well-known programs do to the paths among their words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pointsman.shell.effects import Effect, Invocation, Kind
from pointsman.shell.interpreters import code_effects
from pointsman.shell.walk import resolve


@dataclass(frozen=True, slots=True)
class _Paths:
    """A program whose plain words are paths that all suffer the same.

    ``last_only`` keeps the last one (the destination of ``cp``), ``first`` skips words before
    the paths (the mode of ``chmod``), ``with_value`` are options that take the next word.
    """

    kind: Kind
    first: int = 0
    last_only: bool = False
    with_value: frozenset[str] = frozenset()


_PROGRAMS: Mapping[str, _Paths] = {
    "rmdir": _Paths(Kind.DELETE),
    "unlink": _Paths(Kind.DELETE),
    "shred": _Paths(Kind.DELETE, with_value=frozenset({"-n", "-s"})),
    "truncate": _Paths(Kind.WRITE, with_value=frozenset({"-s", "-r", "--size", "--reference"})),
    "tee": _Paths(Kind.WRITE),
    "touch": _Paths(Kind.WRITE, with_value=frozenset({"-d", "-r", "-t"})),
    "mkdir": _Paths(Kind.WRITE, with_value=frozenset({"-m"})),
    "cp": _Paths(Kind.WRITE, last_only=True, with_value=frozenset({"-t", "-S"})),
    "install": _Paths(Kind.WRITE, last_only=True, with_value=frozenset({"-m", "-o", "-g", "-t"})),
    "ln": _Paths(Kind.WRITE, last_only=True, with_value=frozenset({"-t", "-S"})),
    "rsync": _Paths(Kind.WRITE, last_only=True, with_value=frozenset({"-e", "--exclude"})),
    "chmod": _Paths(Kind.CHMOD, first=1),
    "chown": _Paths(Kind.CHMOD, first=1),
    "chgrp": _Paths(Kind.CHMOD, first=1),
    "chattr": _Paths(Kind.CHMOD, first=1),
    "setfacl": _Paths(Kind.CHMOD, with_value=frozenset({"-m", "-x", "-M", "-X"})),
    "patch": _Paths(Kind.WRITE, with_value=frozenset({"-p", "-i", "-d", "-o"})),
}
_WRITING = frozenset({">", ">>", ">|", "&>", "&>>", ">&", "<>"})


def effects_of(each: Invocation) -> Iterator[Effect]:
    """Yield what one invocation does to files."""
    for redirect in each.redirects:
        kind = Kind.WRITE if redirect.operator in _WRITING else Kind.READ
        yield Effect(kind, redirect.target, f"redirection {redirect.operator}")
    special = _SPECIAL.get(each.program)
    if special is not None:
        yield from special(each)
    elif each.program in _PROGRAMS:
        yield from _by_table(each, _PROGRAMS[each.program])
    yield from code_effects(each)


def plain_words(each: Invocation, with_value: frozenset[str] = frozenset()) -> list[str]:
    """Return the words that are neither options nor their values."""
    words, index = each.argv, 1
    out: list[str] = []
    while index < len(words):
        word = words[index]
        if word == "--":
            return out + list(words[index + 1 :])
        if word.startswith("-") and len(word) > 1:
            index += 2 if word in with_value else 1
        else:
            out.append(word)
            index += 1
    return out


def options(each: Invocation) -> set[str]:
    """Return the options, short ones one by one (``-rf`` is ``-r`` and ``-f``)."""
    out: set[str] = set()
    for word in each.argv[1:]:
        if word == "--":
            break
        if word.startswith("--"):
            out.add(word.partition("=")[0])
        elif word.startswith("-"):
            out.update(f"-{char}" for char in word[1:])
    return out


def _by_table(each: Invocation, program: _Paths) -> Iterator[Effect]:
    words = plain_words(each, program.with_value)[program.first :]
    target = _option_value(each, "-t", "--target-directory")
    if program.last_only and target is not None:
        words = [target]
    elif program.last_only:
        words = words[-1:] if len(words) > 1 else []
    for word in words:
        yield Effect(program.kind, resolve(word, each.cwd), each.program)


def _option_value(each: Invocation, *names: str) -> str | None:
    for index, word in enumerate(each.argv[:-1]):
        if word in names:
            return each.argv[index + 1]
        if word.partition("=")[0] in names and "=" in word:
            return word.partition("=")[2]
    return None


def _rm(each: Invocation) -> Iterator[Effect]:
    tree = options(each) & {"-r", "-R", "--recursive"}
    for word in plain_words(each):
        kind = Kind.DELETE_TREE if tree else Kind.DELETE
        yield Effect(kind, resolve(word, each.cwd), each.program)


def _mv(each: Invocation) -> Iterator[Effect]:
    words = plain_words(each, frozenset({"-t", "-S"}))
    target = _option_value(each, "-t", "--target-directory")
    sources = words if target is not None else words[:-1]
    for word in sources:
        yield Effect(Kind.MOVE, resolve(word, each.cwd), each.program)
    for word in [target] if target is not None else words[-1:]:
        yield Effect(Kind.WRITE, resolve(word, each.cwd), each.program)


def _dd(each: Invocation) -> Iterator[Effect]:
    for word in each.argv[1:]:
        if word.startswith("of="):
            yield Effect(Kind.WRITE, resolve(word[3:], each.cwd), "dd of=")


def _sed(each: Invocation) -> Iterator[Effect]:
    given = options(each)
    in_place = any(word.startswith(("-i", "--in-place")) for word in each.argv[1:]) or "-i" in given
    if not in_place:
        return
    words = plain_words(each, frozenset({"-e", "-f", "--expression", "--file"}))
    scripted = given & {"-e", "-f", "--expression", "--file"}
    for word in words if scripted else words[1:]:
        yield Effect(Kind.WRITE, resolve(word, each.cwd), f"{each.program} -i")


def _perl(each: Invocation) -> Iterator[Effect]:
    if "-i" not in options(each):
        return
    for word in plain_words(each, frozenset({"-e", "-pe", "-ne", "-E"}))[:]:
        yield Effect(Kind.WRITE, resolve(word, each.cwd), "perl -i")


def _downloads(each: Invocation) -> Iterator[Effect]:
    target = _option_value(each, "-o", "-O", "--output", "--output-document")
    if target is not None and not (each.program == "curl" and "-O" in each.argv):
        yield Effect(Kind.WRITE, resolve(target, each.cwd), each.program)


def _find(each: Invocation) -> Iterator[Effect]:
    if "-delete" in each.argv:
        for word in each.argv[1:]:
            if word.startswith(("-", "(", "!")):
                break
            yield Effect(Kind.DELETE_TREE, resolve(word, each.cwd), "find -delete")


def _tar(each: Invocation) -> Iterator[Effect]:
    first = each.argv[1] if len(each.argv) > 1 else ""
    if ("x" in first.lstrip("-") and not first.startswith("--")) or "--extract" in each.argv:
        target = _option_value(each, "-C", "--directory") or "."
        yield Effect(Kind.WRITE, resolve(target, each.cwd), "tar -x")


def _git(each: Invocation) -> Iterator[Effect]:
    words = plain_words(each, frozenset({"-C", "-c", "--git-dir", "--work-tree"}))
    if words[:1] in (["rm"], ["mv"], ["checkout"], ["restore"]):
        kind = {"rm": Kind.DELETE, "mv": Kind.MOVE}.get(words[0], Kind.WRITE)
        base = _option_value(each, "-C")
        cwd = resolve(base, each.cwd) if base else each.cwd
        for word in words[1:]:
            yield Effect(kind, resolve(word, cwd), f"git {words[0]}")


_SPECIAL: Mapping[str, Callable[[Invocation], Iterator[Effect]]] = {
    "rm": _rm,
    "mv": _mv,
    "dd": _dd,
    "sed": _sed,
    "gsed": _sed,
    "perl": _perl,
    "curl": _downloads,
    "wget": _downloads,
    "find": _find,
    "tar": _tar,
    "git": _git,
}
