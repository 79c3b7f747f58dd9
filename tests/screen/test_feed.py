"""What is read on by sequence number is what a fresh look would find."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_room.world import SECOND, World, crowded, end
from pointsman.model.decision import ask, deny
from pointsman.model.events import SubagentStop
from pointsman.screen.feed import ADOPTED, KEPT, Agent, Feed

HOUR = 3600 * SECOND


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    crowded(made)
    return made


def feed_of(world: World) -> Feed:
    return Feed(world.places.ledger, HOUR, lambda: world.ns)


def agents(feed: Feed) -> dict[tuple[str, str], tuple[int, ...]]:
    return {
        agent.key: (agent.calls, agent.denied, agent.asked, agent.tokens, agent.unpriced)
        for agent in feed.shown()
    }


def test_agents_stand_below_their_session_with_their_figures(world: World) -> None:
    feed = feed_of(world)
    feed.poll()
    assert agents(feed) == {
        ("foreign", ""): (2, 1, 0, 1000, 0),
        ("mine", ""): (3, 1, 1, 100, 0),
        ("mine", "c1"): (1, 0, 0, 30, 1),
        ("mine", "c2"): (1, 0, 0, 0, 0),
    }
    states = {agent.id: agent.state for agent in feed.shown() if agent.session == "mine"}
    assert states == {"": "works", "c1": "works", "c2": "over"}
    assert [row["detector"] for row in feed.findings] == ["repetition", "repetition"]


STEPS: list[Callable[[World], None]] = [
    lambda world: world.call("n1"),
    lambda world: world.call("n2", decision=deny("no", rule="r").by("g")),
    lambda world: world.call("n3", agent_id="c1", agent_type="tester"),
    lambda world: world.used("n4", 77, agent_id="c1", agent_type="tester"),
    lambda world: world.call("n5", session="new"),
    lambda world: world.used("n6", 55, session="new"),
    lambda world: world.call("n7", session="new", decision=ask("?", rule="r").by("g")),
    lambda world: world.finding("cycle"),
    lambda world: end(world, "new"),
]


def test_read_on_step_by_step_it_is_as_read_at_once(world: World) -> None:
    feed = feed_of(world)
    feed.poll()
    for step in STEPS:
        step(world)
        feed.poll()
        fresh = feed_of(world)
        fresh.poll()
        assert agents(feed) == agents(fresh)
        assert list(feed.rows) == list(fresh.rows)
        assert list(feed.findings) == list(fresh.findings)
    assert feed.poll() == []


def test_what_a_call_does_is_shown_until_it_is_over(world: World) -> None:
    feed = feed_of(world)
    world.call("open", tool="Read", path="/r/a.py", over=False)
    feed.poll()
    (mine,) = [agent for agent in feed.shown() if agent.key == ("mine", "")]
    assert (mine.state, mine.doing) == ("works", "Read /r/a.py")


def test_sessions_of_long_ago_are_not_shown(world: World) -> None:
    feed = feed_of(world)
    feed.poll()
    world.ns += 2 * HOUR
    assert feed.shown() == []
    world.call("now")
    feed.poll()
    assert {agent.session for agent in feed.shown()} == {"mine"}


def test_memory_is_bounded(world: World) -> None:
    feed = feed_of(world)
    feed.poll()
    for number in range(KEPT + 10):
        feed.rows.append({"seq": number, "session": "s"})
    assert len(feed.rows) == KEPT
    for number in range(1200):
        feed.agents["s", str(number)] = Agent("s", str(number), "a", last_ms=number)
    world.call("n", session="another")
    feed.poll()
    assert len(feed.agents) == 1000
    assert ("another", "") in feed.agents


def test_no_ledger_is_a_problem_until_there_is_one(tmp_path: Path) -> None:
    feed = Feed(tmp_path / "state/ledger.db", HOUR)
    assert feed.poll() == []
    assert "there is no ledger" in feed.problem
    world = World(tmp_path)
    world.call("n")
    feed.now = lambda: world.ns
    assert len(feed.poll()) == 2
    assert feed.problem == ""


def test_another_ledger_in_its_place_is_read_from_its_beginning(
    world: World, tmp_path: Path
) -> None:
    feed = feed_of(world)
    feed.poll()
    other = World(tmp_path / "other")
    other.call("n", session="elsewhere")
    feed.ledger = other.places.ledger
    feed.poll()
    assert set(agents(feed)) == {("elsewhere", "")}


def test_sessions_of_before_come_little_by_little_the_latest_first(tmp_path: Path) -> None:
    world = World(tmp_path)
    for number in range(3 * ADOPTED):
        world.call(f"n{number}", session=f"s{number:02d}", over=False)
        world.used(f"u{number}", 10, session=f"s{number:02d}")
    world.event(SubagentStop, session="s01", agent_id="x", agent_type="w")
    feed = feed_of(world)
    feed.poll()
    first = {agent.session for agent in feed.shown()}
    assert len(first) == ADOPTED
    assert "s29" in first
    # One that is heard of again is there at once, and is counted once.
    world.call("again", session="s00")
    for _ in range(4):
        feed.poll()
    assert len({agent.session for agent in feed.shown()}) == 3 * ADOPTED
    assert agents(feed)["s00", ""][:1] == (2,)
    assert all(figures[3] == 10 for key, figures in agents(feed).items() if not key[1])
    assert feed.agents["s01", "x"].state == "over"
    assert feed.agents["s05", ""].doing == "Bash"
