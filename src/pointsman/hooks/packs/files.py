"""Files: trees that are not the project's own, files of the system, permissions of whole trees."""

import posixpath
import re
from itertools import pairwise

from pointsman.hooks.packs.calls import Given, calls
from pointsman.hooks.packs.places import (
    SYSTEM,
    inside,
    is_own,
    is_temporary,
    meant,
    shown,
    static,
)
from pointsman.hooks.rule import Call, Deed, Pack, Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import UNKNOWN, Effect, Invocation, Kind
from pointsman.shell.finding import find_commands, find_roots
from pointsman.shell.programs import plain_words
from pointsman.shell.state import resolve

_TAKES = frozenset({Kind.DELETE, Kind.DELETE_TREE, Kind.MOVE})


def _delete_tree(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    tree = effect.kind is Kind.DELETE_TREE or "/**" in effect.path
    if each.program != "git" and tree and _too_far(effect, each, scene):
        if _refuses(effect, each, scene):
            return None
        return f"{effect.construct} deletes {shown(effect.path)} with everything in it"
    return None


def _refuses(effect: Effect, each: Invocation, scene: Scene) -> bool:
    """Whether rm does nothing: it refuses ``.`` and ``..`` (POSIX). Of the home it is meant."""
    # What carries it, find or xargs, gives it other names beside.
    if each.program != "rm" or each.via or effect.path != scene.cwd:
        return False
    if inside(scene.home, scene.cwd) or scene.home == scene.cwd:
        return False
    words = (word.rstrip("/") for word in plain_words(each))
    named = [word for word in words if resolve(word, each.cwd) == effect.path]
    return bool(named) and all(posixpath.basename(word) in {".", ".."} for word in named)


def _tree_by_code(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del scene
    if effect.construct.endswith("()") and effect.construct.startswith(f"{each.program}: "):
        return f"code for {each.program} deletes {shown(effect.path)} with everything in it"
    return None


def _too_far(effect: Effect, each: Invocation, scene: Scene) -> bool:
    """Whether a tree that is deleted is not the project's own, or cannot be known."""
    path = meant(effect.path, scene)
    given = Given.of(each)
    forced = each.program != "rm" or given.has("-f") or given.has_long("--force")
    if path.startswith(UNKNOWN):
        return forced and _everything_unknown(path, each)
    fixed = static(path)
    if fixed in {scene.home, scene.cwd} and path != fixed:
        below = "/**" in path and fixed != scene.cwd
        # A glob directly in it: `rm -rf ~/*`, `rm -rf ./*`.
        return below or path.rsplit("/", 1)[-1].strip("*.?" + UNKNOWN) == ""
    return _is_above(path, fixed, scene) or (
        forced and not is_temporary(path, scene) and not inside(path, scene.cwd)
    )


def _everything_unknown(path: str, each: Invocation) -> bool:
    # `$DIR/*` is everything there is where the variable is empty; `$DIR/build` is not.
    if path == UNKNOWN and re.search(r'\$\{?TMPDIR\}?"?\s*\Z', each.text):
        return False
    rest = path.removeprefix(f"{UNKNOWN}/")
    return rest == path or rest.strip("*.?/") == ""


def _is_above(path: str, fixed: str, scene: Scene) -> bool:
    """Whether a path is the system's, or holds the project or the home."""
    if path in {scene.home, scene.cwd} or path in SYSTEM or fixed in SYSTEM[1:] or fixed == "/":
        return True
    if path in scene.temporary and path != "/tmp":  # noqa: S108 - named, not used
        return True
    return inside(scene.cwd, path) or inside(scene.home, path)


def _find_beyond(each: Invocation, scene: Scene) -> str | None:
    """``find -delete`` through links or from words that nobody has seen; trees by ``rm -rf``."""
    words = each.argv[1:]
    passing = all(is_temporary(resolve(root, each.cwd), scene) for root in find_roots(each.argv))
    made_again = any(after in _MADE_AGAIN for word, after in pairwise(words) if word == "-name")
    if not made_again and not passing and any(map(_forces_trees, find_commands(each.argv))):
        return "rm -rf deletes whatever find comes upon"
    if "-delete" not in words:
        return None
    if {"-L", "-follow"} & set(words):
        return "find -delete follows links out of where it begins"
    roots = find_roots(each.argv)
    if any("/../" in f"{root}/" and not root.startswith("..") for root in roots):
        return "find -delete leaves the place where it begins by .."
    loose = any(mark in root for root in roots for mark in (UNKNOWN, "*", "?"))
    return "find -delete begins at a place that is not known" if loose else None


_MADE_AGAIN = frozenset(
    {"__pycache__", "node_modules", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox",
     ".next", ".nuxt", ".turbo", ".parcel-cache", ".gradle", ".ipynb_checkpoints", ".DS_Store",
     "dist", "build", "target", "out", "coverage", ".cache", "*.egg-info", ".eggs",
     "htmlcov", ".nyc_output", "*.pyc"}
)  # fmt: skip
"""What tools make anew: nobody misses it."""


def _forces_trees(command: list[str]) -> bool:
    if posixpath.basename(command[0]) != "rm" or not any("{}" in word for word in command):
        return False
    given = Given.of(Invocation(tuple(command), ""))
    recursive = given.has("-r") or given.has("-R") or given.has_long("--recursive")
    return recursive and (given.has("-f") or given.has_long("--force"))


def _delete_system_file(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del each, scene
    if _SYSTEM_FILE.match(static(effect.path) + "/"):
        return f"{effect.construct} deletes {shown(effect.path)}"
    return None


_SYSTEM_FILE = re.compile(r"/(etc|boot|usr|bin|sbin|lib|lib64|System)/.")
_SYSTEM_WRITTEN = re.compile(
    r"/(etc|boot|bin|sbin|lib|lib64|System|usr/(bin|sbin|lib|lib64|libexec|local/s?bin|share))/."
    r"|/Library/(?!Caches).|/opt/[^/]+/bin/."
)


def _write_system_file(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    del each, scene
    unpacks = effect.path == "/" and effect.construct in {"tar -x", "unzip", "cpio"}
    if unpacks or _SYSTEM_WRITTEN.match(effect.path):
        return f"{effect.construct} writes {shown(effect.path)}"
    return None


def _shred(each: Invocation, scene: Scene) -> str | None:
    words = [posixpath.join(scene.cwd, word) for word in plain_words(each)]
    if words and not all(is_temporary(word, scene) for word in words):
        return f"{each.program} destroys {shown(words[-1])} beyond recovery"
    return None


def _chmod_tree(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    if each.program not in {"chmod", "chown", "chgrp", "setfacl"}:
        return None
    given = Given.of(each)
    if not (given.has("-R") or given.has_long("--recursive") or "find" in each.via):
        return None
    path = meant(effect.path.removesuffix("/**").rstrip("/") or "/", scene)
    if path in {*SYSTEM, scene.home} or static(path) in SYSTEM:
        return f"{each.program} -R changes all of {shown(path)}"
    open_to_all = re.search(r"777|a\+\w*w|o\+\w*w|^\+\w*w", given.first)
    closes = path == scene.cwd and re.fullmatch(r"0{1,4}|[ugoa]*[-=](?:[rwx]+)?", given.first)
    if each.program == "chmod" and closes:
        return "the whole project is closed"
    return "a whole tree is opened for everybody" if open_to_all else None


def _open_to_all(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    mode = Given.of(each).first if each.program == "chmod" else ""
    opens = re.fullmatch(r"0?[0-7][0-7][2367]|[ugo]*[oa][ugo]*[+=]\w*w\w*", mode)
    if opens and not is_own(effect.path, scene):
        return f"chmod {mode} lets everybody write {shown(effect.path)}"
    return None


def _move_system(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    path = effect.path
    if each.program == "git":
        return None
    whole = path.rsplit("/", 1)[-1].strip("*?.") == ""  # `mv /etc/*`, `mv ~/*`
    if path in {*SYSTEM, scene.home} or static(path) == "/" or inside(scene.home, path):
        return f"{effect.construct} moves {shown(path)} away"
    if whole and static(path) in {*SYSTEM, scene.home}:
        return f"{effect.construct} moves all of {shown(path)} away"
    return None


_GIT_STORE = re.compile(
    r"(^|/)[^/]*\.git(/(objects|refs|HEAD|packed-refs|worktrees|logs|index|config)(/.*)?)?\Z"
)


def _git_store(effect: Effect, each: Invocation, scene: Scene) -> str | None:
    """``.git`` is the work of all who have ever committed; its lock files are not."""
    path = effect.path.rstrip("*").rstrip("/")
    if each.program != "git" and _GIT_STORE.search(path) and not is_temporary(path, scene):
        return f"{effect.construct} takes {shown(effect.path)} out of a repository"
    return None


PACK = Pack("files", "Files and trees.", (
    Rule("rm-tree", Action.DENY, "Deletes a tree that is not the project's own.",
         Deed(frozenset({Kind.DELETE, Kind.DELETE_TREE}), _delete_tree),
         "rm -rf ~/", "rm -rf build/cache",
         "Name the directories of the project that are no longer needed."),
    Rule("find-delete", Action.ASK, "Deletes what nobody has named.",
         Call(frozenset({"find"}), _find_beyond),
         'find "$DIR/cache" -delete', "find build -name '*.o' -delete",
         "Print first what it finds, then delete that."),
    Rule("tree-by-code", Action.ASK, "Deletes a whole tree from within code, where few look.",
         Deed(frozenset({Kind.DELETE_TREE}), _tree_by_code),
         "python3 -c \"import shutil; shutil.rmtree('build')\"",
         "python3 -c \"import os; os.remove('build/a.o')\"",
         "`rm -r` says the same in plain sight."),
    Rule("rm-system-file", Action.DENY, "Deletes a file of the system.",
         Deed(frozenset({Kind.DELETE}), _delete_system_file),
         "rm /etc/hosts", "rm notes.txt"),
    Rule("shred", Action.DENY, "Destroys files beyond recovery.",
         Call(frozenset({"shred", "wipe", "srm"}), _shred),
         "shred -u secrets.db", "shred -u /tmp/scratch", "rm can at least be restored from.",
         plain=True),
    Rule("chmod-tree", Action.DENY, "Changes the permissions of a whole tree.",
         Deed(frozenset({Kind.CHMOD}), _chmod_tree),
         "chmod -R 777 /", "chmod +x run.sh", "Change the files that need it, by name."),
    Rule("chmod-open", Action.ASK, "Lets everybody on the machine change a file.",
         Deed(frozenset({Kind.CHMOD}), _open_to_all),
         "chmod 666 /var/run/app.sock", "chmod 644 notes.txt", plain=True),
    Rule("move-system", Action.DENY, "Moves the system's or the home's directories away.",
         Deed(frozenset({Kind.MOVE}), _move_system), "mv /* /tmp", "mv src lib"),
    Rule("git-store", Action.DENY, "Takes history, or somebody's uncommitted work, away.",
         Deed(_TAKES, _git_store), "rm -rf .git/objects", "rm -f .git/index.lock",
         "git has a command for what is wrong with the repository; git fsck says what that is."),
    Rule("snapshot-delete", Action.DENY, "Takes the copies away that a loss is restored from.",
         calls("deletes backups", "tmutil delete|deletelocalsnapshots|disable",
               "vssadmin delete", "wbadmin delete", "btrfs subvolume|sub delete",
               "zfs destroy", "snapper delete", "timeshift --delete|--delete-all",
               "restic forget --prune", "restic prune", "borg delete"),
         "btrfs subvolume delete /snapshots/1", "btrfs subvolume list /"),
    Rule("write-system-file", Action.ASK, "Changes a file of the system.",
         Deed(frozenset({Kind.WRITE}), _write_system_file),
         "echo x > /etc/hosts", "echo x > hosts.txt"),
))  # fmt: skip
"""Rules about files, whichever program it is that touches them."""
