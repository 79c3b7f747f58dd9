"""The enricher before edits: whom it asks, with what budget, and which side a session is on."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hooks.acting import edit, identity
from pointsman.hooks import dependencies
from pointsman.hooks.dependencies import arm_of, written_by
from pointsman.hooks.kit import Kit
from pointsman.model.budget import Budget
from pointsman.model.bundle import Bundle, Change, NothingTold, Section
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.places import Places
from pointsman.model.policy import Policy


class Told(NothingTold):
    """Tells what it is asked with."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Change, float, int]] = []

    def knows(self, path: str) -> bool:
        return path.endswith(".ts")

    async def tell(self, listener: str, change: Change, seconds: float, most: int) -> Bundle:
        self.asked.append((listener, change, seconds, most))
        text = "" if "empty" in change.path else f"about {change.path}"
        sections: tuple[Section, ...] = ()
        return Bundle(change.path, text, 3, sections, ("no server",))


def made(**settings: Any) -> tuple[Hook, Told]:
    told = Told()
    kit = Kit(places=Places(Path("/state"), Path("/config")), told=told)
    return dependencies.hook(Policy(context=settings), kit), told


def run(hook: Hook, event: Event, budget: float = 2.5) -> tuple[Decision | None, list[str]]:
    lines: list[str] = []

    def log(message: str, /, **fields: object) -> None:
        lines.append(f"{message} {json.dumps(fields, sort_keys=True)}")

    async def asked() -> Decision | None:
        answer = hook.run(event, HookContext(budget=Budget.of(budget), log=log))
        assert answer is not None
        assert not isinstance(answer, Decision)
        return await answer

    return asyncio.run(asked()), lines


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def test_it_adds_text_and_decides_nothing(root: Path) -> None:
    hook, told = made()
    assert hook.role is Role.ENRICHER
    event = edit(
        identity(root), f"{root}/src/a.ts", "Edit",
        file_path=f"{root}/src/a.ts", old_string="one", new_string="two",
    )  # fmt: skip
    decision, lines = run(hook, event)
    assert decision is not None
    assert (decision.action, decision.context) == (None, "about src/a.ts")
    assert told.asked == [("s/", Change(str(root), "src/a.ts", "one\ntwo"), 0.4, 600)]
    assert lines[0] == 'not known {"file": "src/a.ts", "why": "no server"}'
    assert json.loads(lines[1].removeprefix("told "))["tokens"] == 3


def test_a_file_that_is_written_whole_is_told_by_what_it_will_be(root: Path) -> None:
    hook, told = made(tokens=300, server_ms=100)
    event = edit(identity(root, "tester"), f"{root}/a.ts", file_path=f"{root}/a.ts", content="x")
    run(hook, event)
    wanted = Change(str(root), "a.ts", "x", whole=True)
    assert told.asked == [("s/tester-1", wanted, 0.1, 300)]


def test_files_without_a_provider_cost_nothing(root: Path) -> None:
    hook, _ = made()
    assert hook.when is not None
    assert not hook.when(edit(identity(root), f"{root}/README.md"))
    assert hook.when(edit(identity(root), f"{root}/a.ts"))
    off, _ = made(enabled=False)
    assert off.when is not None
    assert not off.when(edit(identity(root), f"{root}/a.ts"))


def test_nothing_to_tell_is_no_opinion(root: Path) -> None:
    hook, _ = made()
    assert run(hook, edit(identity(root), f"{root}/empty.ts"))[0] is None


def test_servers_never_have_more_than_is_left(root: Path) -> None:
    hook, told = made(server_ms=5000)
    run(hook, edit(identity(root), f"{root}/a.ts"), budget=1.0)
    assert 0 < told.asked[0][2] <= 0.8
    run(hook, edit(identity(root), f"{root}/a.ts"), budget=0.1)
    assert told.asked[1][2] == 0.0


def test_a_comparison_leaves_half_of_the_sessions_alone_and_says_so(root: Path) -> None:
    sides = {arm_of(f"session-{n}") for n in range(50)}
    assert sides == {"with", "without"}
    hook, told = made(compare=True)
    event = edit(identity(root), f"{root}/a.ts")
    decision, lines = run(hook, event)
    assert lines[0] == f'arm {{"arm": "{arm_of("s")}"}}'
    assert (decision is not None) == (arm_of("s") == "with") == bool(told.asked)
    assert all("arm" not in line for line in run(made()[0], event)[1])


def test_what_an_edit_writes_is_taken_from_every_tools_input() -> None:
    assert written_by({"content": "a"}) == "a"
    assert written_by({"edits": [{"old_string": "a", "new_string": "b"}, "x"]}) == "a\nb"
    assert written_by({"command": "sed -i s/a/b/ x.ts"}) == "sed -i s/a/b/ x.ts"
    assert written_by({"content": 7}) == ""
