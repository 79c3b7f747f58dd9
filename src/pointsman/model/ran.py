"""How a command of a contract ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run.

    ``code`` is its exit code (a negative one the signal that ended it), ``None`` where it was
    killed at its deadline or could not be started: then ``problem`` says so. ``output`` are the
    last lines of what it printed, stdout and stderr as they came; ``seconds`` is how long it took.
    """

    code: int | None
    output: str = ""
    seconds: float = 0.0
    problem: str = ""


class RunCommand(Protocol):
    """Runs a command in a directory, for so many seconds at the most."""

    async def __call__(self, command: Sequence[str], cwd: str, seconds: float) -> Ran:
        """Return how it ended; whatever is left of it by then is killed."""


async def run_nothing(command: Sequence[str], cwd: str, seconds: float) -> Ran:
    """Say that nothing runs here: outside the daemon nobody asked for it."""
    del cwd, seconds
    return Ran(None, problem=f"{command[-1]!r} is not run here, only by the daemon")
