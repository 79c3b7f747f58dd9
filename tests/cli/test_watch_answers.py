"""Answers by the keyboard of the terminal view, carried out by a daemon that runs."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from pointsman.cli.acting import Commands
from pointsman.model.places import Places
from pointsman.screen.app import WatchApp
from pointsman.screen.feed import Feed
from pointsman.screen.ordering import ORDERS
from pointsman.screen.panes import Pane
from pointsman.screen.sheets import Confirm, Detail
from pointsman.store.approvals import Approvals
from serve.live import until

from .conftest import Machine
from .test_alerts import filled
from .test_approvals import AMEND, ask

Steps = Callable[["View"], Awaitable[None]]


class View:
    """The running view, and what a person sees of it."""

    def __init__(self, app: WatchApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips)

    async def until(self, there: Callable[[], bool]) -> None:
        for _ in range(150):
            await self.pilot.pause(0.05)
            if there():
                return
        raise AssertionError(f"it did not come to be:\n{self.text}")

    async def says(self, said: str) -> None:
        await self.until(lambda: said in self.text)

    async def on(self, pane: str, key: str) -> None:
        """Put the cursor of a pane on the row whose key begins so."""
        found = self.app.query_one(f"#{pane}", Pane)
        await self.until(lambda: any(row.startswith(key) for row, _ in found._shown))
        found.table.focus()
        at = next(at for at, (row, _) in enumerate(found._shown) if row.startswith(key))
        found.table.move_cursor(row=at)
        await self.pilot.pause()


def look(machine: Machine, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the view on the record of a machine, as its commands are run."""
    for name, value in machine.environment().items():
        monkeypatch.setenv(name, value)
    places = Places.from_environ(os.environ, Path.home())

    async def run() -> None:
        feed = Feed(places.ledger, 3600 * 10**9)
        app = WatchApp(places, feed, lambda: None, acts=Commands(places))
        async with app.run_test(size=(120, 40), notifications=True) as pilot:
            await steps(View(app, pilot))

    asyncio.run(run())


def alerts(machine: Machine, *words: str) -> list[dict[str, Any]]:
    return machine.run("alerts", "list", "--all", "--json", *words).rows()


@pytest.fixture
def watched(machine: Machine) -> Machine:
    """A machine whose daemon runs, with one event of a session and one alert about it."""
    machine.up()
    machine.decide(machine.shell("ls", session_id="s1"), words=("--record",))
    filled(machine)
    return machine


def test_an_alert_is_taken_up_and_ended(watched: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(view: View) -> None:
        await view.says("repetition")
        assert "1 open" in view.text
        await view.on("alerts", "alert 1")
        await view.pilot.press("enter")
        await view.until(lambda: isinstance(view.app.screen, Detail))
        assert "pointsman incident 1" in view.text
        await view.pilot.press("escape", "a")
        await view.until(lambda: isinstance(view.app.screen, Confirm))
        await view.pilot.press("escape")
        assert alerts(watched)[0]["state"] == "critical", "escape does nothing"
        await view.pilot.press("a", *"mine", "enter")
        await view.says("alert 1 is acknowledged")
        await view.says("taken up by")
        assert alerts(watched)[0]["state"] == "acknowledged"
        await view.pilot.press("R", "enter")
        await view.says("alert 1 is over")
        await view.until(lambda: "1 open" not in view.text)

    look(watched, steps, monkeypatch)
    shown = json.loads(watched.run("alerts", "show", "1", "--json").out)
    assert [each["after"] for each in shown["history"]][-2:] == ["acknowledged", "recovered"]
    assert "mine" in shown["history"][-2]["text"]


@pytest.mark.parametrize(("pane", "key"), [("alerts", "alert 1"), ("agents", "agent s1")])
def test_an_agent_is_stopped_and_let_go_on(
    watched: Machine, monkeypatch: pytest.MonkeyPatch, pane: str, key: str
) -> None:
    async def steps(view: View) -> None:
        await view.on(pane, key)
        await view.pilot.press("x", *"enough", "enter")
        await view.says("session s1 is stopped at its next call")
        await view.says("■")
        said = watched.decide(watched.shell("ls", session_id="s1"), words=("--record",)).rows()
        assert (said[0]["decision"], said[0]["rule"]) == ("deny", "stopped.by-person")
        assert "enough" in said[0]["reason"]
        await view.on(pane, key)
        await view.pilot.press("c", "enter")
        await view.says("session s1 may go on")
        said = watched.decide(watched.shell("ls", session_id="s1"), words=("--record",)).rows()
        assert said[0]["decision"] == "none"

    look(watched, steps, monkeypatch)


@pytest.mark.parametrize(("key", "state"), [("y", "approved"), ("n", "refused")])
def test_a_question_is_answered(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, key: str, state: str
) -> None:
    machine.up()
    assert ask(machine).code == 2

    async def steps(view: View) -> None:
        await view.says("1 to answer")
        assert AMEND in view.text
        await view.on("alerts", "ask ")
        await view.pilot.press(key)
        await view.until(lambda: isinstance(view.app.screen, Confirm))
        assert AMEND in view.text
        await view.pilot.press(*"because", "enter")
        await view.says(f"is {state}")
        await view.until(lambda: "to answer" not in view.text)

    look(machine, steps, monkeypatch)
    store = Approvals(machine.state / "approvals.db")
    (one,) = store.some()
    assert (one.state.value, one.note) == (state, "because")
    store.close()
    assert ask(machine, call="again").code == (0 if state == "approved" else 2)


def test_a_key_that_means_nothing_here_says_so(
    watched: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(view: View) -> None:
        await view.on("agents", "agent s1")
        await view.pilot.press("y")
        await view.says("put the cursor on a question first")
        assert not isinstance(view.app.screen, Confirm)

    look(watched, steps, monkeypatch)


def test_what_cannot_be_done_is_said(watched: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(view: View) -> None:
        await view.on("alerts", "alert 1")
        await view.pilot.press("c", "enter")
        await view.says("nobody is stopped in session")

    look(watched, steps, monkeypatch)


def test_a_session_is_looked_into_and_agents_are_put_in_order(
    watched: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        watched.decide(watched.shell(f"echo {number}", session_id="s2"), words=("--record",))

    async def steps(view: View) -> None:
        await view.on("agents", "agent s1")
        await view.pilot.press("enter")
        await view.until(lambda: isinstance(view.app.screen, Detail))
        for said in ("lately", "alerts", "1 critical"):
            assert said in view.text
        await view.pilot.press("escape", "S")
        await view.says("of session s1")
        assert "echo 2" not in view.app.query_one("#events", Pane)._shown[-1][1][-1].plain
        await view.pilot.press("S")
        while view.app.order != "calls":
            await view.pilot.press("o")
        await view.says("by calls")
        pane = view.app.query_one("#agents", Pane)
        await view.until(lambda: pane._shown[0][0].startswith("agent s2"))
        assert len({*ORDERS}) == 5

    look(watched, steps, monkeypatch)


def test_the_daemon_is_the_one_that_answers(
    watched: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view shows the daemon's own state, not a copy of it: what it does is on the ledger."""

    async def steps(view: View) -> None:
        await view.on("alerts", "alert 1")
        await view.pilot.press("x", "enter")
        await view.says("is stopped at its next call")

    look(watched, steps, monkeypatch)
    until(lambda: "agent stopped" in notes(watched), "the stop is on the ledger")


def notes(machine: Machine) -> set[str]:
    with closing(sqlite3.connect(machine.state / "ledger.db")) as connection:
        return {kind for (kind,) in connection.execute("SELECT kind FROM notes")}
