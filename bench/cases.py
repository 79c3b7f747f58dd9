"""Growing input for everything that reads what an agent says, guard by guard."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.guidance_cases import (
    convention_cases,
    convention_file_cases,
    expertise_cases,
    handoff_cases,
)
from bench.inputs import COMMANDS, CONTRACTS, HARD_GLOBS, MOST_PATTERNS, PATHS, PAYLOADS, Shape
from bench.mcp_cases import breaker_cases, start_cases
from bench.rig import Rig
from pointsman.agents.all_agents import fault_of_change
from pointsman.agents.claude_code import NAME, read
from pointsman.alerts.board import Board
from pointsman.code.context import CodeContext
from pointsman.hooks.all_hooks import SHIPPED, shipped_hooks
from pointsman.hooks.foretold import foretold
from pointsman.hooks.kit import Kit
from pointsman.model.alert import Severity
from pointsman.model.alerting import Alert, State
from pointsman.model.budget import LONGEST, Budget
from pointsman.model.contract import Contract, PostComplete
from pointsman.model.errors import PayloadError
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    ConfigChange,
    PostToolUse,
    PreEdit,
    PreToolUse,
    SubagentStart,
    SubagentStop,
    UserPromptSubmit,
)
from pointsman.model.hook import Hook, HookContext
from pointsman.model.policy import Policy
from pointsman.model.team import Nobody
from pointsman.secrets.redact import Redactor

_NAME = 200
"""Characters of one name in a path, below what file systems take."""

Prepare = Callable[[int, int], Callable[[], object]]
"""From a size and a number to the call that is timed; what it needs is made beforehand."""


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is given growing input."""

    name: str
    prepare: Prepare
    most: int


def cases_of(guard: str, made: Rig) -> list[Case]:
    """Return the growing input that this guard is given."""
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
    if guard in _OTHERS:
        cases += _OTHERS[guard](made)
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
    def call() -> object:
        answer = hook.run(event, HookContext(Budget.of(LONGEST)))
        return asyncio.run(_waited(answer)) if isinstance(answer, Awaitable) else answer

    return call


async def _waited(answer: Awaitable[object]) -> object:
    return await answer


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


class _Edited(Nobody):
    """A team whose agent has changed these files."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files

    def edited(self, event: Event) -> Sequence[str]:
        del event
        return self._files


def _end_cases(made: Rig) -> list[Case]:
    """Give the end of an agent more and more changed files."""
    root = str(made.repository)
    check = PostComplete(check="scope_valid")
    contract = Contract(
        agent="builder", source="c.md", root=root, allowed=("src/**",), post_complete=(check,)
    )
    policy = Policy(repository=root, contracts={"builder": (contract,)})

    def prepare(size: int, number: int) -> Callable[[], object]:
        team = _Edited([f"{root}/src/{number}-{place}.py" for place in range(max(1, size // 16))])
        hook = SHIPPED["completion"](policy, Kit(places=made.places, team=team))
        return _asked(hook, SubagentStop(identity=_identity(made)))

    return [Case("many changed files", prepare, 65_536)]


def _start_cases(made: Rig) -> list[Case]:
    """Give an agent that starts a longer and longer contract."""

    def prepare(size: int, number: int) -> Callable[[], object]:
        globs = CONTRACTS["many globs"](size, number)
        hook = _hook("briefing", made, _held(globs, made))
        return _asked(hook, SubagentStart(identity=_identity(made)))

    return [Case("many globs", prepare, MOST_PATTERNS)]


def _output_cases(made: Rig) -> list[Case]:
    """Give a tool that has run longer and longer output, without and with what is covered."""
    secrets = Redactor.of(made.places.state, {})

    def case(name: str, line: str) -> Case:
        def prepare(size: int, number: int) -> Callable[[], object]:
            text = f"{number}\n" + line * max(1, size // len(line))
            hook = SHIPPED["secret-output"](Policy(), Kit(places=made.places, secrets=secrets))
            event = PostToolUse(identity=_identity(made), tool_response={"stdout": text})
            return _asked(hook, event)

        return Case(name, prepare, 256 * 1024)

    return [case("plain output", "a line of output\n"), case("keys in output", "key = a1b2c3d4\n")]


def _refusal_cases(made: Rig) -> list[Case]:
    """Give a command that was refused more and more longer and longer output."""
    policy = _held(("src/**",), made)
    kit = Kit(places=made.places, writable=lambda _event: ("/r/src",))

    def case(name: str, line: str) -> Case:
        def prepare(size: int, number: int) -> Callable[[], object]:
            text = f"{number}\n" + line * max(1, size // len(line))
            hook = SHIPPED["kernel-refusal"](policy, kit)
            event = PostToolUse(
                identity=_identity(made), tool_name="Bash", tool_response={"stdout": text}
            )
            return _asked(hook, event)

        return Case(name, prepare, 256 * 1024)

    refused = "cp: t: Read-only file system\n"
    return [case("plain output", "a line of output\n"), case("refusals", refused)]


def _notice_cases(made: Rig) -> list[Case]:
    """Give a session that somebody sits at more and more open alerts."""

    def prepare(size: int, number: int) -> Callable[[], object]:
        board = Board()
        board.show(
            Alert(
                number=number + each, state=State.WARNING, severity=Severity.WARNING,
                detector="repetition", key=str(each), summary="again " * 20,
            )
            for each in range(size // 128)
        )  # fmt: skip
        hook = SHIPPED["alert-notice"](Policy(), Kit(places=made.places, standing=board))
        return _asked(hook, UserPromptSubmit(identity=replace(_identity(made), agent_type=None)))

    return [Case("open alerts", prepare, 256 * 1024)]


def _told_cases(made: Rig) -> list[Case]:
    """Write files that import more and more, of which each import is looked for."""

    def prepare(size: int, number: int) -> Callable[[], object]:
        line = "import {{ name{0} }} from './module{0}'\n"
        lines = [line.format(number * 100_000 + n) for n in range(max(1, size // 40))]
        path = f"{made.repository}/src/new{number}.ts"
        given = {"file_path": path, "content": "".join(lines)}
        event = PreEdit(
            identity=_identity(made), tool_name="Write", tool_input=given, files=(path,)
        )
        told = CodeContext(made.places.state, background=False)
        return _asked(SHIPPED["dependencies"](Policy(), Kit(places=made.places, told=told)), event)

    return [Case("imports", prepare, 32 * 1024)]


_OTHERS: Mapping[str, Callable[[Rig], list[Case]]] = {
    "completion": _end_cases,
    "briefing": _start_cases,
    "secret-output": _output_cases,
    "kernel-refusal": _refusal_cases,
    "alert-notice": _notice_cases,
    "conventions": lambda made: [Case(*each) for each in convention_cases(made)],
    "convention-files": lambda made: [Case(*each) for each in convention_file_cases(made)],
    "handoff": lambda made: [Case(*each) for each in handoff_cases(made)],
    "expertise": lambda made: [Case(*each) for each in expertise_cases(made)],
    "mcp-health": lambda made: [Case(*each) for each in start_cases(made)],
    "mcp-breaker": lambda made: [Case(*each) for each in breaker_cases(made)],
    "dependencies": _told_cases,
}
"""The growing input of guards that are asked about other things than commands and edits."""


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


def payload_cases() -> list[Case]:
    """Return growing payloads, to be read."""
    return [Case(shape.name, _read_of(shape), shape.most) for shape in PAYLOADS]


def _read_of(shape: Shape) -> Prepare:
    def prepare(size: int, number: int) -> Callable[[], object]:
        payload = shape.text(size, number).encode("utf-8", "surrogatepass")

        def call() -> None:
            with contextlib.suppress(PayloadError):
                read(payload, "PreToolUse")

        return call

    return prepare
