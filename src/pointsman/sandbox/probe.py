"""What holds commands on this machine: each mechanism is really tried, once."""

import ctypes
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pointsman.model.confinement import MECHANISMS, Confinement, Seam
from pointsman.sandbox.confine import confine

AUTO = "auto"
_PATH = "/usr/bin:/bin:/usr/local/bin:/run/current-system/sw/bin"
"""Where bubblewrap is looked for: not where an agent could have put one."""
_PATIENCE = 10.0
_LANDLOCK_CREATE_RULESET = 444
_TRIAL = 'echo in > "$1/in/file" && ! echo out > "$1/out/file"'


def probe(client: Sequence[str], wanted: str = AUTO, *, path: str = _PATH) -> Seam:
    """Return what holds commands here: the first mechanism in ``MECHANISMS`` that does.

    ``client`` are the words that start ``pointsman-exec``. ``wanted`` names one mechanism instead
    of all; where that one does not work the answer is ``none``, and never another. What counts as
    working: under it a shell could write where it may and could not write beside it.
    """
    refused: list[tuple[str, str]] = []
    for mechanism in MECHANISMS[:-1]:
        if wanted not in {AUTO, mechanism}:
            refused.append((mechanism, f"the settings ask for {wanted}"))
            continue
        why = "it does not hold"
        for seam in _CANDIDATES[mechanism](tuple(client), path):
            why = seam.version if not seam.mechanism else _try(seam)
            if not why:
                return replace(seam, refused=tuple(refused))
        refused.append((mechanism, why))
    return Seam(mechanism="none", client=tuple(client), refused=tuple(refused))


def _bubblewrap(client: tuple[str, ...], path: str) -> Iterator[Seam]:
    """Yield the ways to use it, best first; a seam without a mechanism says why there is none."""
    program = shutil.which("bwrap", path=path)
    if program is None:
        yield Seam(mechanism="", client=client, version="it is not installed")
        return
    first = Seam(
        mechanism="bubblewrap", client=client, version=_version(program),
        program=os.path.realpath(program), disks=_has_disks(),
    )  # fmt: skip
    # Root needs no user namespace, and in one it could not give files to other users.
    users = (False, True) if os.geteuid() == 0 else (True,)
    for stays in (False, True):
        for new_user in users:
            # Root that is not joined would find the world outside in bubblewrap's own /proc entry.
            if not (stays and not new_user):
                yield replace(first, new_user=new_user, stays=stays)


def _landlock(client: tuple[str, ...], path: str) -> Iterator[Seam]:
    del path
    abi = landlock_abi()
    if abi < 1:
        yield Seam(mechanism="", client=client, version="the kernel has it not, or not switched on")
        return
    yield Seam(mechanism="landlock", client=client, version=f"ABI {abi}")


_CANDIDATES: Mapping[str, Callable[[tuple[str, ...], str], Iterator[Seam]]] = {
    "bubblewrap": _bubblewrap,
    "landlock": _landlock,
}


def landlock_abi() -> int:
    """Return the version of Landlock's interface, 0 where there is none."""
    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return 0
    call.restype = ctypes.c_long
    arguments = (ctypes.c_long(_LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0))
    return max(0, int(call(*arguments, ctypes.c_uint32(1))))


def _try(seam: Seam) -> str:
    """Return why this one does not hold, or the empty string."""
    with tempfile.TemporaryDirectory(prefix="pointsman-probe-") as made:
        folder = os.path.realpath(made)
        for name in ("in", "out"):
            os.mkdir(f"{folder}/{name}")
        place = Confinement(root=folder, writable=(f"{folder}/in",))
        words = [*confine(place, seam).words, "/bin/sh", "-c", _TRIAL, "sh", folder]
        try:
            done = subprocess.run(
                words, capture_output=True, timeout=_PATIENCE, check=False, cwd=folder,
                stdin=subprocess.DEVNULL, env={"PATH": _PATH},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if os.path.lexists(f"{folder}/out/file"):
            return "a file could be written beside what was allowed"
        if done.returncode != 0 or not os.path.lexists(f"{folder}/in/file"):
            return _said(done.stderr) or f"its command ended with {done.returncode}"
    return ""


def _said(stderr: bytes) -> str:
    return " ".join(stderr.decode(errors="replace").split())[:300]


def _version(program: str) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip().removeprefix("bubblewrap ")


def _has_disks() -> bool:
    """Whether a disk could be written past the file system: root, and members of ``disk``."""
    if os.geteuid() == 0:
        return True
    try:
        with os.scandir("/dev") as entries:
            return any(
                stat.S_ISBLK(entry.stat(follow_symlinks=False).st_mode)
                and os.access(entry.path, os.W_OK)
                for entry in entries
            )
    except OSError:
        return True
