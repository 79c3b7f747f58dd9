"""How time grows with the input: time(2n) / time(n) of everything that reads what an agent says.

Linear is 2. The figure is the worst doubling of the worst shape. Each time is processor time, and
the least of several runs that take turns: what is left is the program and not the machine.
"""

import contextlib
import gc
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.figures import BenchError, Figure, ratio, rounded
from bench.inputs import COMMANDS, CONTRACTS, HARD_GLOBS, MOST_PATTERNS, PATHS, PAYLOADS, Shape
from bench.rig import Effort, Rig, rig
from pointsman.agents.all_agents import fault_of_change
from pointsman.agents.claude_code import NAME, read
from pointsman.hooks.all_hooks import SHIPPED, shipped_hooks
from pointsman.hooks.foretold import foretold
from pointsman.hooks.kit import Kit
from pointsman.model.budget import LONGEST, Budget
from pointsman.model.contract import Contract
from pointsman.model.errors import PayloadError
from pointsman.model.event import Event, Identity
from pointsman.model.events import ConfigChange, PreEdit, PreToolUse
from pointsman.model.hook import Hook, HookContext
from pointsman.model.policy import Policy

_GOAL = 2.2
_LEAST_S = 0.004
"""Seconds; what takes less is not worth a ratio on a machine that does other things too."""
_TELLING_S = 0.001
"""Seconds; below that a step of some table says more than the growth."""
_ENOUGH_S = 0.04
"""Seconds after which an input is not made larger."""
_LONGEST_S = 3.0
"""Seconds after which a call is ended; its ratio is then at least what is shown."""
_FIRST = 16
_NAME = 200
"""Characters of one name in a path, below what file systems take."""
_TURNS = 3
_RETRIES = 4

Prepare = Callable[[int, int], Callable[[], object]]
"""From a size and a number to the call that is timed; what it needs is made beforehand."""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is given growing input."""

    name: str
    prepare: Prepare
    most: int


@dataclass(frozen=True, slots=True)
class Doubling:
    """One step of a case: seconds at ``size`` and at twice that."""

    case: str
    size: int
    single: float
    double: float

    @property
    def ratio(self) -> float:
        """How many times longer twice the input took."""
        return ratio(self.double, self.single)


def growth(effort: Effort) -> list[Figure]:
    """Measure every shipped guard, and the reading of payloads."""
    with rig() as made, _home(made):
        return [
            *(growth_figure(guard, _cases(guard, made), effort) for guard in SHIPPED),
            growth_figure("payload", _payload_cases(), effort),
        ]


@contextlib.contextmanager
def _home(made: Rig) -> Iterator[None]:
    """Let HOME lead to the rig's while guards run in this process."""
    before = os.environ.get("HOME")
    os.environ["HOME"] = made.environ["HOME"]
    try:
        yield
    finally:
        if before is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = before


def growth_figure(name: str, cases: list[Case], effort: Effort) -> Figure:
    """Return the worst doubling of the worst case.

    Raises:
        BenchError: there are no cases.
    """
    if not cases:
        raise BenchError(f"the guard {name!r} is given no growing input: add some in bench/inputs")
    found, crashed = _found(cases, effort)
    about = f"time(2n)/time(n) of {name}, the worst doubling of {len(cases)} kinds of input"
    if not found:
        reason = f"no input takes {_LEAST_S * 1e3:g} ms even at its largest"
        return Figure(name=f"growth, {name}", what=about, unit="x", goal=_GOAL, reason=reason)
    worst = max(found, key=lambda each: each.ratio)
    return Figure(
        name=f"growth, {name}",
        what=about,
        unit="x",
        value=worst.ratio,
        goal=_GOAL,
        detail={
            "worst_input": worst.case,
            "n": worst.size,
            "time_n_ms": rounded(worst.single * 1e3),
            "time_2n_ms": rounded(worst.double * 1e3),
            "over_goal": "; ".join(each.case for each in found if each.ratio > _GOAL) or "none",
            "crashed_on": "; ".join(crashed) or "nothing",
            "kinds": len(cases),
            "slowest_ms": rounded(max(each.double for each in found) * 1e3),
        },
    )


def _found(cases: list[Case], effort: Effort) -> tuple[list[Doubling], list[str]]:
    """Return the worst doubling of each case, and what a guard crashed on."""
    found: list[Doubling] = []
    crashed = []
    for case in cases:
        try:
            worst = worst_doubling(case, effort)
        except Exception as error:  # noqa: BLE001 - a guard's bug is said, not what ends the bench
            crashed.append(f"{case.name} ({type(error).__name__}: {error})")
        else:
            found += [worst] if worst is not None else []
    by_name = {case.name: case for case in cases}
    return [_second_look(by_name[each.case], each, effort) for each in found], crashed


def _second_look(case: Case, first: Doubling, effort: Effort) -> Doubling:
    """Measure a doubling that missed the goal again, later: other work comes in bursts."""
    if first.ratio <= _GOAL or first.double >= _LONGEST_S:
        return first
    return min(first, _measured(case, first.size, effort), key=lambda each: each.ratio)


def worst_doubling(case: Case, effort: Effort) -> Doubling | None:
    """Return the doubling with the worst ratio, or ``None`` where all of it is too quick.

    Every doubling is looked at once; the largest and the one that looks worst are measured.
    """
    seen = _looked_at(case)
    slow = [size for size in seen if seen.get(2 * size, 0.0) >= _LEAST_S]
    if not slow:
        size, took = next(iter(seen.items()))
        return Doubling(case.name, size // 2, took / 2, took) if took >= _LONGEST_S else None
    chosen = {slow[-1], max(slow, key=lambda size: seen[2 * size] / seen[size])}
    measured = [_measured(case, size, effort) for size in chosen]
    telling = [each for each in measured if each.single >= _TELLING_S or each.double >= _ENOUGH_S]
    return max(telling, key=lambda each: each.ratio, default=None)


def _looked_at(case: Case) -> dict[int, float]:
    """Return seconds by size, up to the cap or until it takes long enough."""
    seen: dict[int, float] = {}
    size = _FIRST
    while size <= case.most:
        seen[size] = _once(case, size, 0)
        if seen[size] > _ENOUGH_S:
            break
        size *= 2
    return seen


def _measured(case: Case, size: int, effort: Effort) -> Doubling:
    """Measure one doubling; one that misses the goal is given more runs before it is believed."""
    single = double = float("inf")
    number = 0
    for _ in range(effort.of(_RETRIES, 1)):
        for _ in range(_TURNS):
            number += 1
            single = min(single, _once(case, size, number))
            double = min(double, _once(case, 2 * size, number))
            if double >= _LONGEST_S:
                break
        if double <= _GOAL * single or double >= _LONGEST_S:
            break
    return Doubling(case.name, size, single, double)


class _TooLong(BaseException):
    """Ends a call; no ``Exception``, because a guard may catch those."""


def _once(case: Case, size: int, number: int) -> float:
    """Return the seconds of one call, ``_LONGEST_S`` where it had to be ended."""
    call = case.prepare(size, number)
    gc.disable()  # As timeit does: its cost depends on what else this process keeps.
    before = signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST_S)
    started = time.process_time()
    try:
        call()
    except _TooLong:
        return _LONGEST_S
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return min(time.process_time() - started, _LONGEST_S)


def _end(number: int, frame: object) -> None:
    del number, frame
    raise _TooLong


def _cases(guard: str, made: Rig) -> list[Case]:
    hook = _hook(guard, made, Policy(repository=str(made.repository)))
    cases = []
    if "PreToolUse" in hook.events or not hook.events:
        cases += [_command_case(shape, hook, made) for shape in COMMANDS]
    if "PreEdit" in hook.events or not hook.events:
        cases += [_path_case(shape, hook, made) for shape in PATHS]
    if "ConfigChange" in hook.events:
        cases.append(_settings_case(hook, made))
    if guard == "proof":
        # What it reads of the call; the tree has a measurement of its own.
        return [_foretold_case(shape, made) for shape in COMMANDS]
    if guard == "scope":
        held = _held(("src/**", "tests/**"), made)
        held_hook = _hook(guard, made, held)
        cases = [_path_case(shape, held_hook, made) for shape in PATHS]
        cases += [_command_case(shape, held_hook, made, PreEdit) for shape in COMMANDS]
        cases += [_contract_case(name, made) for name in CONTRACTS]
        cases += [_hard_case(pattern, made) for pattern in HARD_GLOBS]
    return cases


def _hook(guard: str, made: Rig, policy: Policy) -> Hook:
    hooks = shipped_hooks(policy, Kit(places=made.places, fault=fault_of_change))
    return next(hook for hook in hooks if hook.name == guard)


def _held(allowed: tuple[str, ...], made: Rig) -> Policy:
    contract = Contract(
        agent="builder", source="builder.md", root=str(made.repository), allowed=allowed
    )
    return Policy(repository=str(made.repository), contracts={"builder": (contract,)})


def _identity(made: Rig) -> Identity:
    where = str(made.repository)
    return Identity(host=NAME, session="s", agent_type="builder", cwd=where, repository=where)


def _asked(hook: Hook, event: Event) -> Callable[[], object]:
    return lambda: hook.run(event, HookContext(Budget.of(LONGEST)))


def _command_case(
    shape: Shape, hook: Hook, made: Rig, kind: type[PreToolUse | PreEdit] = PreToolUse
) -> Case:
    def prepare(size: int, number: int) -> Callable[[], object]:
        given = {"command": shape.text(size, number)}
        event = kind(identity=_identity(made), tool_name="Bash", tool_input=given)
        return _asked(hook, event)

    return Case(shape.name, prepare, shape.most)


def _foretold_case(shape: Shape, made: Rig) -> Case:
    def prepare(size: int, number: int) -> Callable[[], object]:
        given = {"command": shape.text(size, number)}
        return lambda: foretold("Bash", given, _identity(made))

    return Case(shape.name, prepare, shape.most)


def _edit(made: Rig, path: str) -> PreEdit:
    return PreEdit(
        identity=_identity(made), tool_name="Write", tool_input={"file_path": path}, files=(path,)
    )


def _path_case(shape: Shape, hook: Hook, made: Rig) -> Case:
    def prepare(size: int, number: int) -> Callable[[], object]:
        # One path is too quick to time: a hundred of them are what is measured.
        calls = [_asked(hook, _edit(made, shape.text(size, number * 100 + n))) for n in range(100)]
        return lambda: [call() for call in calls]

    return Case(f"path: {shape.name} (100 times)", prepare, shape.most)


def _contract_case(name: str, made: Rig) -> Case:
    def prepare(size: int, number: int) -> Callable[[], object]:
        hook = _hook("scope", made, _held(CONTRACTS[name](size, number), made))
        calls = [_asked(hook, _edit(made, f"other/{n}/file.py")) for n in range(20)]
        return lambda: [call() for call in calls]

    return Case(f"contract: {name} (20 paths)", prepare, MOST_PATTERNS)


def _hard_case(pattern: str, made: Rig) -> Case:
    hook = _hook("scope", made, _held((pattern,), made))

    def prepare(size: int, number: int) -> Callable[[], object]:
        whole, rest = divmod(size, _NAME)
        text = ("a" * _NAME + "/") * whole + "a" * rest
        return _asked(hook, _edit(made, f"{number}/{text}c"))

    return Case(f"glob {pattern}", prepare, 2048)


def _settings_case(hook: Hook, made: Rig) -> Case:
    file = Path(made.repository, ".claude/settings.json")

    def prepare(size: int, number: int) -> Callable[[], object]:
        entry = '{"type":"command","command":"true"}'
        more = ",".join([entry] * max(1, size // len(entry)))
        hooks = f'{{"PreToolUse":[{{"matcher":"n{number}","hooks":[{more}]}}]}}'
        file.write_text(f'{{"hooks":{hooks}}}', encoding="utf-8")
        event = ConfigChange(
            identity=_identity(made), source="project_settings", file_path=str(file)
        )
        return _asked(hook, event)

    return Case("settings: many hooks", prepare, 1024 * 1024)


def _payload_cases() -> list[Case]:
    return [Case(shape.name, _read_of(shape), shape.most) for shape in PAYLOADS]


def _read_of(shape: Shape) -> Prepare:
    def prepare(size: int, number: int) -> Callable[[], object]:
        payload = shape.text(size, number).encode("utf-8", "surrogatepass")

        def call() -> None:
            with contextlib.suppress(PayloadError):
                read(payload, "PreToolUse")

        return call

    return prepare
