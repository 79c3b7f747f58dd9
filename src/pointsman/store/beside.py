"""The file beside the ledger: one line for each checkpoint, of a quiet time only the last.

It does not grow without end: where it is full, every second line of its older half goes. So the
older, the sparser; and what is left of a time vouches for all before it.
"""

import contextlib
import os
from pathlib import Path

from pointsman.store.checkpoints import Checkpoint

MOST = 4 * 1024 * 1024
"""Bytes of the file, about nine thousand checkpoints; then it is thinned out."""


def beside_file(ledger: Path) -> Path:
    """Return where the checkpoints of a ledger are written to in any case."""
    return ledger.with_name(f"{ledger.name}.checkpoints")


class Beside:
    """The file, as its one writer has it."""

    def __init__(self, path: Path, most: int = MOST) -> None:
        self.path = path
        self._most = most
        self._last: tuple[Checkpoint, int, int] | None = None

    def write(self, checkpoint: Checkpoint) -> None:
        """Add one; a file that cannot be written leaves what is in the ledger."""
        with contextlib.suppress(OSError):
            self.add(checkpoint)

    def add(self, checkpoint: Checkpoint) -> None:
        """Add one.

        Raises:
            OSError: it cannot be written.
        """
        data = (checkpoint.line() + "\n").encode()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = os.lseek(descriptor, 0, os.SEEK_END)
            last = self._last
            # Where nothing came since, the newer one says all that the older one said; a minute
            # each would be a quarter of a gigabyte in a quiet year.
            if last and end == last[2] and last[0].tree_size == checkpoint.tree_size:
                end = last[1]
            os.pwrite(descriptor, data, end)
            os.ftruncate(descriptor, end + len(data))
        finally:
            os.close(descriptor)
        self._last = (checkpoint, end, end + len(data))
        if end + len(data) > self._most:
            # A file that only takes what is added (``chattr +a``) just stays as it is.
            with contextlib.suppress(OSError):
                self._thin_out()

    def _thin_out(self) -> None:
        lines = self.path.read_bytes().splitlines(keepends=True)
        older = len(lines) // 2
        kept = [*lines[:older:2], *lines[older:]]
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(kept)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)
        self._last = None
