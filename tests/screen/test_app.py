"""The view by its keys, in small and large terminals, as text."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from mcp_room.world import SECOND, World, crowded
from pointsman.model.decision import deny
from pointsman.screen.app import FILTERS, WatchApp
from pointsman.screen.feed import Feed
from pointsman.screen.panes import Pane
from pointsman.screen.sheets import Detail, Help

Steps = Callable[["View"], Awaitable[None]]


class View:
    """The running view of a world."""

    def __init__(self, world: World, app: WatchApp, pilot: Pilot[None]) -> None:
        self.world = world
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        """What stands on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips)

    def pane(self, name: str) -> Pane:
        return self.app.screen_stack[0].query_one(f"#{name}", Pane)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settled()

    async def settled(self) -> None:
        """Wait until what has happened is read and shown."""
        await self.read()
        self.app.read_on()
        await self.read()
        await self.pilot.pause()

    async def read(self) -> None:
        for _ in range(3000):
            await self.pilot.pause(0.01)
            if not self.app.reading:
                break
        await self.pilot.pause()

    async def until(self, said: str) -> None:
        for _ in range(200):
            await self.settled()
            if said in self.text:
                return
        raise AssertionError(f"{said!r} is not on the screen:\n{self.text}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    crowded(made)
    return made


def look(world: World, steps: Steps, size: tuple[int, int] = (80, 24), **more: Any) -> None:
    """Run the view in a terminal of this size."""

    async def run() -> None:
        feed = Feed(world.places.ledger, 3600 * SECOND, lambda: world.ns)
        app = WatchApp(world.places, feed, lambda: None, **more)
        async with app.run_test(size=size) as pilot:
            view = View(world, app, pilot)
            await view.settled()
            await steps(view)

    asyncio.run(run())


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (200, 60), (40, 12)])
def test_everything_fits_its_terminal(world: World, size: tuple[int, int]) -> None:
    async def steps(view: View) -> None:
        lines = view.text.splitlines()
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]
        assert "decisions" in view.text
        assert "agents" in view.text
        if size[0] >= 80:
            for said in ("no daemon", "2 sessions", "✖ 2 denied", "main", "tester", "Bash",
                         "scope.allowed", "repetition", "q Quit"):  # fmt: skip
                assert said in view.text, said

    look(world, steps, size)


def test_it_is_laid_out_anew_when_the_terminal_is(world: World) -> None:
    async def steps(view: View) -> None:
        top = view.pane("events").region
        assert top.x == 0
        await view.pilot.resize_terminal(160, 40)
        await view.settled()
        assert view.pane("events").region.x > 40
        await view.pilot.resize_terminal(80, 24)
        await view.settled()
        assert view.pane("events").region == top

    look(world, steps)


def test_new_events_come_by_themselves_and_followed_to_the_end(world: World) -> None:
    async def steps(view: View) -> None:
        for number in range(30):
            view.world.call(f"n{number}", path=f"/r/file_{number}.py")
        await view.until("file_29.py")
        await view.press("home")
        assert "following" not in view.text
        view.world.call("later", path="/r/much_later.py")
        await view.settled()
        assert "much_later.py" not in view.text
        await view.press("f")
        assert "following" in view.text
        assert "much_later.py" in view.text

    look(world, steps)


def test_filters_are_gone_through(world: World) -> None:
    async def steps(view: View) -> None:
        seen = []
        for name in FILTERS:
            assert view.app.filter == name
            seen.append(view.pane("events").table.row_count)
            await view.press("e")
        assert view.app.filter == "calls"
        assert seen == [7, 3, 0, len(view.app.feed.rows)]
        await view.press("e", "e")
        assert "Nothing to show here" in view.text

    look(world, steps)


def test_search_narrows_while_it_is_typed_and_escape_ends_it(world: World) -> None:
    async def steps(view: View) -> None:
        await view.press("slash", *"PUSH")
        assert view.pane("events").table.row_count == 1
        assert "git.push" in view.text
        # Keys of the view are letters here.
        await view.press("q", "e")
        assert view.app.text == "PUSHqe"
        assert view.app.filter == "calls"
        await view.press("escape")
        assert view.app.text == ""
        assert view.pane("events").table.row_count == 7

    look(world, steps)


def test_a_search_can_be_kept(world: World) -> None:
    async def steps(view: View) -> None:
        await view.press("slash", *"scope", "enter")
        assert view.pane("events").has_focus_within
        assert "with 'scope'" in view.text

    look(world, steps)


def test_enter_shows_the_whole_record(world: World) -> None:
    async def steps(view: View) -> None:
        await view.press("e", "end", "up", "enter")
        assert isinstance(view.app.screen, Detail)
        for said in ("scope.allowed", "outside of its scope", "hook", "tool_use_id"):
            assert said in view.text
        await view.press("down", "escape")
        assert not isinstance(view.app.screen, Detail)

    look(world, steps, (100, 40))


def test_tab_leads_from_pane_to_pane_and_enter_to_each_ones_own(world: World) -> None:
    world.places.config.mkdir()
    world.places.user_config.write_text(
        '[[limits]]\nper = "session"\nof = "tokens"\nat = 1100\nthen = "deny"\n'
    )

    async def steps(view: View) -> None:
        await view.until("1,000 of 1,100 tokens")
        assert view.pane("events").has_focus_within
        await view.press("tab")
        assert view.pane("agents").has_focus_within
        await view.press("enter")
        assert "repository" in view.text
        await view.press("escape", "tab")
        assert view.pane("alerts").has_focus_within
        await view.press("enter")
        assert "limit.session-tokens" in view.text
        await view.press("escape", "end", "up", "enter")
        assert "watch.repetition" in view.text
        await view.press("escape", "shift+tab")
        assert view.pane("agents").has_focus_within

    look(world, steps, (100, 40))


def test_one_agent_alone(world: World) -> None:
    async def steps(view: View) -> None:
        await view.press("tab", "home", "s")
        assert view.app.only == ("foreign", "")
        assert view.pane("events").table.row_count == 2
        await view.press("s")
        assert view.app.only is None
        await view.press("end", "s")
        assert view.app.only == ("mine", "c2")
        await view.press("escape", "end", "s")
        assert view.app.only == ("mine", "c2")

    look(world, steps, (100, 40))


def test_help_and_quit(world: World) -> None:
    async def steps(view: View) -> None:
        await view.press("question_mark")
        assert isinstance(view.app.screen, Help)
        assert "the whole record" in view.text
        await view.press("q")
        assert not isinstance(view.app.screen, Help)
        await view.pilot.press("q")
        assert view.app.return_code == 0

    look(world, steps)


def test_two_hundred_agents(world: World) -> None:
    for number in range(200):
        world.call(f"x{number}", agent_id=f"a{number}", agent_type=f"worker-{number}")

    async def steps(view: View) -> None:
        assert view.pane("agents").table.row_count == 204
        await view.press("tab", "end")
        assert "worker-" in view.text
        chosen = view.pane("agents").selected
        assert chosen is not None
        view.world.call("more", agent_id="a7", agent_type="worker-7")
        view.world.call("new", session="brand-new")
        await view.settled()
        assert view.pane("agents").table.row_count == 205
        # The cursor stays on the agent, wherever that has gone.
        assert view.pane("agents").selected == chosen

    look(world, steps)


def test_what_agents_write_is_shown_and_not_obeyed(world: World) -> None:
    world.call("m", tool="[red]\x1b[2J", path="/r/[bold]x[/bold]\x07",
               decision=deny("[link=x]\x1b]0;title\x07", rule="[b]r").by("[g]"))  # fmt: skip

    async def steps(view: View) -> None:
        assert "[red]" in view.text
        assert "[b]r /r/[bold]x[/bold]" in view.text
        await view.press("end", "enter")
        assert "[link=x]" in view.text
        assert "\x1b" not in view.text
        assert "\x07" not in view.text

    look(world, steps, (120, 50))


def test_no_ledger_is_said_with_the_next_step(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.places = type(world.places)(tmp_path / "none", tmp_path / "config")

    async def steps(view: View) -> None:
        await view.until("there is no ledger")
        assert "pointsman up" in view.text.replace("\n", "")
        assert "pointsman init" in view.text

    look(world, steps, (120, 30))


@pytest.mark.parametrize("light", [True, False])
def test_colours_are_the_terminals(world: World, light: bool) -> None:
    async def steps(view: View) -> None:
        assert view.app.theme == ("ansi-light" if light else "ansi-dark")
        assert "decisions" in view.text

    look(world, steps, light=light)
