"""What a file holds, read so that no file can hang or fill the reader."""

import errno
import hashlib
import os
import stat

MOST_HASHED = 64 * 1024 * 1024
"""Bytes of a file that are hashed; a larger one cannot be told from its next version."""


def read_regular(path: str, most: int) -> bytes:
    """Return a regular file's bytes.

    Raises:
        OSError: it cannot be read, is a pipe, a device or a directory, or is larger than ``most``.
    """
    # Opening a pipe that nobody writes to would wait for ever, but for O_NONBLOCK.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        # The descriptor is asked, not the name, which may be another file's by now.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        # The size that is told proves nothing: a file may grow meanwhile, those in /proc tell 0.
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most} bytes", path)
    return data


def digest(path: str, most: int = MOST_HASHED) -> str:
    """Return the SHA-256 of a regular file's bytes.

    Raises:
        OSError: as ``read_regular`` does.
    """
    return hashlib.sha256(read_regular(path, most)).hexdigest()
