"""Linux tells what changes in directories (inotify(7)), so that nobody has to look again."""

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable

from pointsman.model.errors import ServerError

_NONBLOCK = os.O_NONBLOCK | os.O_CLOEXEC
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_MODIFY, _MOVE_SELF = 0x2, 0x800
_OVERFLOW, _IGNORED, _IS_FOLDER = 0x4000, 0x8000, 0x40000000
_ONLY_FOLDERS, _NO_LINKS = 0x01000000, 0x02000000
_WATCHED = (
    _MODIFY | _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _MOVE_SELF
    | _ONLY_FOLDERS | _NO_LINKS
)  # fmt: skip
_EVENT = struct.Struct("iIII")
_MOST_READ = 256 * 1024


class Watches:
    """Directories that are watched, by one inotify descriptor.

    Raises:
        ServerError: there is no inotify here, or no watch to be had.
    """

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise ServerError("only Linux has inotify")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(_NONBLOCK)
        if self._descriptor < 0:
            raise ServerError(f"no inotify: {os.strerror(ctypes.get_errno())}")
        self._paths: dict[int, str] = {}

    def add(self, folders: Iterable[str]) -> None:
        """Watch directories, those that are watched already too (they may have another name).

        Raises:
            ServerError: the user may have no more watches.
        """
        for folder in folders:
            number = self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _WATCHED)
            if number >= 0:
                self._paths[number] = folder
            elif ctypes.get_errno() in _USED_UP:
                raise ServerError(f"no watch: {os.strerror(ctypes.get_errno())}")

    def changed(self) -> tuple[set[str], bool]:
        """Return the files that have changed since the last call, and whether to look at all anew.

        That is so where directories came, went or moved, and where there was too much to tell.
        """
        files: set[str] = set()
        anew = False
        while data := self._read():
            offset = 0
            while offset + _EVENT.size <= len(data):
                number, mask, _, length = _EVENT.unpack_from(data, offset)
                offset += _EVENT.size
                name = os.fsdecode(data[offset : offset + length].rstrip(b"\0"))
                offset += length
                anew = anew or bool(mask & (_OVERFLOW | _IS_FOLDER | _MOVE_SELF))
                if mask & _IGNORED:
                    self._paths.pop(number, None)
                elif name and number in self._paths:
                    files.add(f"{self._paths[number]}/{name}")
        return files, anew

    def close(self) -> None:
        """Watch no more."""
        os.close(self._descriptor)

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _MOST_READ)
        except BlockingIOError:
            return b""


_USED_UP = frozenset((errno.ENOSPC, errno.ENOMEM, errno.EMFILE))
"""What the limits of the user and of the machine look like."""
