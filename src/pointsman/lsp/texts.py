"""Files as they are on the disk now, and columns as the protocol counts them."""

import os
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from pointsman.model.errors import ServerError
from pointsman.paths.content import read_regular

MOST_TEXT = 2 * 1024 * 1024
"""Bytes of a file that a server is told; a larger one was made by a program."""
_MOST_KEPT = 128

Stamp = tuple[int, int, int]
"""When a file was last written, its size, and which file it is."""


@dataclass(frozen=True, slots=True)
class Text:
    """What a file held at one moment."""

    path: str
    stamp: Stamp
    lines: tuple[str, ...]
    """Without their ends."""
    whole: str


class Texts:
    """The texts that were read last, read again where the file has changed."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Text] = OrderedDict()

    def read(self, path: str) -> Text:
        """Return a file's text.

        Raises:
            ServerError: there is none, or none that a server could be told.
        """
        now = stamp(path)
        kept = self._kept.get(path)
        if kept is None or kept.stamp != now:
            kept = self._kept[path] = _read(path, now)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(path)
        return kept


def stamp(path: str) -> Stamp | None:
    """Return what tells a file from its next version, ``None`` where there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: str, now: Stamp | None) -> Text:
    if now is None:
        raise ServerError(f"there is no file {path}")
    try:
        # A byte order mark is none of the text, as every server has it.
        whole = read_regular(path, MOST_TEXT).decode("utf-8-sig")
    except OSError as error:
        raise ServerError(f"{path} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise ServerError(f"{path} is no UTF-8") from error
    # Not splitlines(), which knows ends that the protocol does not (3.17, «EOL»).
    lines = whole.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Text(path, now, tuple(lines), whole)


def to_units(line: str, index: int) -> int:
    """Return the UTF-16 code units before a character of a line."""
    return index if line.isascii() else len(line[:index].encode("utf-16-le", "surrogatepass")) // 2


def to_index(line: str, units: int) -> int:
    """Return the character that so many UTF-16 code units are before, at most the line's end."""
    if line.isascii():
        return min(units, len(line))
    return len(line.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "ignore"))


def to_uri(path: str) -> str:
    """Return a path's name for a server."""
    return "file://" + quote(path, safe="/")


def to_path(uri: object) -> str:
    """Return the path of a server's name for a file, or the empty string where it is none."""
    if not isinstance(uri, str):
        return ""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        return ""
    # '?' and '#' in a name are quoted by whoever keeps to the rules; TypeScript does.
    return os.path.normpath(unquote(parts.path))
