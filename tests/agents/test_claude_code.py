"""Claude Code's payloads to events and back, and our decisions to its exit codes and JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.agents.claude_code import message, read, write
from pointsman.model.answer import PASS, STOP
from pointsman.model.canonical import event_from_json, event_to_json
from pointsman.model.decision import (
    NO_OPINION,
    Action,
    Cause,
    Decision,
    allow,
    ask,
    deny,
    failure,
    inject,
    modify,
    unverified,
)
from pointsman.model.errors import PayloadError
from pointsman.model.event import UnknownEvent
from pointsman.model.events import HOST_EVENTS, FileChanged, PreToolUse, Stop
from pointsman.model.guard_events import GUARD_EVENTS

from .recorded import FILES, NAMES, payload


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def test_every_event_of_the_client_was_recorded() -> None:
    assert {payload(name)["hook_event_name"] for name in NAMES} == set(HOST_EVENTS)
    assert len(HOST_EVENTS) == 33


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_recorded_payloads_are_understood_whole(file: Path) -> None:
    native = json.loads(file.read_bytes())
    event = read(file.read_bytes(), native["hook_event_name"], received_ns=7)
    assert type(event) is HOST_EVENTS[native["hook_event_name"]]
    assert (event.unknown, event.problems, event.received_ns) == ((), (), 7)
    assert event.native == native
    assert event.tool == native.get("tool_name", "")
    who = event.identity
    assert (who.host, who.session, who.cwd) == (
        "claude-code", native["session_id"], native["cwd"],
    )  # fmt: skip
    for key in ("agent_id", "agent_type", "prompt_id", "tool_use_id"):
        assert getattr(who, key) == native.get(key)


@pytest.mark.parametrize("file", FILES, ids=NAMES)
def test_recorded_payloads_can_be_replayed(file: Path) -> None:
    name = json.loads(file.read_bytes())["hook_event_name"]
    event = read(file.read_bytes(), name, received_ns=7)
    wire = json.dumps(event_to_json(event), allow_nan=False)
    back = event_from_json(json.loads(wire))
    assert json.dumps(event_to_json(back)) == wire
    assert type(back) is type(event)
    assert back.identity == event.identity
    assert read(encoded(back.native), name, received_ns=7) == event


def test_a_field_that_has_another_name_here() -> None:
    event = read(encoded(payload("FileChanged-change-terminal")), "FileChanged")
    assert isinstance(event, FileChanged)
    assert (event.change, event.native["event"]) == ("change", "change")
    assert event_to_json(event)["event"] == "FileChanged"


def test_an_unknown_event_passes_through_whole() -> None:
    native = {"hook_event_name": "BrandNew", "session_id": "s", "cwd": "/r", "what": [1]}
    event = read(encoded(native), "BrandNew")
    assert isinstance(event, UnknownEvent)
    assert (event.kind, event.native, event.identity.session) == ("BrandNew", native, "s")
    back = event_from_json(json.loads(json.dumps(event_to_json(event))))
    assert event_to_json(back) == event_to_json(event)


def test_an_unknown_field_is_named_and_kept() -> None:
    event = read(encoded({**payload("Stop"), "brand_new": {"a": 1}}), "Stop")
    assert event.unknown == ("brand_new",)
    assert event.native["brand_new"] == {"a": 1}
    assert event.problems == ()


def test_a_field_of_the_wrong_shape_is_left_out_and_named() -> None:
    event = read(encoded({**payload("Stop"), "stop_hook_active": "yes"}), "Stop")
    assert isinstance(event, Stop)
    assert event.stop_hook_active is False
    assert event.problems == ("stop_hook_active = 'yes' is not of type bool",)
    assert event.native["stop_hook_active"] == "yes"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, False), (7, True), (7.5, False), ("7", False), ([7], False), ({"a": 7}, False)],
)
def test_truth_is_no_number(value: object, shown: bool) -> None:
    native = {**payload("PostToolUse-Bash"), "duration_ms": value}
    event = read(encoded(native), "PostToolUse")
    assert getattr(event, "duration_ms") == (value if shown else 0)  # noqa: B009
    assert bool(event.problems) is not shown


def test_the_clients_directory_stands_in_for_one_that_is_missing() -> None:
    native = payload("PreToolUse-Bash")
    assert read(encoded(native), "PreToolUse", "/from/client").identity.cwd == native["cwd"]
    for missing in (None, 5, ""):
        event = read(encoded({**native, "cwd": missing}), "PreToolUse", "/from/client")
        assert event.identity.cwd == "/from/client"


def test_the_event_is_the_one_the_client_was_started_for_where_none_is_named() -> None:
    native = {**payload("Stop")}
    del native["hook_event_name"]
    assert isinstance(read(encoded(native), "Stop"), Stop)
    assert isinstance(read(encoded({**native, "hook_event_name": ""}), "Stop"), Stop)


@pytest.mark.parametrize(
    ("expected", "named"),
    [
        ("PreToolUse", "Stop"),
        ("Stop", "PreToolUse"),
        ("PreToolUse", "PermissionRequest"),
        ("PreToolUse", "pretooluse"),
        ("ConfigChange", ""),
        ("PreToolUse", None),
        ("PreToolUse", ["PreToolUse"]),
        ("Stop", ["Stop"]),
        ("Stop", {}),
        ("Stop", 5),
    ],
)
def test_another_event_than_the_one_guarded_is_refused(expected: str, named: object) -> None:
    native = {**payload("PreToolUse-Bash"), "hook_event_name": named}
    with pytest.raises(PayloadError, match="the payload says hook_event_name = ") as caught:
        read(encoded(native), expected)
    assert caught.value.fix == "pointsman doctor"


def test_one_that_is_not_guarded_may_come_under_another_name() -> None:
    assert read(encoded(payload("Stop")), "SubagentStop").kind == "Stop"


@pytest.mark.parametrize("key", ["tool_name", "tool_input"])
@pytest.mark.parametrize("value", [None, 5, [], True, "…missing…"])
def test_what_a_guard_has_to_judge_must_be_there(key: str, value: object) -> None:
    native = {**payload("PreToolUse-Bash"), key: value}
    if value == "…missing…":
        del native[key]
    with pytest.raises(PayloadError, match=f"no usable {key}"):
        read(encoded(native), "PreToolUse")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the payload is empty"),
        (b" \n", "the payload is empty"),
        (b"{", "is not JSON: "),
        (b"\xff\xfe\xfa", "is not JSON: "),
        (b'{"a": "\xc3"}', "is not JSON: "),
        (b"[" * 10**6, "nested too deeply"),
        (b'{"a":' * 10**6, "nested too deeply"),
        (b'{"a": ' + b"[" * 250 + b"]" * 250 + b"}", "nested too deeply"),
        (b'{"a": NaN}', "NaN is no JSON value"),
        (b'{"a": -Infinity}', "-Infinity is no JSON value"),
        (b'{"a": 1e999}', "out of a number's bounds"),
        (b'{"a": -1E+400}', "out of a number's bounds"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON: "),
        (b"null", "is None, not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b"3", "not a JSON object"),
    ],
)
def test_what_is_no_payload(data: bytes, why: str) -> None:
    with pytest.raises(PayloadError, match=why) as caught:
        read(data, "PreToolUse")
    assert caught.value.fix
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("levels", "core", "too_deep"),
    [
        (199, b"", False),
        (198, b"1", False),
        (200, b"", True),
        (199, b"1", True),
        (199, b"{}", True),
    ],
)
def test_where_nesting_ends(levels: int, core: bytes, too_deep: bool) -> None:
    """A value lies at most 200 levels deep, wherever it stands among shallow ones."""
    wide = b'"wide": [' + b"[]," * 300 + b'{"b": []}]'
    data = b'{"a": ' + b"[" * levels + core + b"]" * levels + b"," + wide + b"}"
    if too_deep:
        with pytest.raises(PayloadError, match="nested too deeply"):
            read(data, "Stop")
    else:
        assert read(data, "Stop").kind == "Stop"


def test_flat_payloads_with_many_lists_are_not_deep() -> None:
    native = {**payload("PreToolUse-Bash"), "tool_input": {"a": [[]] * 5000}}
    assert read(encoded(native), "PreToolUse").tool == "Bash"


def test_of_a_key_that_comes_twice_the_last_one_counts_as_with_the_client() -> None:
    data = (
        b'{"hook_event_name": "PreToolUse", "tool_input": {}, "tool_name": "A", "tool_name": "B"}'
    )
    assert read(data, "PreToolUse").tool == "B"


# --- fuzz: whatever comes, it is an event or a PayloadError, and what is guarded stays so --------

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.just("\ud800") | st.integers(10**18, 10**30),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def check(data: bytes, expected: str) -> None:
    """Read something; what comes out can be written down, sent to a hook, and answered."""
    try:
        event = read(data, expected, "/cwd", 1)
    except PayloadError:
        return
    assert event.kind == expected or expected not in GUARD_EVENTS
    assert event.kind not in GUARD_EVENTS or event.kind == expected
    wire = json.dumps(event_to_json(event), allow_nan=False)
    assert json.dumps(event_to_json(event_from_json(json.loads(wire)))) == wire
    assert event.paths is not None
    answer = write(event.kind, deny(f"no {event.tool}"))
    assert (answer.code, bool(answer.stderr)) == (STOP, True)


@given(st.sampled_from(NAMES), st.data())
def test_retyped_fields(name: str, data: st.DataObject) -> None:
    native = payload(name)
    keys = data.draw(st.lists(st.sampled_from(sorted(native)), max_size=4))
    check(encoded({**native, **{key: data.draw(anything) for key in keys}}), _name(native))


@given(st.sampled_from(NAMES), st.data())
def test_missing_fields(name: str, data: st.DataObject) -> None:
    native = payload(name)
    keys = data.draw(st.sets(st.sampled_from(sorted(native)), max_size=6))
    check(encoded({key: native[key] for key in native if key not in keys}), _name(native))


@given(st.sampled_from(NAMES), st.data())
def test_cut_and_garbled_bytes(name: str, data: st.DataObject) -> None:
    native = payload(name)
    raw = bytearray(encoded(native))
    del raw[data.draw(st.integers(0, len(raw))) :]
    for _ in range(data.draw(st.integers(0, 4))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(raw), _name(native))


@given(st.binary(max_size=60), st.sampled_from([*HOST_EVENTS, "Unknown", ""]))
def test_arbitrary_bytes(data: bytes, expected: str) -> None:
    check(data, expected)


@given(anything, st.sampled_from([*HOST_EVENTS, "Unknown", ""]))
def test_arbitrary_json(value: Any, expected: str) -> None:
    check(encoded(value), expected)


@pytest.mark.parametrize("depth", [*range(150, 260, 7), *range(900, 1010, 9), 5000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_every_depth(depth: int, opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    inner = f"{opening * depth}1{closing * depth}"
    for key in ("tool_input", "tool_name", "hook_event_name", "brand_new"):
        native = {**payload("PreToolUse-Bash"), key: "HERE"}
        check(json.dumps(native).replace('"HERE"', inner).encode(), "PreToolUse")


def _name(native: dict[str, Any]) -> str:
    return str(native["hook_event_name"])


# --- answers -------------------------------------------------------------------------------------

ALL_KINDS = [*HOST_EVENTS, "Unheard"]


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("decision", [deny("no", rule="r"), failure("broken", rule="r")])
def test_a_denial_is_exit_2_and_words(kind: str, decision: Decision) -> None:
    answer = write(kind, decision.by("h"))
    assert answer.code == STOP
    assert answer.stderr.endswith(b"[r h]\n")
    if answer.stdout:
        json.loads(answer.stdout)
    assert b'"allow"' not in answer.stdout


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_nothing_to_say_is_silence(kind: str) -> None:
    answer = write(kind, NO_OPINION)
    assert (answer.code, answer.stdout, answer.stderr) == (PASS, b"", b"")


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != "PreToolUse"])
def test_a_question_that_cannot_be_asked_is_a_denial(kind: str) -> None:
    answer = write(kind, ask("sure?"))
    assert (answer.code, b"sure?" in answer.stderr) == (STOP, True)


def specific(decision: Decision, kind: str = "PreToolUse") -> dict[str, Any]:
    answer = write(kind, decision)
    assert answer.code == PASS
    assert answer.stderr == b""
    assert b"\n" not in answer.stdout
    assert answer.stdout.isascii()
    value: dict[str, Any] = json.loads(answer.stdout)["hookSpecificOutput"]
    assert value.pop("hookEventName") == kind
    return value


def test_what_else_can_be_said_before_a_tool() -> None:
    assert specific(ask("sure?", rule="r").by("h")) == {
        "permissionDecision": "ask",
        "permissionDecisionReason": "Pointsman asks a person: sure? [r h]",
    }
    assert specific(unverified("what?", rule="r"))["permissionDecisionReason"].startswith(
        "Pointsman could not verify this: what?"
    )
    assert specific(allow("fine"))["permissionDecision"] == "allow"
    assert specific(modify({"command": "ls"})) == {"updatedInput": {"command": "ls"}}
    assert specific(inject("text\n\ud800")) == {"additionalContext": "text\n\ud800"}
    both = Decision(action=Action.ASK, reason="?", updated_input={"a": 1}, context="c")
    assert set(specific(both)) == {
        "permissionDecision", "permissionDecisionReason", "updatedInput", "additionalContext",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["PostToolUse", "SessionStart", "UserPromptSubmit"])
def test_context_where_it_reaches_the_model(kind: str) -> None:
    assert specific(inject("text"), kind) == {"additionalContext": "text"}


@pytest.mark.parametrize("kind", ["Notification", "Stop", "SessionEnd", "Unheard"])
def test_context_where_it_would_change_what_happens_is_not_said(kind: str) -> None:
    assert write(kind, inject("text")).stdout == b""


def test_a_request_for_permission_is_denied_in_its_own_words() -> None:
    answer = write("PermissionRequest", deny("no"))
    output = json.loads(answer.stdout)["hookSpecificOutput"]
    assert output["decision"] == {"behavior": "deny", "message": "Pointsman stopped this: no"}


@pytest.mark.parametrize(
    ("cause", "opening"),
    [
        (Cause.VIOLATION, "Pointsman stopped this: "),
        (Cause.UNVERIFIED, "Pointsman could not verify this: "),
        (
            Cause.FAILURE,
            "Pointsman could not check this (its own failure, not a policy violation): ",
        ),
    ],
)
def test_three_kinds_of_no_can_be_told_apart(cause: Cause, opening: str) -> None:
    decision = Decision(action=Action.DENY, reason="x", cause=cause)
    assert message(decision).startswith(opening)
    assert message(Decision(action=Action.DENY, cause=cause)) == f"{opening}no reason given"


@given(st.sampled_from(ALL_KINDS), st.text(max_size=40), st.sampled_from(list(Action)))
def test_whatever_the_reason_the_answer_can_be_sent(kind: str, text: str, action: Action) -> None:
    updated = {"a": text} if action is Action.MODIFY else None
    answer = write(kind, Decision(action=action, reason=text, context=text, updated_input=updated))
    assert answer.code in {PASS, STOP}
    assert (answer.code == STOP) == (action is Action.DENY or bool(
        action is Action.ASK and kind != "PreToolUse"
    ))  # fmt: skip
    if answer.stdout:
        json.loads(answer.stdout)


def test_a_tool_name_that_is_no_text_leaves_no_tool() -> None:
    event = read(encoded({**payload("PostToolUse-Bash"), "tool_name": 5}), "PostToolUse")
    assert (event.tool, len(event.problems)) == ("", 1)
    assert not isinstance(event, PreToolUse)


OVER = Decision(action=Action.DENY, reason="over", rule="limit.session-calls", ends=True)


@pytest.mark.parametrize("kind", ["PostToolUse", "PostToolUseFailure", "PostToolBatch"])
def test_the_end_of_a_run_behind_a_call_is_told_as_such(kind: str) -> None:
    answer = write(kind, OVER)
    value = json.loads(answer.stdout)
    assert (answer.code, answer.stderr) == (PASS, b"")
    assert value == {"continue": False, "stopReason": message(OVER)}


def test_before_a_call_it_goes_beside_a_denial_that_holds_by_itself() -> None:
    answer = write("PreToolUse", OVER)
    value = json.loads(answer.stdout)
    assert answer.code == STOP
    assert b"over" in answer.stderr
    assert value["continue"] is False
    assert value["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert "continue" not in json.loads(write("PreToolUse", deny("no")).stdout)


@pytest.mark.parametrize("kind", ["UserPromptSubmit", "SessionStart", "Stop"])
def test_elsewhere_it_is_a_denial(kind: str) -> None:
    assert write(kind, OVER) == write(kind, Decision(action=Action.DENY, reason="over",
                                                      rule="limit.session-calls"))  # fmt: skip
