"""A shell command as text in, everything it runs and does to files out. Pure and bounded."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from pointsman.shell.carried import Carried
from pointsman.shell.carriers import carried
from pointsman.shell.effects import UNKNOWN, Analysis, Invocation
from pointsman.shell.interpreters import shell_texts
from pointsman.shell.programs import effects_of
from pointsman.shell.state import MOST_DEPTH, MOST_TEXT, Spent, State, Steps
from pointsman.shell.walk import Walker

_STEPS_PER_BYTE = 2
_FEWEST_STEPS = 20_000
_MOST_INVOCATIONS = 20_000


def analyse(
    command: str, *, cwd: str, home: str, variables: Mapping[str, str] | None = None
) -> Analysis:
    """Return what this command runs and does, as far as that is static.

    Whatever is not is named in ``unverified``. Never raises; the work is linear in the text.
    """
    return _analyse(command, cwd, home, tuple(sorted((variables or {}).items())))


@lru_cache(maxsize=64)
def _analyse(command: str, cwd: str, home: str, variables: tuple[tuple[str, str], ...]) -> Analysis:
    """Do the work, once for the several guards that ask about one command."""
    steps = Steps(_FEWEST_STEPS + _STEPS_PER_BYTE * min(len(command), MOST_TEXT))
    work = _Work(steps)
    state = State(cwd, home, dict(variables))
    try:
        work.script(command, state, (), 0)
    except Spent:
        work.unverified.append("it takes more steps than an analysis may")
    except Exception as error:  # noqa: BLE001 - an analysis that breaks has verified nothing
        work.unverified.append(f"the analysis broke: {type(error).__name__}")
    effects = tuple(effect for each in work.found for effect in effects_of(each))
    unverified = tuple(dict.fromkeys(work.unverified))
    return Analysis(tuple(work.found), effects, unverified, steps.used)


class _Work:
    """Unwraps carriers until only programs are left."""

    def __init__(self, steps: Steps) -> None:
        self.found: list[Invocation] = []
        self.unverified: list[str] = []
        self._steps = steps

    def script(self, text: str, state: State, via: tuple[str, ...], depth: int) -> None:
        """Take a shell text apart."""
        if depth > MOST_DEPTH:
            self.unverified.append("it is nested too deeply")
            return
        walker = Walker(text, state, self._steps, depth)
        walker.run()
        self.unverified += walker.unverified
        for each in walker.found:
            self.command(replace(each, via=via), state, depth)

    def command(self, each: Invocation, state: State, depth: int) -> None:
        """Keep an invocation, and what it carries."""
        self._steps.take(1 + len(each.argv) // 16)
        if len(self.found) >= _MOST_INVOCATIONS or depth > MOST_DEPTH:
            self.unverified.append("it runs too many commands")
            return
        self.found.append(each)
        if each.argv and not each.argv[0].strip(UNKNOWN):
            self.unverified.append(f"the program of {each.text[:60]!r} is not known")
        via = (*each.via, each.program)
        for inner in carried(each):
            self._carried(inner, each, state, via, depth + 1)
        for text in shell_texts(each):
            if text == UNKNOWN:
                self.unverified.append(f"what code for {each.program} runs is not known")
                continue
            self.script(text, self._at(state, each), via, depth + 1)

    def _carried(
        self, inner: Carried, outer: Invocation, state: State, via: tuple[str, ...], depth: int
    ) -> None:
        if inner.unverified:
            self.unverified.append(inner.unverified)
        if inner.script is not None:
            self.script(inner.script, self._at(state, outer), via, depth)
        if inner.argv:
            self.command(replace(outer, argv=inner.argv, redirects=(), via=via), state, depth)

    @staticmethod
    def _at(state: State, each: Invocation) -> State:
        return replace(state.copy(), cwd=each.cwd)
