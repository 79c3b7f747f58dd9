"""What of a session's record comes into its brief, and how long that may be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.handoff.gather import gather
from pointsman.handoff.words import words
from pointsman.model.handoff import PARTS, Brief, Condition, Happening, Story
from pointsman.model.tokens import tokens_of
from pointsman.model.watching import ContextLimits, context_limits, window_of

LIMITS = ContextLimits(200_000, 75, 80)


def happened(event: str, tool: str = "", **native: Any) -> Happening:
    own = {key: native.pop(key) for key in ("decision", "rule", "reason", "path", "agent_id")
           if key in native}  # fmt: skip
    return Happening(seq=1, event=event, tool=tool, native=native, **own)


def bash(command: str, event: str = "PostToolUse", **more: Any) -> Happening:
    return happened(event, "Bash", tool_input={"command": command}, **more)


def brief(*happenings: Happening, last: str = "", **more: Any) -> Brief:
    return gather(Story("s", "/r", happenings, **more), last, LIMITS)


def test_the_goal_is_what_was_asked_first_and_last() -> None:
    texts = ("/clear", "<note>", "Build the shop", "now", "Mend the cart")
    asked = [happened("UserPromptSubmit", prompt=text) for text in texts]
    assert brief(*asked).goal == ("Build the shop", "Asked last: Mend the cart")
    assert brief(asked[2]).goal == ("Build the shop",)
    assert brief().goal == ()


def test_what_is_done() -> None:
    found = brief(
        happened("TaskCompleted", task_id="1", task_subject="The cart"),
        bash("npm test -- cart"),
        bash('git add -A && git commit -m "Cart: a limit"'),
        bash("ls"),
        bash("pytest -q", "PostToolUseFailure", error="Exit code 1\n2 failed"),
    )
    assert found.done == ("Committed: Cart: a limit", "Passed: npm test -- cart", "Task: The cart")
    assert found.failed == ("pytest -q: Exit code 1",)


def test_what_is_open() -> None:
    def task(name: str, event: str = "TaskCreated") -> Happening:
        return happened(event, task_id=name, task_subject=f"task {name}")

    under_way = happened("PostToolUse", "TaskUpdate",
                         tool_input={"taskId": "2", "status": "in_progress"})  # fmt: skip
    found = brief(task("1"), task("2"), task("3"), task("1", "TaskCompleted"), under_way)
    assert found.open == ("task 2 (under way)", "task 3")
    assert found.next_step == ("task 2 (under way)",)
    todos = [{"content": "a", "status": "completed"}, {"content": "b", "status": "pending"}, 7]
    assert brief(happened("PostToolUse", "TodoWrite", tool_input={"todos": todos})).open == ("b",)


def test_what_has_failed_is_said_once_with_its_number() -> None:
    errors = [
        bash("make", "PostToolUseFailure", error=f"Exit 2\nat line {n}{n}{n}") for n in range(3)
    ]
    denied = bash(
        "rm -rf /", "PreToolUse", decision="deny", rule="rm-tree", reason="it deletes\nall"
    )
    found = brief(*errors, denied)
    assert found.failed == (
        "rm -rf /: stopped by rm-tree: it deletes", "make: Exit 2 (3 times)",
    )  # fmt: skip


def test_decisions_are_the_person_s_answers_and_what_the_agent_says_it_decided() -> None:
    answers = {"answers": {"Which store?": "SQLite"}}
    found = brief(
        happened("PostToolUse", "AskUserQuestion", tool_response=answers),
        happened("Stop", last_assistant_message="I looked. We decided on ULIDs. Done."),
        last="I chose HTTP/2 instead of gRPC.\nAll is well.",
    )
    assert found.decisions == (
        "Which store? — SQLite (the person's answer)",
        "I chose HTTP/2 instead of gRPC.",
        "We decided on ULIDs.",
    )


def test_last_words_and_the_next_step_in_them() -> None:
    said = "The cart works.\n\n- Next: write the test for refunds.\n"
    found = brief(happened("Stop", last_assistant_message=said))
    assert found.last_words == ("The cart works.", "- Next: write the test for refunds.")
    assert found.next_step == ("Next: write the test for refunds.",)
    assert brief(happened("Stop", last_assistant_message="old"), last="new").last_words == ("new",)


def test_a_subagent_s_words_are_not_the_session_s() -> None:
    other = happened("Stop", last_assistant_message="mine", agent_id="a")
    assert brief(other, happened("UserPromptSubmit", prompt="x", agent_id="a")) == brief()


def test_files_the_last_first() -> None:
    assert brief(files=(("/r/a.py", 3), ("/x/b.py", 1))).files == ("a.py (3 times)", "/x/b.py")


@pytest.mark.parametrize(
    ("tokens", "model", "percent", "past"),
    [
        (0, "", 0.0, False),
        (158_000, "m", 79.0, False),
        (160_000, "m", 80.0, True),
        (160_000, "m[1m]", 16.0, False),
        (250_000, "m", 25.0, False),
    ],
)
def test_how_full_it_is(tokens: int, model: str, percent: float, past: bool) -> None:
    state = brief(tokens=tokens, model=model).condition
    assert (state.percent, bool(state.reasons)) == (percent, past)
    assert state.alert is (percent >= 75)


def test_what_speaks_against_going_on() -> None:
    found = brief(
        happened("WatchFinding", rule="watch.same-error"),
        happened("WatchFinding", rule="watch.churn"),
        happened("WatchFinding", rule="watch.denials"),
        happened("WatchFinding", rule="watch.cycle", agent_id="sub"),
        happened("PreCompact"),
    ).condition
    assert found.reasons == (
        "the same error came again and again", "files went back and forth",
    )  # fmt: skip
    assert (found.compactions, found.errors, found.reverts) == (1, 1, 1)


def test_the_thresholds_are_those_of_the_detector() -> None:
    assert context_limits({}) == ContextLimits(200_000, 75, 80)
    assert context_limits({"context": {"critical": 60}}).handoff == 60
    assert window_of(1, "m[1m]", 200_000) == 1_000_000


TEXTS = st.lists(st.text(max_size=600), max_size=25).map(tuple)


@given(st.fixed_dictionaries(dict.fromkeys(PARTS, TEXTS)), st.integers(200, 1500))
def test_a_brief_is_never_longer_than_its_tokens(
    parts: dict[str, tuple[str, ...]], tokens: int
) -> None:
    made = Brief("s", Condition(reasons=("its context was 81 % full",)), **parts)
    assert tokens_of(words(made, tokens)) <= tokens


def test_every_part_has_a_line_before_any_has_many() -> None:
    parts = {name: tuple(f"{name} {number} {'x' * 300}" for number in range(20)) for name in PARTS}
    text = words(Brief("s", Condition(), **parts))
    for name, title in PARTS.items():
        assert f"{title}:\n- {name} 0" in text
    assert text.index("Goal:") < text.index("Next step:") < text.index("Its own last words:")


@pytest.mark.parametrize(
    "native",
    [{"tool_input": 7}, {"prompt": 7}, {"error": None}, {"tool_response": []}, {"task_id": []}],
)
@pytest.mark.parametrize("event", ["UserPromptSubmit", "PostToolUse", "PostToolUseFailure",
                                   "TaskCreated", "TaskCompleted", "Stop"])  # fmt: skip
def test_what_is_no_text_is_passed_over(event: str, native: dict[str, Any]) -> None:
    for tool in ("Bash", "TaskUpdate", "TodoWrite", "AskUserQuestion", "TaskCreate"):
        assert words(brief(happened(event, tool, **native))).startswith("Hand-off from session s")
