"""What an agent hears of an edit that breaks a convention, and what stops it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hooks.acting import asking, bash, edit, identity
from pointsman.conventions.shelf import Shelf
from pointsman.hooks import convention_files, conventions
from pointsman.hooks.kit import Kit
from pointsman.model.budget import Budget
from pointsman.model.convention import State
from pointsman.model.decision import Action, Decision
from pointsman.model.event import Event
from pointsman.model.events import PreEdit, SessionStart
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.places import Places
from pointsman.model.policy import Policy

TEXT = """# Rules
- Never use `eval`; use `ast`.
- Use `pnpm` instead of npm.
- Never edit `gen/`.
"""


class World:
    def __init__(self, root: Path) -> None:
        self.root = root / "repo"
        (self.root / ".git").mkdir(parents=True)
        (self.root / "CLAUDE.md").write_text(TEXT)
        (self.root / "old.py").write_text("eval(1)\n")
        self.shelf = Shelf(root / "state")
        self.kit = Kit(places=Places(root / "state", root / "config"), conventions=self.shelf)

    def confirm(self) -> None:
        rules = list(self.shelf.found(str(self.root)).rules)
        assert len(rules) == 3
        self.shelf.book.say(str(self.root), rules, State.CONFIRMED)

    def hook(self, **settings: Any) -> Hook:
        return conventions.hook(Policy(guidance={"conventions": settings}), self.kit)

    def edit(self, name: str, tool: str = "Write", **given: Any) -> PreEdit:
        path = str(self.root / name)
        return edit(identity(self.root, "builder"), path, tool, file_path=path, **given)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.confirm()
    return made


def test_nothing_is_said_before_a_person_has_confirmed(tmp_path: Path) -> None:
    made = World(tmp_path)
    assert asking(made.hook())(made.edit("a.py", content="eval(1)")) is None


def test_the_agent_is_told_file_and_line_and_goes_on(world: World) -> None:
    hook = world.hook()
    said = asking(hook)(world.edit("a.py", content="x\neval(1)\n"))
    assert hook.role is Role.ENRICHER
    assert said is not None
    assert said.action is None
    assert (
        "a.py:2 has `eval(1)`; CLAUDE.md:2 says: “- Never use `eval`; use `ast`.”" in said.context
    )
    assert said.rule.startswith("convention.")


def test_where_the_settings_say_so_it_is_stopped(world: World) -> None:
    hook = world.hook(violation="deny")
    said = asking(hook)(world.edit("a.py", content="eval(1)"))
    assert hook.role is Role.GUARD
    assert said is not None
    assert said.action is Action.DENY
    assert "CLAUDE.md:2" in said.reason
    assert "pointsman conventions forget" in said.reason


def broken(world: World, event: Event) -> bool:
    return asking(world.hook(violation="deny"))(event) is not None


@pytest.mark.parametrize(
    ("tool", "given", "stopped"),
    [
        ("Write", {"content": "eval(1)"}, True),
        ("Write", {"content": "x = 1"}, False),
        ("Edit", {"old_string": "1", "new_string": "eval(1)"}, True),
        ("Edit", {"old_string": "1", "new_string": "2"}, False),
        ("Edit", {"old_string": "not there", "new_string": "eval(2)"}, True),
        ("MultiEdit", {"edits": [{"old_string": "x", "new_string": "y"},
                                 {"old_string": "y", "new_string": "eval(y)"}]}, True),
        ("MultiEdit", {"edits": ["?"]}, False),
        ("Edit", {}, False),
        ("mcp__filesystem__edit_file", {"edits": [{"oldText": "x", "newText": "eval(2)"}]}, True),
        ("mcp__filesystem__write_file", {"content": "eval(1)"}, True),
    ],
)  # fmt: skip
def test_by_whatever_tool(world: World, tool: str, given: dict[str, Any], stopped: bool) -> None:
    (world.root / "new.py").write_text("x = 1\n")
    assert broken(world, world.edit("new.py", tool, **given)) is stopped


def test_what_stood_there_before_is_nobody_s_fault(world: World) -> None:
    assert not broken(world, world.edit("old.py", content="eval(1)\ny = 2\n"))
    assert broken(world, world.edit("old.py", content="eval(1)\neval(2)\n"))


def test_a_shell_command_is_held_to_paths_and_programs(world: World) -> None:
    who = identity(world.root, "builder")
    assert broken(world, bash(who, "npm install x"))
    assert broken(world, bash(who, "cd a && env npm i"))
    assert not broken(world, bash(who, "pnpm install x && echo npm"))
    path = str(world.root / "gen/a.ts")
    assert broken(world, edit(who, path, "Bash", command=f"echo x > {path}"))
    assert not broken(world, edit(who, str(world.root / "a.py"), "Bash", command="x"))


def test_the_line_of_a_rule_is_not_an_agent_s_to_take_away(world: World) -> None:
    gone = TEXT.replace("Never use `eval`", "Feel free to use `eval`")
    said = asking(world.hook())(world.edit("CLAUDE.md", content=gone))
    assert said is not None
    assert "no longer the line of a confirmed convention" in said.context
    assert asking(world.hook())(world.edit("CLAUDE.md", content=f"More.\n{TEXT}")) is None


@pytest.mark.parametrize("name", ["binary.py", "folder", "../else.py"])
def test_what_is_no_text_of_the_repository(world: World, name: str) -> None:
    (world.root / "binary.py").write_bytes(b"\xff\xfe\0")
    (world.root / "folder").mkdir()
    assert not broken(world, world.edit(name, content="eval(1)"))


def test_every_violation_is_a_line_of_the_record(world: World) -> None:
    lines: list[tuple[str, dict[str, object]]] = []
    context = HookContext(
        budget=Budget.of(5), log=lambda text, /, **fields: lines.append((text, fields))
    )
    world.hook().run(world.edit("gen/a.py", content="eval(1)"), context)
    assert [(text, fields["path"]) for text, fields in lines] == [("violation", "gen/a.py")] * 2


def start(world: World, source: str = "startup") -> Decision | None:
    event = SessionStart(identity=identity(world.root), source=source)
    hook = convention_files.hook(Policy(), world.kit)
    answer = hook.run(event, HookContext(budget=Budget.of(5)))
    assert asyncio.iscoroutine(answer)
    found = asyncio.run(answer)
    assert found is None or isinstance(found, Decision)
    return found


def test_contradictions_are_named_at_the_start_of_a_session(world: World) -> None:
    assert start(world) is None
    (world.root / "AGENTS.md").write_text("Use npm instead of `pnpm`.\n")
    said = start(world)
    assert said is not None
    assert "CLAUDE.md:3: “- Use `pnpm` instead of npm.” contradicts AGENTS.md:1" in said.context
    assert "conventions: CLAUDE.md:3" in said.notice
    assert start(world, "resume") is None


def test_what_is_missing_is_the_person_s_matter(world: World) -> None:
    (world.root / "CLAUDE.md").write_text(f"{TEXT}@gone.md\n")
    said = start(world)
    assert said is not None
    assert said.context == ""
    assert "it imports @gone.md, which is not there" in said.notice
