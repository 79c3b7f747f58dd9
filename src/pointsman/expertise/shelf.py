"""The sheets of this machine, for hooks and commands."""

import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from pointsman.expertise.detect import EXPERTS, detect
from pointsman.expertise.focus import concerned, told
from pointsman.expertise.merge import merged
from pointsman.expertise.sheet import Bounds, Read, read_sheet
from pointsman.model.expertise import ERROR_LINES, WARN_LINES, Domain, Level, Sheet, SheetFile

_MOST_KNOWN = 128
_SETTLED_NS = 50_000_000
"""Age from which a file's stamp stands for its content: clocks of file systems tick coarsely."""


class Shelf:
    """Finds, reads and shortens sheets (``model.expertise.Experts``).

    ``agents`` is where the user's own agents lie; their sheets are in ``experts`` there.
    """

    def __init__(self, agents: Path | None) -> None:
        self._own = f"{agents}/experts" if agents is not None else None
        self._known: dict[str, tuple[object, Bounds, Read]] = {}

    def domains(self, root: str) -> Sequence[Domain]:
        """Return the domains of a repository, those with a sheet first."""
        return detect(root, self._own)

    def sheet(self, domain: Domain, warn: int = WARN_LINES, error: int = ERROR_LINES) -> Sheet:
        """Return what is written of a domain; what cannot be read is a flaw of it."""
        bounds = Bounds(warn, error)
        reads = [self._read(each, bounds) for each in domain.files]
        return Sheet(
            domain=domain,
            sections=MappingProxyType(merged(each.sections for each in reads)),
            flaws=tuple(flaw for each in reads for flaw in each.flaws),
            lines=MappingProxyType({each.file: each.lines for each in reads}),
        )

    def concerned(
        self, sheets: Sequence[Sheet], paths: Sequence[str], agent: str
    ) -> Sequence[Sheet]:
        """Return the sheets that these paths, or an agent of this name, have to do with."""
        return concerned(sheets, paths, agent)

    def told(self, sheets: Sequence[Sheet], root: str, paths: Sequence[str], tokens: int) -> str:
        """Return the most telling lines of these sheets, at most so many tokens of them."""
        return told(sheets, root, paths, tokens)

    def _read(self, file: SheetFile, bounds: Bounds) -> Read:
        """Read a sheet, or give what was read of it when it had the same stamp."""
        stamp = _stamp(file.path)
        known = self._known.get(file.path)
        if known is not None and stamp is not None and known[:2] == (stamp, bounds):
            return known[2]
        read = read_sheet(file.path, self._folder(file.path, file.level), bounds)
        self._known[file.path] = (stamp, bounds, read)
        while len(self._known) > _MOST_KNOWN:
            self._known.pop(next(iter(self._known)), None)
        return read

    def _folder(self, path: str, level: Level) -> str:
        """Return what a sheet must not lead out of."""
        if level is Level.USER and self._own:
            return self._own
        return path.partition(f"/{EXPERTS}/")[0]


def _stamp(path: str) -> object:
    """Return what changes when a file does, or ``None`` where that cannot be relied upon."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if abs(time.time_ns() - found.st_ctime_ns) < _SETTLED_NS or stat.S_ISLNK(found.st_mode):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns)
