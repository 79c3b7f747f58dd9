"""What an agent is told of its part of the project, and within which time."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from expertise_room.world import World
from pointsman.engine.team import Memory
from pointsman.hooks import expertise
from pointsman.hooks.expertise import paths_in
from pointsman.hooks.kit import Kit
from pointsman.model.budget import Budget
from pointsman.model.decision import Decision
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreToolUse, SessionStart, SubagentStart
from pointsman.model.expertise import Domain, Experts, Sheet
from pointsman.model.hook import HookContext
from pointsman.model.places import Places
from pointsman.model.policy import Policy


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.file("src/api/a.py")
    made.sheet("api")
    made.sheet("billing", {"overview": {"description": "money"}})
    return made


def kit(experts: Experts, team: Memory | None = None) -> Kit:
    return Kit(places=Places(Path("/s"), Path("/c")), experts=experts, team=team or Memory())


def who(world: World, agent: str = "") -> Identity:
    return Identity(
        host="claude-code", session="s", agent_id=f"{agent}-1" if agent else None,
        agent_type=agent or None, cwd=str(world.root), repository=str(world.root),
    )  # fmt: skip


def ask(made: Kit, event: Event, seconds: float = 5.0, **settings: Any) -> Decision | None:
    hook = expertise.hook(Policy(guidance={"expertise": settings}), made)
    answer = hook.run(event, HookContext(budget=Budget.of(seconds)))
    assert asyncio.iscoroutine(answer)
    found = asyncio.run(answer)
    assert found is None or isinstance(found, Decision)
    return found


def test_a_session_is_told_of_every_domain(world: World) -> None:
    said = ask(kit(world.shelf), SessionStart(identity=who(world), source="startup"))
    assert said is not None
    assert said.action is None
    assert said.notice == ""
    assert "Safety: Never log a body: card numbers" in said.context
    assert "Description: money" in said.context


@pytest.mark.parametrize("source", ["resume", "fork"])
def test_a_session_that_was_told_is_not_told_again(world: World, source: str) -> None:
    assert ask(kit(world.shelf), SessionStart(identity=who(world), source=source)) is None


@pytest.mark.parametrize("source", ["clear", "compact"])
def test_a_context_that_lost_it_is_told_again(world: World, source: str) -> None:
    assert ask(kit(world.shelf), SessionStart(identity=who(world), source=source)) is not None


def test_without_sheets_nothing_is_said(tmp_path: Path) -> None:
    bare = World(tmp_path)
    bare.file("src/api/a.py")
    assert ask(kit(bare.shelf), SessionStart(identity=who(bare))) is None


def start(world: World, prompt: str, agent: str = "builder") -> Decision | None:
    team = Memory()
    call = PreToolUse(identity=who(world), tool_name="Agent", tool_input={"prompt": prompt})
    team.begin(call, agent, isolated=False)
    return ask(kit(world.shelf, team), SubagentStart(identity=who(world, agent)))


def test_a_subagent_is_told_of_the_domains_of_its_prompt(world: World) -> None:
    said = start(world, f"Mend {world.root}/src/api/pay.py, and nothing else.")
    assert said is not None
    assert "## api" in said.context
    assert "## billing" not in said.context
    assert start(world, "Look at docs/a.md and e.g. the rest.") is None
    assert start(world, "") is None


def test_a_subagent_of_a_domain_is_told_of_it_by_its_name(world: World) -> None:
    said = start(world, "Do it.", "billing-build-agent")
    assert said is not None
    assert "## billing" in said.context


def test_each_of_two_agents_of_a_type_has_its_own_prompt(world: World) -> None:
    team = Memory()
    for number, prompt in enumerate(("src/api/a.py", "docs/x.md")):
        call = PreToolUse(
            identity=Identity(host="claude-code", session="s", tool_use_id=str(number)),
            tool_name="Agent", tool_input={"prompt": prompt},
        )  # fmt: skip
        team.begin(call, "builder", isolated=False)
    first = SubagentStart(identity=who(world, "builder"))
    assert team.prompt(first) == "src/api/a.py"
    team.note(first, None, Decision(action=None), ())
    assert team.prompt(first) == "src/api/a.py"
    other = Identity(host="claude-code", session="s", agent_id="2", agent_type="builder")
    assert team.prompt(SubagentStart(identity=other)) == "docs/x.md"


def test_what_a_person_should_know_is_a_notice_and_no_context(world: World) -> None:
    world.sheet("bad", "overview: [")
    said = ask(kit(world.shelf), SessionStart(identity=who(world)))
    assert said is not None
    assert "bad/expertise.yaml:2: it is no YAML" in said.notice
    assert "it is no YAML" not in said.context
    assert "card numbers" in said.context


class Slow:
    """Hangs on one sheet, breaks on another."""

    def __init__(self, world: World, hang: str, crash: str = "") -> None:
        self._shelf, self._hang, self._crash = world.shelf, hang, crash
        self.released = threading.Event()
        self.concerned, self.told = world.shelf.concerned, world.shelf.told

    def domains(self, root: str) -> Any:
        if self._hang == "*":
            self.released.wait(60)
        return self._shelf.domains(root)

    def sheet(self, domain: Domain, *bounds: int) -> Sheet:
        if domain.name == self._hang:
            self.released.wait(60)
        if domain.name == self._crash:
            raise RuntimeError("boom")
        return self._shelf.sheet(domain, *bounds)


@pytest.fixture
def slow(world: World) -> Iterator[Any]:
    made: list[Slow] = []

    def make(hang: str, crash: str = "") -> Slow:
        made.append(Slow(world, hang, crash))
        # The loop waits for its threads at its end: they are let go once the answer is there.
        threading.Timer(1.0, made[-1].released.set).start()
        return made[-1]

    yield make
    for each in made:
        each.released.set()


def test_what_was_read_when_time_is_up_is_told_and_the_rest_is_named(
    world: World, slow: Any
) -> None:
    said = ask(kit(slow("billing")), SessionStart(identity=who(world)), 0.3)
    assert said is not None
    assert "card numbers" in said.context
    assert "## billing" not in said.context
    assert said.notice == "expertise: billing was not read in time"


def test_domains_that_are_not_found_in_time_are_said(world: World, slow: Any) -> None:
    said = ask(kit(slow("*")), SessionStart(identity=who(world)), 0.3)
    assert said is not None
    assert said.context == ""
    assert "not found in time" in said.notice


def test_a_sheet_that_breaks_the_reader_costs_no_other(world: World, slow: Any) -> None:
    said = ask(kit(slow("", crash="billing")), SessionStart(identity=who(world)))
    assert said is not None
    assert "card numbers" in said.context
    assert "billing could not be read: RuntimeError('boom')" in said.notice


def test_the_cap_is_the_setting(world: World) -> None:
    long = {"known_issues": [{"issue": f"number {each} {'x' * 90}"} for each in range(200)]}
    world.sheet("billing", long)
    sizes = []
    for tokens in (200, 1000, 2000):
        said = ask(kit(world.shelf), SessionStart(identity=who(world)), tokens=tokens)
        assert said is not None
        sizes.append(len(said.context))
    assert sizes == sorted(sizes)
    said = ask(kit(world.shelf), SessionStart(identity=who(world), source="clear"), tokens=2000)
    assert said is not None
    # A brief of 1,500 tokens has 4,500 bytes: together they stay below what the host takes.
    assert len(said.context.encode()) + 4500 < 10_000
    # With 2,000 tokens there is room for others in the 10,000 characters that the host takes.
    assert sizes[-1] <= 6000


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("edit src/a.ts and ./b/c.py.", ["src/a.ts", "b/c.py"]),
        ("/r/src/x.go", ["src/x.go"]),
        ("README.md", ["README.md"]),
        ("no paths here", []),
        ("`pages/[id]/x.tsx`", ["pages/[id]/x.tsx"]),
        ("", []),
        ("(src/a.py) ./x/(group)/y.ts, 3.5 it/her!", ["src/a.py", "x/(group)/y.ts", "it/her"]),
    ],
)
def test_paths_in_a_prompt(prompt: str, found: list[str]) -> None:
    assert paths_in(prompt, "/r") == found


def test_many_paths_are_capped() -> None:
    assert len(paths_in(" ".join(f"a/{number}" for number in range(500)), "/r")) == 64
    assert json.dumps(paths_in("/" * 10_000, "/r")) == "[]"
