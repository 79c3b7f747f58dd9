from dataclasses import replace

from pointsman.engine import reached
from pointsman.engine.reached import Reached
from pointsman.model.confinement import Confinement
from pointsman.model.event import Identity
from pointsman.model.events import PostToolUse

HELD = Confinement(root="/r", writable=("/r/src", "/tmp"), protected=("/r/src/t.py",))
WHO = Identity(host="claude-code", session="s", tool_use_id="a")


def test_what_bubblewrap_lets_a_call_write_is_known_when_it_has_ended() -> None:
    memory = Reached()
    memory.note("s", "a", HELD, "bubblewrap")
    assert memory.of(PostToolUse(identity=WHO)) == ("/r/src", "/tmp", "-/r/src/t.py")


def test_landlock_takes_nothing_back_below_a_directory() -> None:
    memory = Reached()
    memory.note("s", "a", HELD, "landlock")
    # Modes it holds nowhere.
    assert memory.of(PostToolUse(identity=WHO)) == ("~/", "/r/src", "/tmp")


def test_a_call_that_nothing_held_is_not_known() -> None:
    memory = Reached()
    memory.note("s", "a", HELD, "bubblewrap")
    for who in (replace(WHO, session="t"), replace(WHO, tool_use_id="b"), Identity(host="x")):
        assert memory.of(PostToolUse(identity=who)) is None


def test_the_memory_is_bounded() -> None:
    memory = Reached()
    memory.note("s", "a", HELD, "bubblewrap")
    for number in range(reached._MOST_CALLS):
        memory.note("s", str(number), HELD, "bubblewrap")
    assert memory.of(PostToolUse(identity=WHO)) is None
