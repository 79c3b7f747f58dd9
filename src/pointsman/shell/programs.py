"""What well-known programs do to the paths among their words.

A row or a reader may yield an effect of any kind; what is about no file goes into ``acts.py``.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from pointsman.shell.acts import acts_of
from pointsman.shell.arguments import has_long, option_value, options, plain_words
from pointsman.shell.effects import ACTS, UNKNOWN, Effect, Invocation, Kind
from pointsman.shell.finding import find_deletes, find_places
from pointsman.shell.git import git_command, git_effects
from pointsman.shell.interpreters import code_effects
from pointsman.shell.state import resolve

__all__ = [
    "changes_by_words", "effects_of", "git_command", "has_long", "options", "plain_words",
]  # fmt: skip


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


def _some(*names: str) -> frozenset[str]:
    return frozenset(names)


_PROGRAMS: Mapping[str, _Paths] = {
    "rmdir": _Paths(Kind.DELETE),
    "unlink": _Paths(Kind.DELETE),
    "shred": _Paths(Kind.DELETE, with_value=_some("-n", "-s")),
    "srm": _Paths(Kind.DELETE),
    "wipe": _Paths(Kind.DELETE),
    "rimraf": _Paths(Kind.DELETE_TREE),
    "trash": _Paths(Kind.DELETE_TREE),
    "trash-put": _Paths(Kind.DELETE_TREE),
    "truncate": _Paths(Kind.WRITE, with_value=_some("-s", "-r", "--size", "--reference")),
    "tee": _Paths(Kind.WRITE),
    "sponge": _Paths(Kind.WRITE),
    "touch": _Paths(Kind.WRITE, with_value=_some("-d", "-r", "-t")),
    "mkdir": _Paths(Kind.WRITE, with_value=_some("-m")),
    "mkfifo": _Paths(Kind.WRITE, with_value=_some("-m")),
    "mknod": _Paths(Kind.WRITE, with_value=_some("-m")),
    "ed": _Paths(Kind.WRITE, with_value=_some("-p")),
    "ex": _Paths(Kind.WRITE, with_value=_some("-c", "-S", "-u")),
    "vi": _Paths(Kind.WRITE, with_value=_some("-c", "-S", "-u")),
    "vim": _Paths(Kind.WRITE, with_value=_some("-c", "-S", "-u", "--cmd")),
    "nvim": _Paths(Kind.WRITE, with_value=_some("-c", "-S", "-u", "--cmd")),
    "emacs": _Paths(Kind.WRITE, with_value=_some("-f", "-l", "--eval", "-e")),
    "nano": _Paths(Kind.WRITE),
    "mount": _Paths(Kind.WRITE, last_only=True, with_value=_some("-t", "-o")),
    "umount": _Paths(Kind.MOVE),
    "cp": _Paths(Kind.WRITE, last_only=True, with_value=_some("-t", "-S")),
    "scp": _Paths(Kind.WRITE, last_only=True, with_value=_some("-i", "-o", "-P", "-F", "-c", "-l")),
    "install": _Paths(Kind.WRITE, last_only=True, with_value=_some("-m", "-o", "-g", "-t")),
    "ln": _Paths(Kind.WRITE, last_only=True, with_value=_some("-t", "-S")),
    "objcopy": _Paths(Kind.WRITE, with_value=_some("-O", "-I")),
    "strip": _Paths(Kind.WRITE),
    "chattr": _Paths(Kind.CHMOD, first=1),
    "setfacl": _Paths(Kind.CHMOD, with_value=_some("-m", "-x", "-M", "-X")),
    "patch": _Paths(Kind.WRITE, with_value=_some("-p", "-i", "-d", "-o")),
}
_MOST_SOURCES = 512
_WRITING = frozenset({">", ">>", ">|", "&>", "&>>", ">&", "<>"})


@lru_cache(maxsize=512)
def effects_of(each: Invocation) -> tuple[Effect, ...]:
    """Return what one invocation does to files; every rule asks, it is worked out once."""
    return tuple(_effects(each))


def _effects(each: Invocation) -> Iterator[Effect]:
    for redirect in each.redirects:
        kind = Kind.WRITE if redirect.operator in _WRITING else Kind.READ
        yield Effect(kind, redirect.target, f"redirection {redirect.operator}")
    special = _SPECIAL.get(each.program)
    if special is not None:
        yield from special(each)
    elif each.program in _PROGRAMS:
        yield from _by_table(each, _PROGRAMS[each.program])
    yield from code_effects(each)
    yield from acts_of(each)


def changes_by_words(program: str) -> bool:
    """Whether it is known what this program does to the paths among its words."""
    return program in _PROGRAMS or program in _SPECIAL


def _by_table(each: Invocation, program: _Paths) -> Iterator[Effect]:
    words = plain_words(each, program.with_value)[program.first :]
    if program.last_only:
        words = _destinations(each, words)
    for word in words:
        path = word if program.kind in ACTS else resolve(word, each.cwd)
        yield Effect(program.kind, path, each.program)


def _destinations(each: Invocation, words: list[str]) -> list[str]:
    """Return where files are put: the last word, and the names they would have in it."""
    target = option_value(each, "-t", "--target-directory")
    sources = words if target is not None else words[:-1]
    alone, linked = False, ""
    if target is None:
        several = len(words) == 1 and any(mark in words[0] for mark in "*?[")
        if several or not words:
            return words
        linked = posixpath.basename(words[-1].rstrip("/"))
        # One name alone is linked to here; a word that is not known may be none.
        alone = each.program == "ln" and (len(words) < 2 or UNKNOWN in words[:-1])
        if len(words) < 2:
            return [linked] if alone else []
        target = words[-1]
    names = (
        posixpath.basename(source.rstrip("/").rpartition(":")[2])
        for source in sources[:_MOST_SOURCES]
    )
    inside = [f"{target.rstrip('/')}/{name}" for name in names if name not in {"", ".", ".."}]
    return [target, *inside, *([linked] if alone else [])]


def _rm(each: Invocation) -> Iterator[Effect]:
    tree = options(each) & {"-r", "-R"} or has_long(each, "--recursive")
    for word in plain_words(each):
        kind = Kind.DELETE_TREE if tree else Kind.DELETE
        yield Effect(kind, resolve(word, each.cwd), each.program)


def _mv(each: Invocation) -> Iterator[Effect]:
    words = plain_words(each, _some("-t", "-S"))
    target = option_value(each, "-t", "--target-directory")
    for word in words if target is not None or len(words) == 1 else words[:-1]:
        yield Effect(Kind.MOVE, resolve(word, each.cwd), each.program)
    for word in _destinations(each, words):
        yield Effect(Kind.WRITE, resolve(word, each.cwd), each.program)


def _chmod(each: Invocation) -> Iterator[Effect]:
    """Say of a change of permissions or owner whether it may close what lies below."""
    given = options(each)
    words = plain_words(each, _some("--reference"))
    reference = "--reference" in given
    tree = bool(given & {"-R"}) or has_long(each, "--recursive")
    taken = next((word for word in each.argv[1:] if re.fullmatch(r"-[rwxXstugo]+", word)), "")
    mode = taken or ("" if reference or not words else words[0])
    opens = (
        re.fullmatch(r"[ugoa]*\+[rwxXst]+|[ugoa]*\+[rwxX]+(,[ugoa]*\+[rwxX]+)*", mode) is not None
    )
    keeps = (
        each.program == "chmod" and re.fullmatch(r"[0-7]?7[0-7]{2}|[ugoa]*\+\w+", mode) is not None
    )
    closes = not opens if tree else not keeps
    for word in words if reference or taken else words[1:]:
        what = f"{each.program}{' -R' if tree else ''}{' (closes)' if closes else ''}"
        yield Effect(Kind.CHMOD, resolve(word, each.cwd), what)


def _rsync(each: Invocation) -> Iterator[Effect]:
    words = plain_words(each, _some("-e", "--rsh", "--exclude", "--include", "-f", "--filter"))
    if len(words) < 2 or re.match(r"[^/]+:", words[-1]):
        return
    if any(word.startswith("--del") for word in each.argv[1:]):
        yield Effect(Kind.DELETE_TREE, resolve(words[-1], each.cwd), "rsync --delete")
    for word in _destinations(each, words):
        yield Effect(Kind.WRITE, resolve(word, each.cwd), each.program)


def _unzip(each: Invocation) -> Iterator[Effect]:
    if {"-l", "-t", "-v", "-p", "-Z", "-z"} & options(each):
        return
    base = option_value(each, "-d") or "."
    yield Effect(Kind.WRITE, resolve(base, each.cwd), "unzip")
    for word in plain_words(each, _some("-d", "-P", "-x"))[1:]:
        yield Effect(Kind.WRITE, resolve(f"{base}/{word}", each.cwd), "unzip")


def _compress(each: Invocation) -> Iterator[Effect]:
    """``gzip x`` takes ``x`` away, unless it is told to keep it or only to look."""
    kept = {"-c", "-k", "-l", "-t", "--keep", "--stdout", "--list", "--test"}
    moves = "-m" in each.argv if each.program == "zip" else not kept & options(each)
    words = plain_words(each)[1:] if each.program == "zip" else plain_words(each)
    for word in words if moves else ():
        yield Effect(Kind.DELETE, resolve(word, each.cwd), each.program)


def _output(*names: str) -> "Callable[[Invocation], Iterator[Effect]]":
    """Return the reader of a program that writes where one of these options says."""

    def read(each: Invocation) -> Iterator[Effect]:
        for index, word in enumerate(each.argv[1:], 1):
            name, equals, value = word.partition("=")
            if name in names and (equals or index + 1 < len(each.argv)):
                target = value if equals else each.argv[index + 1]
                yield Effect(Kind.WRITE, resolve(target, each.cwd), f"{each.program} {name}")
            elif word[:2] in names and len(word) > 2 and not word.startswith("--"):
                yield Effect(Kind.WRITE, resolve(word[2:], each.cwd), f"{each.program} {word[:2]}")

    return read


def _in_place(*names: str) -> "Callable[[Invocation], Iterator[Effect]]":
    """Return the reader of a program that edits its files where one of these options is given."""

    def read(each: Invocation) -> Iterator[Effect]:
        if any(word.partition("=")[0] in names for word in each.argv[1:]):
            for word in plain_words(each)[0:]:
                yield Effect(Kind.WRITE, resolve(word, each.cwd), f"{each.program} {names[0]}")

    return read


_AWK_FILE = re.compile(r">>?\s*\"([^\"]+)\"")


def _awk(each: Invocation) -> Iterator[Effect]:
    words = plain_words(each, _some("-v", "-F", "-f", "-i", "--include"))
    edits = any(word in {"inplace", "-iinplace", "--include=inplace"} for word in each.argv[1:])
    for word in words[1:] if edits else ():
        yield Effect(Kind.WRITE, resolve(word, each.cwd), f"{each.program} -i inplace")
    for found in _AWK_FILE.finditer(words[0][:65536] if words else ""):
        yield Effect(Kind.WRITE, resolve(found[1], each.cwd), f"{each.program} >")


def _dd(each: Invocation) -> Iterator[Effect]:
    for word in each.argv[1:]:
        if word.startswith("of="):
            yield Effect(Kind.WRITE, resolve(word[3:], each.cwd), "dd of=")


_SED_FILE = re.compile(r"(?:^|[;{}\n]|[0-9$]|/[gpiI0-9]*)\s*[wW]\s+([^;}\n]+)")


def _sed(each: Invocation) -> Iterator[Effect]:
    given = options(each)
    for word in each.argv[1:]:
        if not word.startswith("-") or word.startswith(("-e", "--expression=")):
            for found in _SED_FILE.finditer(word[:65536]):
                yield Effect(Kind.WRITE, resolve(found[1].strip(), each.cwd), f"{each.program} w")
    in_place = any(word.startswith(("-i", "--in-place")) for word in each.argv[1:]) or "-i" in given
    if not in_place:
        return
    words = plain_words(each, frozenset({"-e", "-f", "--expression", "--file"}))
    scripted = given & {"-e", "-f", "--expression", "--file"}
    for word in words if scripted else words[1:]:
        yield Effect(Kind.WRITE, resolve(word, each.cwd), f"{each.program} -i")


def _perl(each: Invocation) -> Iterator[Effect]:
    if not any(re.match(r"-[a-zA-Z]*i", word) for word in each.argv[1:]):
        return
    for word in plain_words(each, _some("-e", "-pe", "-ne", "-E")):
        yield Effect(Kind.WRITE, resolve(word, each.cwd), "perl -i")


_PUT_IN = ("-P", "--directory-prefix", "--output-dir")


def _downloads(each: Invocation) -> Iterator[Effect]:
    place = option_value(each, *_PUT_IN)
    if place is not None:
        for word in plain_words(each, _some(*_PUT_IN, "-o", "-O", "-H", "-d", "-X"))[
            :_MOST_SOURCES
        ]:
            name = posixpath.basename(re.split(r"[?#]", word, maxsplit=1)[0])
            yield Effect(Kind.WRITE, resolve(f"{place}/{name}", each.cwd), each.program)
    target = option_value(each, "-o", "-O", "--output", "--output-document")
    if target is not None and not (each.program == "curl" and "-O" in each.argv):
        yield Effect(Kind.WRITE, resolve(target, each.cwd), each.program)


def _find(each: Invocation) -> Iterator[Effect]:
    """``-delete`` where it is an action of its own, not the value of a test before it."""
    for index, word in enumerate(each.argv):
        value = each.argv[index + 1] if index + 1 < len(each.argv) else ""
        if word in {"-fprint", "-fprintf", "-fls", "-fprint0"} and value:
            yield Effect(Kind.WRITE, resolve(value, each.cwd), f"find {word}")
    if not find_deletes(each.argv):
        return
    for place in find_places(each.argv):
        yield Effect(Kind.DELETE_TREE, resolve(place, each.cwd), "find -delete")


def _tar(each: Invocation) -> Iterator[Effect]:
    first = each.argv[1] if len(each.argv) > 1 else ""
    flags = first.lstrip("-") if not first.startswith("--") else ""
    shorts = "".join(word[1:] for word in each.argv[1:] if re.fullmatch(r"-[a-zA-Z]+", word))
    base = option_value(each, "-C", "--directory") or "."
    values = _some("-f", "--file", "-C", "--directory", "--exclude", "-T", "-X")
    if "x" in flags or "x" in shorts or {"--extract", "--get"} & set(each.argv):
        yield Effect(Kind.WRITE, resolve(base, each.cwd), "tar -x")
        archives = {
            after for word, after in pairwise(each.argv) if re.fullmatch(r"-?[a-zA-Z]*f", word)
        }
        members = [word for word in plain_words(each, values) if word not in {flags, *archives}]
        for word in members:
            place = resolve(f"{base}/{word}", each.cwd)
            yield Effect(Kind.WRITE, place, "tar -x")
            yield Effect(Kind.WRITE, f"{place}/**", "tar -x")
    elif "c" in flags and "f" in flags and len(each.argv) > 2:
        yield Effect(Kind.WRITE, resolve(each.argv[2], each.cwd), "tar -c")
    if "--remove-files" in each.argv:
        for word in plain_words(each, values):
            yield Effect(Kind.DELETE_TREE, resolve(word, each.cwd), "tar --remove-files")


_SPECIAL: Mapping[str, Callable[[Invocation], Iterator[Effect]]] = {
    "rm": _rm,
    "mv": _mv,
    "chmod": _chmod,
    "chown": _chmod,
    "chgrp": _chmod,
    "rsync": _rsync,
    "unzip": _unzip,
    "dd": _dd,
    "sed": _sed,
    "gsed": _sed,
    "perl": _perl,
    "curl": _downloads,
    "wget": _downloads,
    "find": _find,
    "tar": _tar,
    "bsdtar": _tar,
    "git": git_effects,
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _awk),
    **dict.fromkeys(("gzip", "gunzip", "bzip2", "xz", "zip"), _compress),
    "sort": _output("-o", "--output"),
    "tree": _output("-o"),
    "yq": _in_place("-i", "--inplace", "--in-place"),
    "prettier": _in_place("--write", "-w"),
    "openssl": _output("-out", "-keyout"),
    "gpg": _output("-o", "--output"),
    **dict.fromkeys(("gcc", "cc"), _output("-o")),
}
