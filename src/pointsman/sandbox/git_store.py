"""What of a git repository a command may write so that it can commit, and what stays read-only.

git runs programs that its configuration and hooks name, outside of any sandbox, the next time
somebody else calls it. What can name one stays read-only over a writable store.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pointsman.paths.content import read_regular

_MOST_STORES = 256
"""Submodules and linked worktrees that are looked at."""
_CONFIG_BYTES = 1_000_000
_NAMES_A_FILE = re.compile(
    r"^\s*(hookspath|path)\s*=\s*\"?([^\"\n#;]+)", re.IGNORECASE | re.MULTILINE
)
_WORKTREE_CONFIG = re.compile(r"^\s*worktreeconfig\b", re.IGNORECASE | re.MULTILINE)
_SUBMODULE = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)

KEPT = (
    ("hooks", "git runs them at every commit, checkout, merge and push"),
    ("config", "names programs: fsmonitor, sshCommand, filters, aliases, hooksPath"),
    ("config.worktree", "is configuration as well"),
    ("info/attributes", "chooses which of the configured programs a file is put through"),
    ("commondir", "says where configuration and hooks are read from"),
    ("gitdir", "says which worktree this is"),
    ("remotes", "an older form of configuration"),
    ("branches", "an older form of configuration"),
)
"""What stays read-only in every store, and why."""


@dataclass(frozen=True, slots=True)
class Store:
    """What of one repository's store may be written, and what below it may not."""

    writable: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


def store_of(root: str) -> Store:
    """Return the store of the working tree at ``root``; empty where there is none that is sound.

    A ``.git`` that is a file is followed only where the store it names says so as well: otherwise
    writing that file would make any directory writable.
    """
    own = _own_store(root)
    if own is None:
        there = os.path.lexists(f"{root}/.git")
        limit = f"{root}/.git is not a store that names this directory: it stays read-only"
        return Store(limits=(limit,) if there else ())
    common = _common(own)
    stores = [own] if common == own else [own, common]
    protected: list[str] = [path for each in stores for path in _kept(each)]
    limits: list[str] = []
    for number, each in enumerate(_others(common)):
        if number == _MOST_STORES:
            limits.append(f"{common} holds more than {_MOST_STORES} stores; the rest is not kept")
            break
        protected += [path for name, _ in KEPT if os.path.lexists(path := f"{each}/{name}")]
    protected += _submodules(root)
    return Store(tuple(stores), tuple(dict.fromkeys(protected)), tuple(limits))


def planted(root: str) -> tuple[str, ...]:
    """Return what has been put into the store that leads git to other configuration and hooks.

    No mount can keep a name away that is not there. A main store has no ``commondir``; where it
    has one, git reads what that names in place of everything that is kept.
    """
    store = f"{root}/.git"
    if not os.path.isdir(store) or os.path.islink(store):
        return ()
    return tuple(path for path in (f"{store}/commondir",) if os.path.lexists(path))


def _own_store(root: str) -> str | None:
    path = f"{root}/.git"
    if os.path.islink(path):
        return None
    if os.path.isdir(path):
        return path if _is_store(path) and not planted(root) else None
    named = _named(path, "gitdir:", root)
    if named is None or not _is_store(named):
        return None
    back = _named(f"{named}/gitdir", "", named)
    if back is not None:
        return named if back == os.path.realpath(path) else None
    # A submodule's store names its working tree in its configuration.
    tree = re.search(r"^\s*worktree\s*=\s*(.+?)\s*$", _text(f"{named}/config"), re.MULTILINE)
    if tree is None:
        return None
    return (
        named if os.path.realpath(os.path.join(named, tree[1])) == os.path.realpath(root) else None
    )


def _common(own: str) -> str:
    named = _named(f"{own}/commondir", "", own)
    if named is None or os.path.dirname(os.path.dirname(own)) != named:
        return own
    return named


def _is_store(path: str) -> bool:
    has_objects = os.path.isdir(f"{path}/objects") or os.path.isfile(f"{path}/commondir")
    return has_objects and os.path.lexists(f"{path}/HEAD")


def _kept(store: str) -> Iterator[str]:
    """Yield what stays read-only; makes what would otherwise be made by a command first."""
    text = _text(f"{store}/config")
    main = not os.path.lexists(f"{store}/commondir")
    # What we cannot make, a command of the same user cannot either.
    with suppress(OSError):
        if main and not os.path.lexists(f"{store}/hooks"):
            os.mkdir(f"{store}/hooks")
    with suppress(OSError):
        if _WORKTREE_CONFIG.search(text) and not os.path.lexists(f"{store}/config.worktree"):
            flags = os.O_CREAT | os.O_WRONLY | os.O_EXCL
            os.close(os.open(f"{store}/config.worktree", flags, 0o644))
    for name, _ in KEPT:
        if os.path.lexists(f"{store}/{name}"):
            yield f"{store}/{name}"
    for _, value in _NAMES_A_FILE.findall(text):
        # core.hooksPath counts from the working tree, include.path from the store.
        for base in (os.path.dirname(store), store):
            real = os.path.realpath(os.path.join(base, os.path.expanduser(value.strip())))
            if os.path.exists(real) and real not in {store, os.path.dirname(store), "/"}:
                yield real


def _others(common: str) -> Iterator[str]:
    """Yield the stores of linked worktrees and submodules, those of submodules' submodules too."""
    waiting = [f"{common}/worktrees", f"{common}/modules"]
    for _ in range(_MOST_STORES * 4):
        if not waiting:
            return
        for each in _directories(waiting.pop()):
            if os.path.lexists(f"{each}/HEAD"):
                yield each
                waiting.append(f"{each}/modules")
            else:
                waiting.append(each)


def _submodules(root: str) -> list[str]:
    paths = [found.strip('"') for found in _SUBMODULE.findall(_text(f"{root}/.gitmodules"))]
    files = [os.path.normpath(f"{root}/{path}/.git") for path in paths[:_MOST_STORES]]
    return [file for file in files if file.startswith(f"{root}/") and os.path.isfile(file)]


def _directories(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _named(file: str, prefix: str, base: str) -> str | None:
    text = _text(file)
    if not text.startswith(prefix) or not text.removeprefix(prefix).strip():
        return None
    return os.path.realpath(os.path.join(base, text.removeprefix(prefix).strip()))


def _text(file: str) -> str:
    try:
        return read_regular(file, _CONFIG_BYTES).decode(errors="surrogateescape")
    except (OSError, ValueError):
        return ""
