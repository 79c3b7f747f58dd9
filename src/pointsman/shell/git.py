"""What git does to files: the work tree, and what is written beside it."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pointsman.shell.arguments import names, option_value, options, plain_words
from pointsman.shell.effects import UNKNOWN, Effect, Invocation, Kind
from pointsman.shell.state import resolve

_GIT_KINDS = {
    "rm": Kind.DELETE_TREE, "mv": Kind.MOVE, "checkout": Kind.WRITE, "restore": Kind.WRITE,
}  # fmt: skip
_GIT_VALUES = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env"})


GIT_PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Variables that say where git finds what it works on."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What git is told: the command, where it acts, and which repository if that is said."""

    command: Invocation
    store: str = ""
    index: str = ""


def git_command(each: Invocation) -> Invocation:
    """Return what git is told to do: its subcommand as the program, in its directory."""
    return _told(each).command


@lru_cache(maxsize=64)
def _told(each: Invocation) -> _Told:
    places = dict(each.environment)
    # Each `-C` leads on from the one before it; a later option beats the variable of its name.
    index, cwd = 1, each.cwd
    while index < len(each.argv) and each.argv[index].startswith("-"):
        name, equals, value = each.argv[index].partition("=")
        if name in _GIT_VALUES and not equals:
            value = each.argv[index + 1] if index + 1 < len(each.argv) else ""
            index += 1
        if name == "-C" and not equals:
            cwd = resolve(value, cwd)
        elif name in _PLACE_OPTIONS:
            places[_PLACE_OPTIONS[name]] = value
        index += 1
    tree = resolve(places["GIT_WORK_TREE"], cwd) if "GIT_WORK_TREE" in places else ""
    store = resolve(places["GIT_DIR"], cwd) if "GIT_DIR" in places else ""
    # A `cd` before it leads into another repository as `-C` does; where to is not always known.
    lost = cwd == each.cwd == UNKNOWN
    if not store and not lost and not _is_near(cwd, each.began or each.cwd):
        store = f"{cwd}/.git"
    # Paths are read from the top of the work tree, unless git already stands below it.
    if tree and cwd != tree and not cwd.startswith(f"{tree.rstrip('/')}/"):
        cwd = tree
    told = Invocation(each.argv[index:], cwd, stdin=each.stdin, text=each.text)
    return _Told(told, store, places.get("GIT_INDEX_FILE", ""))


_PLACE_OPTIONS = {"--git-dir": "GIT_DIR", "--work-tree": "GIT_WORK_TREE"}


def _is_near(place: str, cwd: str) -> bool:
    """Whether a directory may lie in the repository that another lies in."""
    return f"{place}/".startswith(f"{cwd}/") or f"{cwd}/".startswith(f"{place}/")


def git_effects(each: Invocation) -> Iterator[Effect]:
    """Yield what a call of git does: to the work tree, to files beside it, over the network."""
    where = _told(each)
    told = where.command
    name = told.argv[0].lower() if told.argv else ""
    if not name or {"--help", "-h"} & set(told.argv[1:]):
        return
    for option in ("--output", "-o"):
        target = option_value(told, option)
        if target is not None and name in {"diff", "log", "show", "format-patch", "archive"}:
            yield Effect(Kind.WRITE, resolve(target, told.cwd), f"git {name} {option}")
    special = _BY_NAME.get(name)
    if special is not None:
        yield from special(told, name)
    if name in _REMOTE or {"remote", "update"} <= set(told.argv[:2]):
        words = plain_words(told, _GIT_VALUES)
        yield Effect(Kind.NETWORK, words[0] if words else UNKNOWN, f"git {name}")
    if name in _TREE and not options(told) & _LOOKS_ONLY.get(name, frozenset()):
        yield Effect(Kind.OPAQUE, told.cwd, f"git {name}")

    if name not in _LOOKS and not _only_lists(told, name):
        yield from _stored(where, name, each.began or each.cwd)


def _stored(where: _Told, name: str, cwd: str) -> Iterator[Effect]:
    """Yield what is written of a repository that is not the one that the command stands in."""
    above = posixpath.dirname(where.store)
    own = posixpath.basename(where.store) == ".git" and f"{cwd}/".startswith(
        f"{above.rstrip('/')}/"
    )
    if where.store and not own:
        yield Effect(Kind.WRITE, f"{where.store}/**", f"git {name}")
    if where.index:
        yield Effect(Kind.WRITE, resolve(where.index, where.command.cwd), f"git {name}")


def _only_lists(told: Invocation, name: str) -> bool:
    """Whether a command that can change something only shows what there is."""
    words = [word for word in told.argv[1:] if not word.startswith("-")]
    return name in _LISTS and (not words or words[0] in _SHOWN or bool(_SHOWN & set(told.argv)))


_LISTS = names("branch tag remote stash config worktree notes reflog submodule bisect lfs")
_SHOWN = names(
    "list show get get-url log status --list -l --get --get-all --get-regexp --show-current"
    " --contains --merged --no-merged --points-at -v -vv"
)
_LOOKS = names(
    "log show diff status blame grep ls-files ls-tree cat-file rev-parse rev-list describe shortlog"
    " name-rev for-each-ref show-ref var version help count-objects fsck whatchanged range-diff"
    " cherry merge-base diff-tree diff-files diff-index ls-remote check-ignore check-attr archive"
    " verify-commit verify-tag show-branch clone init annotate bugreport diagnose"
)
"""What changes nothing of a repository that is there."""
_REMOTE = names("clone fetch pull push ls-remote submodule fetch-pack send-pack")
_TREE = names(
    "merge rebase pull cherry-pick revert stash bisect read-tree checkout-index submodule"
    " switch am sparse-checkout reset"
)
"""What changes the work tree in a way that hangs on what the repository holds."""

_LOOKS_ONLY = {"read-tree": frozenset({"-n", "--dry-run"}), "submodule": frozenset({"--cached"})}
"""With what it changes nothing. Of others `-n` is `--no-commit`, and `--stat` says how much."""


def _clean(told: Invocation, _name: str) -> Iterator[Effect]:
    given = options(told)
    if given & {"-f", "--force"} and not given & {"-n", "--dry-run"}:
        for word in plain_words(told, frozenset({"-e", "--exclude"})) or ["."]:
            yield Effect(Kind.DELETE_TREE, resolve(word, told.cwd), "git clean")


def _paths(told: Invocation, name: str) -> Iterator[Effect]:
    """``rm``, ``mv``, ``checkout``, ``restore``: paths among the words, or names of commits."""
    values = frozenset({"-b", "-B", "--source", "-s", "--conflict", "--pathspec-from-file"})
    given = options(told)
    words = plain_words(told, values)
    if name == "checkout" and "--" in told.argv:
        # What stands before is a commit.
        words = list(told.argv[told.argv.index("--") + 1 :])
    for word in words:
        text = word.removeprefix(":/").removeprefix(":(top)")
        yield Effect(_GIT_KINDS[name], resolve(text or ".", told.cwd), f"git {name}")
    if (name == "checkout" and "--" not in told.argv) or "--pathspec-from-file" in given:
        yield Effect(Kind.OPAQUE, told.cwd, f"git {name}")


_PATCHED = re.compile(r"(?m)^(?:\+\+\+ (?:b/)?|--- (?:a/)?|rename to |copy to )([^\t\n]+)")
_MOST_PATCHED = 256


def _apply(told: Invocation, name: str) -> Iterator[Effect]:
    """The files that a patch names; unknown ones where it lies in a file."""
    if options(told) & {"--check", "--stat", "--numstat", "--summary", "--cached"}:
        return
    base = resolve(option_value(told, "--directory") or ".", told.cwd)
    files = plain_words(told, frozenset({"--directory", "-p", "-C", "--exclude", "--include"}))
    if told.stdin is None or files:
        yield Effect(Kind.OPAQUE, base, f"git {name}")
        if option_value(told, "--directory"):
            yield Effect(Kind.WRITE, f"{base}/**", f"git {name}")
    for found in list(_PATCHED.finditer(told.stdin or ""))[:_MOST_PATCHED]:
        if found[1] != "/dev/null":
            yield Effect(Kind.WRITE, resolve(found[1], base), f"git {name}")


def _made(told: Invocation, name: str) -> Iterator[Effect]:
    """``clone``, ``init``, ``worktree add``: the directory that they make."""
    values = frozenset({"-b", "--branch", "-o", "--origin", "--depth", "-B", "--reference", "-j"})
    words = plain_words(told, values)
    if name == "worktree":
        if words[:1] in (["remove"], ["move"]) and words[1:]:
            yield Effect(Kind.DELETE_TREE, resolve(words[1], told.cwd), f"git worktree {words[0]}")
        places = words[1:2] if words[:1] == ["add"] else words[2:3]
    elif name == "clone":
        last = words[0].rstrip("/").rsplit("/", 1)[-1].removesuffix(".git") if words else ""
        places = words[1:2] or ([last.rpartition(":")[2]] if last else [])
    else:
        places = words[:1] or ["."]
    for place in places:
        yield Effect(Kind.WRITE, resolve(place, told.cwd), f"git {name}")


_RUNS = re.compile(
    r"(core\.(hookspath|fsmonitor|sshcommand|pager|editor|askpass)|sequence\.editor|alias\..+"
    r"|diff\.external|pager\..+|gpg\.program|credential\.helper|.+\.(textconv|command|driver"
    r"|clean|smudge))\Z",
    re.IGNORECASE,
)


def _config(told: Invocation, _name: str) -> Iterator[Effect]:
    """``git config``: a file that it is told to change, and what git is told to run later."""
    words = plain_words(told, frozenset({"-f", "--file", "--type", "--default", "--blob"}))
    words = words[1:] if words[:1] == ["set"] else words
    file = option_value(told, "-f", "--file")
    if len(words) > 1:
        if file is not None:
            yield Effect(Kind.WRITE, resolve(file, told.cwd), "git config")
        if _RUNS.match(words[0]):
            path = "hookspath" in words[0].lower()
            yield Effect(Kind.EXECUTE, resolve(words[1], told.cwd) if path else "", "git config")


_BY_NAME: Mapping[str, Callable[[Invocation, str], Iterator[Effect]]] = {
    "clean": _clean,
    **dict.fromkeys(_GIT_KINDS, _paths),
    "apply": _apply,
    "am": _apply,
    "clone": _made,
    "init": _made,
    "worktree": _made,
    "config": _config,
}
