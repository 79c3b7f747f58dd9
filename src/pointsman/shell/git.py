"""What git does to files: the work tree, and what is written beside it."""

from collections.abc import Iterator

from pointsman.shell.arguments import option_value, options, plain_words
from pointsman.shell.effects import Effect, Invocation, Kind
from pointsman.shell.state import resolve

_GIT_KINDS = {
    "rm": Kind.DELETE_TREE, "mv": Kind.MOVE, "checkout": Kind.WRITE, "restore": Kind.WRITE,
}  # fmt: skip
_GIT_VALUES = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env"})


def git_command(each: Invocation) -> Invocation:
    """Return what git is told to do: its subcommand as the program, in its directory."""
    index, cwd = 1, each.cwd
    while index < len(each.argv) and each.argv[index].startswith("-"):
        if each.argv[index] in {"-C", "--work-tree"} and index + 1 < len(each.argv):
            cwd = resolve(each.argv[index + 1], cwd)
        elif each.argv[index].startswith("--work-tree="):
            cwd = resolve(each.argv[index].partition("=")[2], cwd)
        index += 2 if each.argv[index] in _GIT_VALUES else 1
    return Invocation(each.argv[index:], cwd, text=each.text)


def git_effects(each: Invocation) -> Iterator[Effect]:
    """Yield what a call of git does to files."""
    told = git_command(each)
    name = told.argv[0].lower() if told.argv else ""
    if {"--help", "-h"} & set(told.argv[1:]):
        return
    given = options(told)
    if name == "clean" and given & {"-f", "--force"} and not given & {"-n", "--dry-run"}:
        for word in plain_words(told, frozenset({"-e", "--exclude"})) or ["."]:
            yield Effect(Kind.DELETE_TREE, resolve(word, told.cwd), "git clean")
    for option in ("--output", "-o"):
        target = option_value(told, option)
        if target is not None and name in {"diff", "log", "show", "format-patch", "archive"}:
            yield Effect(Kind.WRITE, resolve(target, told.cwd), f"git {name} {option}")
    kind = _GIT_KINDS.get(name)
    if kind is not None:
        values = frozenset({"-b", "-B", "--source", "-s", "--conflict", "--pathspec-from-file"})
        for word in plain_words(told, values):
            text = word.removeprefix(":/").removeprefix(":(top)")
            yield Effect(kind, resolve(text or ".", told.cwd), f"git {name}")
