"""``xargs`` and ``parallel``: one command for many words."""

from itertools import pairwise

from pointsman.shell.carried import SHELLS, Carried, Prefix, after_options, text_of, these
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.finding import find_places

_XARGS_VALUES = these(
    "-n", "-P", "-L", "-d", "-E", "-s", "-S", "-R", "-a", "--max-args", "--max-procs",
    "--max-lines", "--max-chars", "--delimiter", "--arg-file", "--eof", "--process-slot-var",
)  # fmt: skip
_MOST_ITEMS = 256


def xargs(each: Invocation) -> list[Carried]:
    """Put what is read from stdin behind the command, or in the place of the marker."""
    mark, rest = _marker(list(each.argv[1:]))
    # What stands in a file is not what comes through the pipe, and nobody has read it.
    from_file = any(word == "-a" or word.startswith("--arg-file") for word in each.argv[1:])
    known = None if from_file else each.stdin
    if not rest:
        return []
    if mark:
        lines = known.splitlines()[:_MOST_ITEMS] if known is not None else listed(each)
        return [_in_place(rest, mark, line) for line in lines]
    items = known.split()[:_MOST_ITEMS] if known is not None else listed(each)
    # `… | xargs sh -c`: the first word that is read is the text that the shell runs.
    if rest[-1] == "-c" and rest[0].rsplit("/", 1)[-1] in SHELLS and known is not None:
        return [Carried(script=known)]
    return [Carried(argv=(*rest, *items))]


def _marker(words: list[str]) -> tuple[str, list[str]]:
    """Return the text that ``-I`` replaces (empty without), and the command."""
    mark, index = "", 0
    while index < len(words):
        word = words[index]
        if word in {"-I", "-J"}:
            mark = words[index + 1] if index + 1 < len(words) else ""
            index += 2
        elif word.startswith(("-I", "-J")):
            mark, index = word[2:], index + 1
        elif word.startswith("-i") or word.partition("=")[0] == "--replace":
            given = word[2:] if not word.startswith("--") else word.partition("=")[2]
            mark, index = given or "{}", index + 1
        elif word in _XARGS_VALUES:
            index += 2
        elif word == "--":
            return mark, words[index + 1 :]
        elif word.startswith("-") and len(word) > 1:
            index += 1
        else:
            break
    return mark, words[index:]


def _in_place(rest: list[str], mark: str, item: str) -> Carried:
    # A word as an argument is data; the same word inside of a shell's text is code.
    shell = any(word.rsplit("/", 1)[-1] in SHELLS for word in rest)
    text = any(flag == "-c" and mark in word for flag, word in pairwise(rest))
    unsure = "text that is not known becomes part of a command" if shell and text else ""
    return Carried(
        argv=tuple(word.replace(mark, item) for word in rest),
        unverified=unsure if UNKNOWN in item else "",
    )


def listed(each: Invocation) -> list[str]:
    """Return the names that the program at the other end of the pipe prints, as globs."""
    words = each.fed_by
    program = words[0].rsplit("/", 1)[-1] if words else ""
    if program == "find":
        return find_places(words)
    names = [word for word in words[1:] if not word.startswith("-")]
    if program == "ls" and names and all("*" in name for name in names):
        return names
    return [UNKNOWN]


def parallel(each: Invocation) -> list[Carried]:
    """``parallel CMD ::: A B`` runs ``CMD A`` and ``CMD B``; without a command, the words."""
    words = list(each.argv[1:])
    cut = next((at for at, word in enumerate(words) if word.startswith(":::")), None)
    values = these("-j", "--jobs", "-N", "-n", "-I", "--colsep", "-a", "--arg-file", "--joblog")
    rest = after_options(words[:cut], Prefix(values))
    if cut is not None:
        items = [word for word in words[cut + 1 :] if not word.startswith(":::")][:_MOST_ITEMS]
    else:
        items = each.stdin.splitlines()[:_MOST_ITEMS] if each.stdin is not None else [UNKNOWN]
    if not rest:
        return [text_of(item, "what parallel runs") for item in items]
    # One word is handed to a shell as a text; several are a command that is started as it stands.
    if len(rest) == 1:
        return [Carried(script=_filled(rest[0], item)) for item in items]
    out = []
    for item in items:
        marked = any("{}" in word for word in rest)
        argv = [word.replace("{}", item) for word in rest] + ([] if marked else [item])
        out.append(Carried(argv=tuple(argv)))
    return out


def _filled(text: str, item: str) -> str:
    item = item.replace(UNKNOWN, "__unknown__")
    return text.replace("{}", item) if "{}" in text else f"{text} {item}"
