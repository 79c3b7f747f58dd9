"""Each question, answered from the record to whoever asks and to nobody else."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pointsman.mcp.answers import Answers
from pointsman.mcp.server import Refused
from pointsman.mcp.tools import TOOLS, listed
from pointsman.model.decision import ask, deny
from pointsman.model.places import Places
from store.records import record

from .world import CALL_KEY, SECOND, World, crowded, end

CHILD: dict[str, Any] = {"agent_id": "c1", "agent_type": "tester"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    crowded(made)
    return made


def values(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["isError"] is False, answer
    found: dict[str, Any] = answer["structuredContent"]
    return found


def refusal(answer: dict[str, Any]) -> str:
    assert answer["isError"] is True
    assert "structuredContent" not in answer
    text: str = answer["content"][0]["text"]
    return text


@pytest.mark.parametrize("who", [{}, CHILD], ids=["main", "subagent"])
@pytest.mark.parametrize("name", TOOLS)
def test_every_answer_is_as_its_schema_says_and_of_the_own_session(
    world: World, name: str, who: dict[str, Any]
) -> None:
    answer = world.ask(name, **who)
    found = values(answer)
    schema = next(each["outputSchema"] for each in listed() if each["name"] == name)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema)
    assert found["you"]["session"] == "mine"
    assert found["you"]["agent"] == who.get("agent_type", "main")
    assert "foreign" not in json.dumps(answer)
    assert answer["content"][0]["text"]


def test_spent_adds_up_and_does_not_hide_what_has_no_price(world: World) -> None:
    found = values(world.ask("spent"))
    assert (found["session"]["tokens"], found["mine"]["tokens"]) == (130, 100)
    assert (found["session"]["cost_usd"], found["mine"]["cost_usd"]) == (None, 0.5)
    # A denied call is none; the one that asks is.
    assert (found["session"]["tool_calls"], found["mine"]["tool_calls"]) == (5, 3)
    assert found["denied"] == 1
    assert [row["model"] for row in found["by_model"]] == ["big", "unknown"]
    assert values(world.ask("spent", **CHILD))["mine"]["unpriced_messages"] == 1


def test_limits_are_those_that_hold_for_the_agent(world: World) -> None:
    assert values(world.ask("limits"))["limits"] == []
    world.places.config.mkdir()
    world.places.user_config.write_text(
        '[[limits]]\nper = "session"\nof = "tokens"\nat = 200\nthen = "deny"\n'
        '[[limits]]\nper = "agent"\nof = "calls"\nat = 2\nthen = "warn"\nagents = ["tester"]\n'
    )
    (one,) = values(world.ask("limits"))["limits"]
    assert (one["used"], one["remains"], one["reached"], one["then"]) == (130, 70, False, "deny")
    answer = world.ask("limits", **CHILD)
    _, two = values(answer)["limits"]
    assert (two["used"], two["remains"], two["reached"]) == (2, 0, True)
    assert "REACHED: 2 calls of 2 calls for you" in answer["content"][0]["text"]


def test_denials_say_the_rule_the_reason_and_what_to_do_instead(world: World) -> None:
    world.call("c9", decision=ask("child's", rule="r").by("h"), **CHILD)
    answer = world.ask("denials")
    rows = values(answer)["denials"]
    assert [row["rule"] for row in rows] == ["r", "git.push", "scope.allowed"]
    assert [row["mine"] for row in rows] == [False, True, True]
    assert rows[2]["reason"] == "outside of its scope"
    assert "does not help" in rows[2]["instead"]
    assert "deny Bash: outside of its scope" in answer["content"][0]["text"]
    assert [row["rule"] for row in values(world.ask("denials", given={"limit": 1}))["denials"]] == [
        "r"
    ]
    mine = values(world.ask("denials", given={"mine": True}, **CHILD))["denials"]
    assert [row["rule"] for row in mine] == ["r"]


def test_hooks_that_fail_come_first_with_their_last_words(world: World) -> None:
    found = values(world.ask("hooks"))
    assert found["failing"] == 1
    assert found["hooks"][0]["last_failure"] == "timed out: 5 s are over"
    assert found["hooks"][1]["failed"] == 0


def test_looping_is_of_the_one_who_asks(world: World) -> None:
    mine = values(world.ask("looping"))
    assert mine["looping"] is False
    assert [row["mine"] for row in mine["findings"]] == [False]
    assert values(world.ask("looping", given={"mine": True}))["findings"] == []
    theirs = world.ask("looping", **CHILD)
    assert values(theirs)["looping"] is True
    assert values(theirs)["findings"][0]["figures"] == {"calls": 5}
    assert theirs["content"][0]["text"].startswith("Yes:")


def test_contract_is_that_of_the_agent(world: World) -> None:
    file = world.repository / ".claude/agents/tester.md"
    file.parent.mkdir(parents=True)
    file.write_text(
        "---\nname: tester\ndescription: tests\noutputs:\n"
        '  allowed_modifications: ["tests/**"]\n---\nTest.\n'
    )
    assert values(world.ask("contract"))["contract"] is None
    answer = world.ask("contract", **CHILD)
    assert values(answer)["contract"]["mayWrite"] == ["tests/**"]
    assert "may change: tests/**" in answer["content"][0]["text"]


def test_subagents_are_those_below_the_one_who_asks(world: World) -> None:
    rows = values(world.ask("subagents"))["subagents"]
    assert [(row["agent_id"], row["over"], row["tool_calls"], row["tokens"]) for row in rows] == [
        ("c1", False, 1, 30), ("c2", True, 1, 0),
    ]  # fmt: skip
    assert rows[0]["cost_usd"] is None
    below = values(world.ask("subagents", **CHILD))["subagents"]
    assert [row["agent_id"] for row in below] == ["c2"]
    last = world.ask("subagents", agent_id="c2", agent_type="writer")
    assert values(last)["subagents"] == []


def test_without_a_daemon_it_says_what_it_cannot_know(world: World) -> None:
    notes = values(world.ask("spent"))["notes"]
    assert any("no daemon runs" in note for note in notes)
    assert any("messages up to 2025-" in note for note in notes)


@pytest.mark.parametrize(
    "meta", [None, {}, [], {CALL_KEY: 7}, {CALL_KEY: ""}, {CALL_KEY: "x" * 999}]
)
def test_who_does_not_say_which_call_asks_is_told_nothing(world: World, meta: object) -> None:
    text = refusal(world.ask("spent", meta=meta if meta is not None else {"foreign": 1}))
    assert "could not be verified" in text


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("m1", {}),
        ("never", {}),
        ("o1", {}),
        ("open", {"tool": "Bash"}),
        ("open", {"tool": "mcp__pointsman__limits"}),
        ("open", {"tool": "pointsman__spent"}),
        ("open", {"tool": "mcp__pointsman__spent", "transport": "spooled"}),
        ("open", {"tool": "mcp__pointsman__spent", "decision": "deny"}),
    ],
)
def test_only_a_call_of_this_tool_that_is_under_way_is_somebodys(
    world: World, call: str, more: dict[str, Any]
) -> None:
    if more:
        if "decision" in more:
            more = {**more, "decision": deny("no", rule="r").by("g")}
        world.ledger.append([record("open", at=world.ns, session="mine", **more)])
    assert "could not be verified" in refusal(world.ask("spent", meta={CALL_KEY: call}))


def test_a_call_of_two_sessions_is_nobodys(world: World) -> None:
    for session in ("mine", "foreign"):
        world.call("twice", tool="mcp__pointsman__spent", over=False, session=session)
    assert "several sessions" in refusal(world.ask("spent", meta={CALL_KEY: "twice"}))


def test_a_call_of_long_ago_is_nobodys(world: World) -> None:
    world.call("old", tool="mcp__pointsman__spent", over=False)
    world.ns += 3600 * SECOND
    assert "could not be verified" in refusal(world.ask("spent", meta={CALL_KEY: "old"}))


def test_a_server_of_a_living_session_answers_no_other(world: World) -> None:
    told = {"CLAUDE_CODE_SESSION_ID": "foreign"}
    assert "another session's" in refusal(world.ask("spent", environ=told))
    end(world, "foreign")
    # As after /clear: the environment still names the session that has ended.
    assert values(world.ask("spent", environ=told))["you"]["session"] == "mine"


@pytest.mark.parametrize(
    "given", [{"limit": 0}, {"limit": True}, {"mine": 1}, {"session": "foreign"}]
)
def test_arguments_that_are_none(world: World, given: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"limit|mine|session"):
        world.ask("denials", given=given)
    with pytest.raises(Refused):
        world.ask("spent", given={"limit": 3})


def test_no_ledger_is_said(tmp_path: Path) -> None:
    answers = Answers(Places(tmp_path / "none", tmp_path / "config"), {})
    assert "there is no ledger" in refusal(answers.call("spent", {}, {CALL_KEY: "x"}))


def test_asking_changes_nothing(world: World) -> None:
    before = set(world.places.state.iterdir())
    answers = Answers(world.places, {}, lambda: world.ns)
    world.call("open", tool="mcp__pointsman__spent", over=False)
    rows = world.ledger.path.read_bytes()
    values(answers.call("spent", {}, {CALL_KEY: "open"}))
    assert world.ledger.path.read_bytes() == rows
    assert before == set(world.places.state.iterdir())
