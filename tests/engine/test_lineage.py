from dataclasses import replace

from pointsman.engine.lineage import Lineage
from pointsman.model.event import Event
from pointsman.model.events import PostToolUse, PreToolUse, SubagentStart

from .events import WHO


def spawn(kind: str, by: str | None = None) -> PreToolUse:
    return PreToolUse(
        identity=replace(WHO, agent_id=by), tool_name="Agent", tool_input={"subagent_type": kind}
    )


def acts(agent: str, kind: str) -> Event:
    return SubagentStart(identity=replace(WHO, agent_id=agent, agent_type=kind))


def test_a_subagent_of_the_main_thread() -> None:
    lineage = Lineage()
    assert lineage.parent_of(spawn("builder")) is None
    assert lineage.parent_of(acts("a1", "builder")) == "main"
    assert lineage.parent_of(acts("a1", "builder")) == "main"


def test_a_subagent_of_a_subagent() -> None:
    lineage = Lineage()
    lineage.parent_of(spawn("lead"))
    lineage.parent_of(acts("a1", "lead"))
    assert lineage.parent_of(spawn("worker", by="a1")) == "main"
    assert lineage.parent_of(acts("a2", "worker")) == "a1"


def test_two_of_a_kind_are_matched_in_order() -> None:
    lineage = Lineage()
    lineage.parent_of(acts("a1", "lead"))
    lineage.parent_of(spawn("worker"))
    lineage.parent_of(spawn("worker", by="a1"))
    assert lineage.parent_of(acts("b1", "worker")) == "main"
    assert lineage.parent_of(acts("b2", "worker")) == "a1"


def test_the_result_of_the_call_settles_it() -> None:
    lineage = Lineage()
    result = PostToolUse(
        identity=replace(WHO, agent_id="a1"), tool_name="Agent", tool_response={"agentId": "b1"}
    )
    lineage.parent_of(result)
    assert lineage.parent_of(acts("b1", "worker")) == "a1"


def test_a_spawn_that_was_stopped_is_forgotten() -> None:
    lineage = Lineage()
    lineage.parent_of(acts("a1", "lead"))
    stopped = spawn("worker", by="a1")
    lineage.parent_of(stopped)
    lineage.refused(stopped)
    lineage.parent_of(spawn("worker"))
    assert lineage.parent_of(acts("b1", "worker")) == "main"


def test_sessions_are_bounded() -> None:
    lineage = Lineage()
    for number in range(2000):
        event = acts("a", "b")
        lineage.parent_of(replace(event, identity=replace(event.identity, session=str(number))))
    assert len(lineage._sessions) <= 512
