"""What the daemon knows of servers: calls and probes in, refusals out, all of it on disk."""

import asyncio
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.mcp_health.watcher import Watcher
from pointsman.model.alert import Finding
from pointsman.model.event import Event, Identity
from pointsman.model.events import (
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    PreToolUse,
    SessionStart,
)
from pointsman.model.server_health import Health, Phase, Server, Verdict

GONE = 'MCP server "one" is not connected'
S = 10**9
WELL = Health(verdict=Verdict.HEALTHY, detail="1 tools", at_ns=0, tools={"a": "1"}, tools_hash="h")
DOWN = Health(verdict=Verdict.DOWN, detail="nobody listens on x: connection refused", at_ns=0)


class World:
    """A watcher with a clock that is set, and servers that fare as the test says."""

    def __init__(self, tmp_path: Path, **settings: Any) -> None:
        self.home = tmp_path / "home"
        self.repo = tmp_path / "repo"
        self.path = tmp_path / "mcp-health.json"
        self.settings: dict[str, Any] = settings
        self.now = 1000 * S
        self.fares: dict[str, Health] = {}
        self.asked: list[str] = []
        self.said: list[str] = []
        self.hold: asyncio.Event | None = None
        self.home.mkdir(exist_ok=True)
        self.watcher = self.made()

    def made(self) -> Watcher:
        return Watcher(
            self.path, lambda _root: self.settings, lambda: {"HOME": str(self.home)},
            ask=self.ask, cover=lambda text: text.replace("hunter2", "***"),
            clock=lambda: self.now,
        )  # fmt: skip

    def ask(self, server: Server, within: float, environ: Mapping[str, str]) -> Health:
        self.asked.append(server.name)
        found = self.fares.get(server.name, WELL)
        return Health(**{**_fields(found), "at_ns": self.now})

    def declare(self, *names: str, **table: Any) -> None:
        given = table or {"type": "http", "url": "http://127.0.0.1:1/mcp"}
        text = json.dumps({"mcpServers": dict.fromkeys(names, given)})
        (self.home / ".claude.json").write_text(text)

    def who(self) -> Identity:
        return Identity(
            host="claude-code", session="s", cwd=str(self.repo), repository=str(self.repo)
        )

    def begin(self, within: float = 5.0) -> list[tuple[str, Verdict | None, Phase]]:
        async def run() -> list[tuple[str, Verdict | None, Phase]]:
            event = SessionStart(identity=self.who())
            found = await self.watcher.at_start(event, within, self.settings)
            return [
                (each.server.name, each.health.verdict if each.health else None, each.breaker.phase)
                for each in found
            ]

        return asyncio.run(run())

    def tick(self) -> None:
        async def run() -> None:
            await self.watcher.tick(lambda _kind, text: self.said.append(text))
            await self.watcher.settle()
            await self.watcher.tick(lambda _kind, text: self.said.append(text))

        asyncio.run(run())

    def call(self, name: str = "one") -> str:
        """Return why a call is held up, empty where it is not."""
        event = PreToolUse(identity=self.who(), tool_name=f"mcp__{name}__x")
        if not self.watcher.watched(event):
            return ""
        refusal = self.watcher.refusal(event)
        return refusal.reason if refusal else ""

    def came(self, error: str | None = None, name: str = "one", **more: Any) -> None:
        tool = f"mcp__{name}__x"
        event: Event = PostToolUse(identity=self.who(), tool_name=tool)
        if error is not None:
            event = PostToolUseFailure(identity=self.who(), tool_name=tool, error=error, **more)
        self.watcher.saw(event)

    def phase(self, name: str = "one") -> Phase:
        (found,) = [each for each in self.watcher.book.entries.values() if each.name == name]
        return found.breaker.phase


def _fields(health: Health) -> dict[str, Any]:
    return {name: getattr(health, name) for name in Health.__slots__}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_failing_calls_open_it_and_it_recovers_by_probe_and_one_call(world: World) -> None:
    world.declare("one")
    world.begin()
    for _ in range(2):
        world.came(GONE)
        assert not world.call()
    world.came(GONE)
    assert world.call() == GONE
    world.now += 400 * S
    world.tick()
    assert world.phase() is Phase.HALF_OPEN
    assert not world.call()
    assert world.call(), "a second call waits for the first one's end"
    world.came()
    assert world.phase() is Phase.CLOSED
    assert not world.call()


def test_an_error_of_the_tools_own_is_no_outage(world: World) -> None:
    for _ in range(20):
        world.came("Error executing tool: no such issue")
    assert not world.call()
    world.came(GONE)
    world.came(GONE)
    world.came("no such issue")
    world.came(GONE)
    assert not world.call(), "whoever answers is there: the count begins anew"


def test_what_is_unclear_is_left_to_a_probe(world: World) -> None:
    world.declare("one")
    world.begin()
    asked = len(world.asked)
    for _ in range(5):
        world.came("connect ECONNREFUSED 127.0.0.1:5432")
    assert not world.call()
    world.tick()
    assert len(world.asked) == asked + 1
    assert not world.call()
    world.fares["one"] = DOWN
    world.came("connect ECONNREFUSED 127.0.0.1:5432")
    world.tick()
    assert "connection refused" in world.call()


def test_an_interrupted_call_says_nothing(world: World) -> None:
    for _ in range(9):
        world.came(GONE, is_interrupt=True)
    assert not world.call()


def test_a_missing_tool_asks_for_a_probe(world: World) -> None:
    world.declare("one")
    world.begin()
    world.fares["one"] = DOWN
    told = "<tool_use_error>Error: No such tool available: mcp__one__x</tool_use_error>"
    calls = ({"tool_name": "mcp__one__x", "tool_response": told},)
    world.watcher.saw(PostToolBatch(identity=world.who(), tool_calls=calls))
    world.tick()
    assert world.call()


def test_a_dead_server_is_found_at_the_start_and_closed_by_a_probe(world: World) -> None:
    world.declare("one", "two")
    world.fares["one"] = DOWN
    assert world.begin() == [
        ("one", Verdict.DOWN, Phase.OPEN), ("two", Verdict.HEALTHY, Phase.CLOSED)
    ]  # fmt: skip
    assert world.asked.count("one") == 2, "what is down is asked once more"
    assert "connection refused" in world.call("one")
    assert not world.call("two")
    del world.fares["one"]
    world.tick()
    assert world.call("one"), "it is not due yet"
    world.now += 400 * S
    world.tick()
    assert world.phase("one") is Phase.CLOSED
    assert any("healthy" in text for text in world.said)


def test_a_child_that_our_probe_cannot_start_gets_one_try(world: World) -> None:
    world.declare("one", command="srv")
    world.fares["one"] = DOWN
    world.begin()
    assert world.phase() is Phase.HALF_OPEN
    assert not world.call()
    world.came(GONE)
    assert world.call()


def test_a_good_answer_is_good_enough_for_a_while(world: World) -> None:
    world.declare("one")
    world.begin()
    world.begin()
    assert world.asked == ["one"]
    world.now += 61 * S
    world.begin()
    assert world.asked == ["one", "one"]


def test_what_is_slow_is_not_waited_for_and_counts_later(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("one")
    world.fares["one"] = DOWN

    async def run() -> None:
        go = asyncio.Event()
        loop = asyncio.get_running_loop()
        real = world.ask

        def slowly(server: Server, within: float, environ: Mapping[str, str]) -> Health:
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
            return real(server, within, environ)

        world.watcher._ask = slowly
        event = SessionStart(identity=world.who())
        (standing,) = await world.watcher.at_start(event, 0.05, {})
        assert standing.health is None
        go.set()
        await world.watcher.settle()

    asyncio.run(run())
    assert world.call()


def test_it_outlives_the_daemon(world: World) -> None:
    world.declare("one")
    world.begin()
    for _ in range(3):
        world.came(GONE + " hunter2")
    assert stat.S_IMODE(world.path.stat().st_mode) == 0o600
    assert "hunter2" not in world.path.read_text()
    # As after a kill: nobody has closed it.
    world.watcher = world.made()
    assert world.call() == GONE + " ***"
    world.now += 400 * S
    world.tick()
    assert world.asked[-1] == "one", "the declaration is looked up again"
    assert world.phase() is Phase.HALF_OPEN


@pytest.mark.parametrize("text", ["{", "[]", '{"form": 1, "servers": [{"name": 1}]}', "\0" * 9])
def test_a_damaged_file_begins_anew_and_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "mcp-health.json").write_text(text)
    world = World(tmp_path)
    world.tick()
    assert any("begins anew" in each for each in world.said)
    world.came(GONE)
    world.tick()
    assert json.loads(world.path.read_text())["servers"]


def test_a_server_that_nobody_declares_is_tried_by_a_call(world: World) -> None:
    for _ in range(3):
        world.came(GONE, name="plugin_x")
    assert world.call("plugin_x")
    world.now += 400 * S
    world.tick()
    assert not world.call("plugin_x")


def test_another_declaration_is_another_server(world: World) -> None:
    world.declare("one")
    world.fares["one"] = DOWN
    world.begin()
    assert world.call()
    world.declare("one", type="http", url="http://127.0.0.1:2/mcp")
    del world.fares["one"]
    assert world.begin() == [("one", Verdict.HEALTHY, Phase.CLOSED)]


@pytest.mark.parametrize("settings", [{"enabled": False}, {"skip": ["one"]}])
def test_it_can_be_switched_off(tmp_path: Path, settings: dict[str, Any]) -> None:
    world = World(tmp_path, **settings)
    for _ in range(9):
        world.came(GONE)
    assert not world.call()


def test_drift_stands_until_it_is_accepted(world: World) -> None:
    world.declare("one")
    world.begin()
    world.fares["one"] = Health(**{**_fields(WELL), "tools": {"a": "2", "b": "1"}})
    world.now += 100 * S
    world.begin()
    (entry,) = world.watcher.book.entries.values()
    assert entry.health is not None
    assert entry.health.drift == ("a has changed", "b is new")
    assert world.watcher.book.accept("one")
    world.now += 100 * S
    world.begin()
    (entry,) = world.watcher.book.entries.values()
    assert entry.health is not None
    assert entry.health.drift == ()


def test_a_probe_that_fails_itself_holds_nothing_up(world: World) -> None:
    world.declare("one")

    def broken(server: Server, within: float, environ: Mapping[str, str]) -> Health:
        raise RecursionError("deep")

    world.watcher._ask = broken
    assert world.begin() == [("one", Verdict.UNKNOWN, Phase.CLOSED)]


def test_what_a_probe_finds_down_is_an_alert(world: World) -> None:
    found: list[Finding] = []
    world.watcher.on_finding = found.append
    world.declare("one", "two")
    world.fares["one"] = DOWN
    world.begin()
    assert [(each.detector, each.key) for each in found] == [("mcp-down", "one")]
    for _ in range(3):
        world.came(GONE, name="two")
    assert len(found) == 1, "of failing calls the detector tells"


def test_many_servers_are_bounded(world: World) -> None:
    for number in range(600):
        world.came(GONE, name=f"s{number}")
    assert len(world.watcher.book.entries) == 512
