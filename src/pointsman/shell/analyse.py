"""A shell command as text in, everything it runs and does to files out. Pure and bounded."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from pointsman.shell.descriptors import through_descriptors
from pointsman.shell.effects import Analysis, Effect
from pointsman.shell.files import Files, Read
from pointsman.shell.programs import effects_of
from pointsman.shell.running import Run
from pointsman.shell.state import MOST_TEXT, Spent, Steps, fresh
from pointsman.shell.walk import Walker
from pointsman.shell.whole_words import joined

_STEPS_PER_BYTE = 2
_FEWEST_STEPS = 20_000


def analyse(
    command: str,
    *,
    cwd: str,
    home: str,
    variables: Mapping[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
    read: Read | None = None,
) -> Analysis:
    """Return what this command runs and does, as far as that is static.

    ``scripts`` are texts of files by their absolute paths, such as the session has written;
    ``read`` returns the content of any other script that the command starts, or ``None``.
    Whatever is not known is named in ``unverified``, or is an effect that is opaque. Never raises;
    the work is linear in the text.
    """
    given = tuple(sorted((variables or {}).items()))
    first = _analyse(command, cwd, home, given)
    if not first.asked or (not scripts and read is None):
        return first
    return _work(command, cwd, home, given, Files(scripts, read))


def _walked(effects: Iterable[Effect], walked: Mapping[str, Iterable[str]]) -> Iterator[Effect]:
    """Yield effects again by the paths that the kernel walks: only the disk knows which holds."""
    for each in effects:
        above, _, name = each.path.rpartition("/")
        for raw in walked.get(each.path, ()):
            yield replace(each, path=raw)
        for raw in walked.get(above, ()):
            yield replace(each, path=f"{raw}/{name}")


@lru_cache(maxsize=64)
def _analyse(command: str, cwd: str, home: str, variables: tuple[tuple[str, str], ...]) -> Analysis:
    """Do the work, once for the several guards that ask about one command."""
    return _work(command, cwd, home, variables, Files(track=True))


def _work(
    command: str, cwd: str, home: str, variables: tuple[tuple[str, str], ...], files: Files
) -> Analysis:
    steps = Steps(_FEWEST_STEPS + _STEPS_PER_BYTE * min(len(command), MOST_TEXT))
    run = Run(fresh(cwd, home, dict(variables)), steps, files, Walker)
    try:
        run.script(joined(command), same=True)
        run.calls_traps()
    except Spent:
        run.unverified.append("it takes more steps than an analysis may")
    except Exception as error:  # noqa: BLE001 - an analysis that breaks has verified nothing
        run.unverified.append(f"the analysis broke: {type(error).__name__}")
    found = (each for each in run.found if not each.remote)
    said = [effect for each in found for effect in effects_of(each)]
    effects = tuple(through_descriptors(said, run.read_on))
    effects += tuple(_walked(effects, run.walked)) if run.walked else ()
    unverified = tuple(dict.fromkeys(run.unverified))
    return Analysis(
        tuple(run.found), (*effects, *dict.fromkeys(run.effects)), unverified, steps.used,
        tuple(files.asked), tuple(files.started),
    )  # fmt: skip
