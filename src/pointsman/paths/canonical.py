"""Where a path really leads, the way the kernel walks it."""

import os
import re
import stat
from dataclasses import dataclass

_OF_A_PROCESS = re.compile(r"/+(dev/+std(in|out|err)|(dev|proc/+(thread-)?self)/+fd/+[^/]+)\Z")

_LONGEST = 4096
"""Bytes of the longest path that Linux takes (PATH_MAX)."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """A path after every ``..`` and symbolic link, absolute; its last parts need not exist.

    ``unresolved`` is a reason why that could not be established (then ``path`` is the textual
    form); ``links`` counts the names of an existing regular file, ``identity`` is its device
    and inode.
    """

    path: str
    unresolved: str = ""
    links: int = 1
    identity: tuple[int, int] | None = None


def canonical(path: str, cwd: str) -> Canonical:
    """Resolve ``path`` from ``cwd``; never raises."""
    text = path if path.startswith("/") else f"{cwd}/{path}"
    if _OF_A_PROCESS.match(text):
        # What the daemon has open, and where it stands, is nobody else's.
        return Canonical(os.path.normpath(f"/{text.lstrip('/')}"))
    problem = _problem(path, cwd, text)
    if problem:
        return Canonical(os.path.normpath(text.replace("\0", "\ufffd")), problem)
    try:
        # Not normalised before: behind a link, `..` leads elsewhere than the text says.
        real = os.path.realpath(text)
        # realpath leaves a loop of links unresolved without a word.
        if stat.S_ISLNK(_mode(real)):
            return Canonical(real, "its symbolic links lead in a circle")
        return _with_identity(real)
    except OSError as error:
        return Canonical(os.path.normpath(text), f"it cannot be looked up: {error.strerror}")
    except (ValueError, RecursionError) as error:
        return Canonical(os.path.normpath(text), f"it cannot be looked up: {error}")


def real_path(path: str) -> str:
    """Return where an absolute path leads, or its textual form where that cannot be looked up.

    ``os.path.realpath`` raises where a link may not be read: `/proc/1/root` is one.
    """
    return canonical(path, "/").path


def readings(path: str, cwd: str) -> tuple[Canonical, ...]:
    """Return every place that a path may mean, the kernel's first.

    A host's file tool may strip white space around it, may put the home in for ``~``, and may
    take ``..`` away textually before the kernel sees it, which behind a symbolic link leads
    elsewhere. Whoever judges a path judges all of them.
    """
    stripped = path.strip()
    texts = [path, stripped]
    if stripped.startswith("~"):
        texts.append(os.path.expanduser(stripped))
    if ".." in stripped and "\0" not in stripped:
        texts.append(
            os.path.normpath(stripped if stripped.startswith("/") else f"{cwd}/{stripped}")
        )
    return tuple(dict.fromkeys(canonical(text, cwd) for text in dict.fromkeys(texts)))


def _problem(path: str, cwd: str, text: str) -> str:
    if not path:
        return "it is empty"
    if "\0" in path:
        return "it contains a NUL"
    if not text.startswith("/") or not (cwd.startswith("/") or path.startswith("/")):
        return f"it is relative and the working directory is {cwd!r}"
    try:
        length = len(os.fsencode(text))
    except UnicodeEncodeError:
        return "it is not text that a file system can hold"
    return f"it is {length} bytes long" if length > _LONGEST else ""


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _with_identity(real: str) -> Canonical:
    try:
        found = os.stat(real)
    except (FileNotFoundError, NotADirectoryError):
        return Canonical(real)
    # A directory's links are no second names: the directories in it count among them.
    links = found.st_nlink if stat.S_ISREG(found.st_mode) else 1
    return Canonical(real, links=links, identity=(found.st_dev, found.st_ino))
