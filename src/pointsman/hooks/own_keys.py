"""Whether a call would take in a key of ours: who reads one can sign the record, or answer.

Other files of the state directory may be read. These are the private key that signs checkpoints,
the dashboard's and the one of telemetry; the public half (``*.pub``) is for everybody.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from pointsman.hooks.kept import Keep
from pointsman.model.decision import Decision, deny
from pointsman.model.events import PreToolUse
from pointsman.model.places import Places
from pointsman.paths.canonical import canonical, readings, real_path
from pointsman.shell.analyse import analyse
from pointsman.shell.carried import is_interpreter
from pointsman.shell.effects import UNKNOWN, Invocation, Kind
from pointsman.shell.interpreters import code_of
from pointsman.shell.state import resolve

RULE = "self.key"

_PATHS = ("file_path", "notebook_path", "path")
"""Where the host's own tools have the file that they read."""
_NAMES = ("ledger-private-key.pem", "private-key.pem")
_LOOKING = frozenset(
    {"ls", "ll", "stat", "file", "test", "[", "[[", "cd", "pushd", "popd", "pwd", "du", "tree"}
    | {"realpath", "readlink", "basename", "dirname", "echo", "printf", "pointsman", "find", "fd"}
    | {"wc", "sha256sum", "md5sum", "lsattr", "getfacl", "namei", "mkdir", "chmod", "for", "true"}
)
"""Programs that tell a file's name, size or digest, and nothing of what is in it."""
_WHOLE = frozenset(
    {"cp", "mv", "tar", "bsdtar", "zip", "7z", "rsync", "scp", "grep", "egrep", "fgrep", "rg"}
    | {"ag", "cpio", "pax", "dar", "restic", "borg", "tee", "docker", "podman"}
)
"""Programs that take a directory with all that is below it."""
_EXECUTING = frozenset({"-exec", "-execdir", "-x", "-X", "--exec"})
_IN_CODE = re.compile(
    r"ledger-private-key|pointsman['\"]?\s*[/,+]\s*['\"]?keys|(dashboard|telemetry)\.key"
)
_SPLIT = re.compile(r"[=@,:]")
_MOST_WORDS = 20_000
_MOST_VALUES = 500


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The files of our keys, as far as they are known before the call."""

    state: str
    home: str
    files: tuple[str, ...]
    parts: tuple[str, ...]
    """One of these is in their names and in what is above them."""

    @property
    def directory(self) -> str:
        """Where the ledger's keys are."""
        return f"{self.state}/keys"

    def is_one(self, path: str) -> bool:
        """Whether a path, perhaps with wildcards, names one of them."""
        if path in self.files:
            return True
        if path.startswith(f"{self.directory}/"):
            return not path.endswith(".pub")
        return any(mark in path for mark in "*?[") and any(
            fnmatchcase(file, path) for file in self.files
        )

    def holds(self, path: str) -> bool:
        """Whether they lie below a directory: ours, or one above it that is inside the home."""
        path = path.rstrip("/") or "/"
        if path in {self.state, self.directory}:
            return True
        inside = self.home.startswith((f"{path}/", path)) or path == "/"
        return not inside and self.state.startswith(f"{path}/")


def keys_of(keep: Keep) -> OwnKeys:
    """Return the keys of this machine, and the one that the user's settings name."""
    return _known(keep.places, keep.home, str(keep.policy.ledger.get("key") or ""))


@lru_cache(maxsize=16)
def _known(places: Places, home: str, said: str) -> OwnKeys:
    state = real_path(str(places.state))
    own = [real_path(said)] if said else []
    doors = [real_path(str(each)) for each in (places.dashboard_key, places.telemetry_key)]
    return OwnKeys(
        state=state,
        home=home,
        files=(*(f"{state}/keys/{name}" for name in _NAMES), *doors, *own),
        parts=("keys", ".key", *Path(state).parts[-3:], *(Path(each).name for each in own)),
    )


def reads_key(event: PreToolUse, keep: Keep, shell: bool) -> Decision | None:
    """Return a denial where a call would take in a key; ``shell`` where it runs a command."""
    keys = keys_of(keep)
    command = event.tool_input.get("command")
    if shell and isinstance(command, str):
        return _command(command, keep, keys)
    foreign = event.tool_name.startswith("mcp__")
    here = (".",) if event.tool_name == "Grep" and "path" not in event.tool_input else ()
    for text in (*here, *_texts(event.tool_input, foreign)):
        for where in readings(text.removeprefix("file://"), event.identity.cwd):
            searched = event.tool_name == "Grep" or foreign
            if keys.is_one(where.path) or (searched and keys.holds(where.path)):
                return _denied(f"{event.tool_name} would read {where.path}")
    return None


def _texts(given: Mapping[str, object], foreign: bool) -> Iterator[str]:
    names = given if foreign else _PATHS
    found = (given.get(name) for name in names)
    flat = (item for value in found for item in (value if isinstance(value, list) else [value]))
    for value, _ in zip(flat, range(_MOST_VALUES), strict=False):
        if isinstance(value, str) and value and len(value) <= 4096 and "\n" not in value:
            yield value


def _command(command: str, keep: Keep, keys: OwnKeys) -> Decision | None:
    analysis = analyse(command, cwd=keep.cwd, home=keep.home)
    for effect in analysis.effects:
        if effect.kind is Kind.READ and keys.is_one(_real(effect.path, keys)):
            return _denied(f"{effect.construct} would read {effect.path}")
    left = _MOST_WORDS
    for each in analysis.invocations:
        left -= len(each.argv)
        if each.remote or left < 0:
            continue
        path = _taken_in(each, keys)
        if path:
            return _denied(f"{each.program} would read {path.replace(UNKNOWN, '…')}")
    return None


def _taken_in(each: Invocation, keys: OwnKeys) -> str:
    """Return the key, or the directory of keys, that a call takes in."""
    if is_interpreter(each.program):
        code = code_of(each)
        if code and _IN_CODE.search(code):
            return "a key, as its code says,"
    if each.program in _LOOKING and not {"-exec", "-execdir", "-x", "-X", "--exec"} & set(
        each.argv
    ):
        return ""
    inside = each.cwd.rstrip("/") == keys.directory and len(each.argv) > 1
    if inside and not all(word.endswith(".pub") or word[:1] == "-" for word in each.argv[1:]):
        return f"{each.cwd}/{each.argv[-1]}"
    for word in _words(each):
        path = _real(resolve(word, each.cwd), keys)
        if keys.is_one(path) or (each.program in _WHOLE and keys.holds(path)):
            return path
    return ""


def _words(each: Invocation) -> Iterable[str]:
    words = [redirect.target for redirect in each.redirects if redirect.operator == "<"]
    for word in each.argv[1:]:
        if len(word) > 4096 or "\n" in word:
            continue
        words.append(word)
        words += [part for part in _SPLIT.split(word) if part.startswith(("/", "~"))]
    return (word for word in words if word and not word.startswith("-"))


def _real(path: str, keys: OwnKeys) -> str:
    """Return where a path leads; what is not known of it stays."""
    if UNKNOWN in path or any(mark in path for mark in "*?["):
        return path.rstrip("/")
    # All the way only where it may matter: every word of every command comes by here.
    if any(part in path for part in keys.parts) or _is_link(path):
        return canonical(path, "/").path
    return path


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def _denied(what: str) -> Decision:
    text = (
        f"{what}, which is a key of Pointsman: who has it can sign the record, or answer in a "
        "person's place. No agent needs it; the public half is told by: pointsman ledger key"
    )
    return deny(text, rule=RULE)
