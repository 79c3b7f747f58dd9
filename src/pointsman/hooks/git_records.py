"""Which git commands put something into the repository itself: an index, a commit, a branch.

No file of the work tree need change for that, and an agent that only reads has no business in it.
Sources: git's own manual pages of these commands.
"""

from collections.abc import Callable, Mapping

from pointsman.shell.effects import Invocation

_ALWAYS = frozenset(
    {"add", "am", "apply", "checkout", "cherry-pick", "clean", "commit", "filter-branch", "gc"}
    | {"init", "merge", "mv", "prune", "pull", "push", "rebase", "repack", "replace", "reset"}
    | {"restore", "revert", "rm", "switch", "update-index", "update-ref"}
)
_WITH_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env"})
"""Options in front of the command that take the next word with them."""
_LISTS = frozenset({"-l", "--list", "--contains", "--no-contains", "--merged", "--no-merged"})
_LISTS |= {"--points-at", "--show-current", "-v", "-vv", "--verify"}
_READS = frozenset({"", "get", "list", "show", "status", "summary", "exists", "get-url", "foreach"})
_SETS = frozenset({"--add", "--unset", "--unset-all", "--replace-all", "--edit", "-e"})
_SETS |= {"--rename-section", "--remove-section"}


def recorded_by(each: Invocation) -> str:
    """Return the git command, such as ``git commit``, that records something; else nothing."""
    if each.program != "git":
        return ""
    index = 1
    while index < len(each.argv) and each.argv[index].startswith("-"):
        index += 2 if each.argv[index] in _WITH_VALUE else 1
    verb, rest = next(iter(each.argv[index:]), ""), each.argv[index + 1 :]
    look = _LOOKS.get(verb)
    return f"git {verb}" if verb in _ALWAYS or (look is not None and look(rest)) else ""


def _names(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if not word.startswith("-")]


def _named(words: tuple[str, ...]) -> bool:
    """Whether a branch or a tag is made, moved or deleted, and not only listed."""
    options = {word.partition("=")[0] for word in words}
    return bool(_names(words)) and not options & _LISTS


def _sub(words: tuple[str, ...]) -> bool:
    return next(iter(_names(words)), "") not in _READS


def _stash(words: tuple[str, ...]) -> bool:
    # On its own it puts everything away.
    return next(iter(_names(words)), "push") not in _READS


def _config(words: tuple[str, ...]) -> bool:
    names = _names(words)
    if not names or names[0] in _READS or any(word.startswith("--get") for word in words):
        return bool(_SETS & set(words))
    return len(names) > 1 or bool(_SETS & set(words))


def _expires(words: tuple[str, ...]) -> bool:
    return next(iter(_names(words)), "") in {"expire", "delete"}


_LOOKS: Mapping[str, Callable[[tuple[str, ...]], bool]] = {
    "branch": _named,
    "tag": _named,
    "stash": _stash,
    "remote": _sub,
    "worktree": _sub,
    "notes": _sub,
    "submodule": _sub,
    "config": _config,
    "reflog": _expires,
}
