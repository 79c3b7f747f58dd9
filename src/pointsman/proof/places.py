"""Names in a tree, reached without following a symbolic link anywhere below its root.

Between a look at a path and an act on it, an agent may put a link in the place of a directory. So
each directory is opened from the one above it, and every act names a descriptor and a last name.
"""

import contextlib
import ctypes
import errno
import os
import stat
from collections.abc import Iterator

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_EXCHANGE = 2
_NOREPLACE = 1
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def directory(root: str, relative: str) -> Iterator[int]:
    """Open a directory of a tree, and let it be written to for as long as it is open.

    Raises:
        OSError: it is none, or a symbolic link stands in the way.
    """
    with contextlib.ExitStack() as held:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        held.callback(os.close, descriptor)
        for part in filter(None, relative.split("/")):
            descriptor = _inner(held, descriptor, part)
        yield descriptor


def _inner(held: contextlib.ExitStack, above: int, part: str) -> int:
    """Open one directory more; one that keeps its owner out is opened to us meanwhile."""
    named = os.open(part, _DIRECTORY | os.O_PATH, dir_fd=above)
    held.callback(os.close, named)
    mode = stat.S_IMODE(os.fstat(named).st_mode)
    if mode & 0o700 != 0o700:
        set_mode(named, mode | 0o700)
        held.callback(_give_back, named, mode)
    descriptor = os.open(part, _DIRECTORY, dir_fd=above)
    held.callback(os.close, descriptor)
    if not os.path.samestat(os.fstat(descriptor), os.fstat(named)):
        raise OSError(errno.ESTALE, "it was replaced meanwhile", part)
    return descriptor


def _give_back(named: int, mode: int) -> None:
    # Unless somebody has given it another one meanwhile.
    if stat.S_IMODE(os.fstat(named).st_mode) == mode | 0o700:
        set_mode(named, mode)


def set_mode(named: int, mode: int) -> None:
    """Set the mode of what a descriptor of a mere name (``O_PATH``) stands for."""
    os.chmod(f"/proc/self/fd/{named}", mode)  # noqa: PTH101 - fchmod refuses such descriptors


def exchange(at: int, one: str, other: str) -> None:
    """Let two names of a directory change places, in one step of the kernel.

    Raises:
        OSError: one of them is gone; EINVAL or ENOSYS where the file system cannot do it.
    """
    _rename(at, one, other, _EXCHANGE)


def rename_new(at: int, one: str, other: str) -> None:
    """Give a name to what has another, unless the new one is taken.

    Raises:
        OSError: EEXIST where it is taken.
    """
    try:
        _rename(at, one, other, _NOREPLACE)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS}:
            raise
        # Not in one step on this file system; between the two, somebody's file could be lost.
        if _taken(at, other):
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), other) from None
        os.rename(one, other, src_dir_fd=at, dst_dir_fd=at)


def _taken(at: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _rename(at: int, one: str, other: str, flags: int) -> None:
    call = getattr(_libc, "renameat2", None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(at, os.fsencode(one), at, os.fsencode(other), flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), other)
