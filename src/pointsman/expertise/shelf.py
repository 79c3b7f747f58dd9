"""The sheets of this machine, for hooks and commands."""

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from pointsman.expertise.detect import EXPERTS, detect
from pointsman.expertise.focus import concerned, told
from pointsman.expertise.merge import merged
from pointsman.expertise.sheet import Bounds, read_sheet
from pointsman.model.expertise import ERROR_LINES, WARN_LINES, Domain, Level, Sheet


class Shelf:
    """Finds, reads and shortens sheets (``model.expertise.Experts``).

    ``agents`` is where the user's own agents lie; their sheets are in ``experts`` there.
    """

    def __init__(self, agents: Path | None) -> None:
        self._own = f"{agents}/experts" if agents is not None else None

    def domains(self, root: str) -> Sequence[Domain]:
        """Return the domains of a repository, those with a sheet first."""
        return detect(root, self._own)

    def sheet(self, domain: Domain, warn: int = WARN_LINES, error: int = ERROR_LINES) -> Sheet:
        """Return what is written of a domain; what cannot be read is a flaw of it."""
        reads = [read_sheet(each.path, self._folder(each.path, each.level), Bounds(warn, error))
                 for each in domain.files]  # fmt: skip
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

    def _folder(self, path: str, level: Level) -> str:
        """Return what a sheet must not lead out of."""
        if level is Level.USER and self._own:
            return self._own
        return path.partition(f"/{EXPERTS}/")[0]
