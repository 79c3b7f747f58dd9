"""Small and read-only disks, in a mount namespace that ends with the process in it."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest


@cache
def _possible() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    words = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def on_a_disk(
    folder: Path,
    words: Sequence[str],
    *,
    options: str,
    bind: bool = False,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command that sees a small tmpfs at ``folder``, or the folder itself remounted.

    Skips the test where no mount can be made.
    """
    if not _possible():
        # Not a host that could be installed: a sandbox around the tests may forbid it.
        pytest.skip("only root with mount namespaces can make a small disk")
    small = f'mount -t tmpfs -o {options},mode=700 none "$0"'
    same = f'mount --bind "$0" "$0" && mount -o remount,bind,{options} "$0"'
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{same if bind else small} && exec "$@"', folder, *words],
        capture_output=True,
        env={**os.environ, **(env or {})},
        check=False,
        timeout=120,
    )
