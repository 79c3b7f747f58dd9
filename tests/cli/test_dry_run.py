"""Deciding without a daemon: the same steps, and whatever comes in, an answer comes out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.case import MOST_PAYLOAD, Delivery, as_row
from pointsman.cli.dry_run import DryRun, delivery_of, event_name
from pointsman.model.answer import PASS, STOP
from pointsman.model.decision import Action, Cause
from pointsman.model.events import HOST_EVENTS
from pointsman.model.guard_events import GUARD_EVENTS
from pointsman.model.places import Places
from pointsman.store.record import event_row

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["\ud800", "\0", "/", "..", "rm -rf /", "$(", "a" * 5000, "/etc/passwd"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["command", "file_path", "path", "x", "edits"]), inner, max_size=3
    ),
    max_leaves=10,
)  # fmt: skip
TOOLS = [
    "Bash",
    "Write",
    "Edit",
    "MultiEdit",
    "NotebookEdit",
    "Read",
    "Agent",
    "mcp__fs__write",
    "",
]
FIELDS = [
    "session_id", "cwd", "agent_id", "agent_type", "tool_use_id", "prompt_id", "permission_mode",
    "file_path", "source", "prompt", "error", "is_interrupt", "tool_response",
]  # fmt: skip


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DryRun]:
    base = tmp_path_factory.mktemp("dry")
    (base / "repo/.git").mkdir(parents=True)
    agents = base / "repo/.claude/agents"
    agents.mkdir(parents=True)
    (agents / "b.md").write_text(
        '---\nname: b\ndescription: d\noutputs:\n  allowed_modifications: ["src/**"]\n---\n'
    )
    with DryRun(Places(base / "state", base / "config")) as made:
        yield made


def check(dry: DryRun, delivery: Delivery) -> None:
    """Decide, and see that the answer can be sent, recorded and printed."""
    case, handled = dry.handle(delivery)
    assert handled.answer.code in {PASS, STOP}
    stopped = handled.decision.action is Action.DENY
    if stopped:
        assert (handled.answer.code, bool(handled.answer.stderr)) == (STOP, True)
    if case.refusal is not None and delivery.event in GUARD_EVENTS:
        assert (stopped, handled.decision.cause) == (True, Cause.FAILURE)
    assert handled.decision.rule != "guard.crashed", handled.decision.reason
    json.loads(json.dumps(as_row(handled)))
    for value in event_row(1, None, handled.record):
        if isinstance(value, str):
            value.encode()  # SQLite takes no lone surrogates.


@given(st.sampled_from(list(HOST_EVENTS)), st.sampled_from(TOOLS), st.data())
def test_whatever_the_fields_hold(dry: DryRun, event: str, tool: str, data: st.DataObject) -> None:
    native: dict[str, Any] = {
        "hook_event_name": event,
        "tool_name": tool,
        "tool_input": data.draw(st.dictionaries(
            st.sampled_from(["command", "file_path", "notebook_path", "path", "subagent_type"]),
            anything, max_size=3,
        )),
        "agent_type": "b",
        "agent_id": "a",
    }  # fmt: skip
    for key in data.draw(st.lists(st.sampled_from(FIELDS), max_size=4)):
        native[key] = data.draw(anything)
    repo = str(dry.where.state.parent / "repo")
    check(dry, delivery_of(json.dumps(native).encode(), "claude-code", repo))


@given(st.binary(max_size=80), st.sampled_from(["claude-code", "nobody"]), st.text(max_size=6))
def test_whatever_the_bytes(dry: DryRun, data: bytes, host: str, cwd: str) -> None:
    check(dry, delivery_of(data, host, cwd))
    assert delivery_of(data, host, cwd).event == "PreToolUse"


@given(anything)
def test_whatever_the_json(dry: DryRun, value: Any) -> None:
    check(dry, delivery_of(json.dumps(value).encode(), "claude-code", "/"))


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        (b'{"hook_event_name": "Stop"}', "Stop"),
        (b'{"hook_event_name": "New"}', "New"),
        (b'{"hook_event_name": ""}', "PreToolUse"),
        (b'{"hook_event_name": 5}', "PreToolUse"),
        (b"{}", "PreToolUse"),
        (b"[]", "PreToolUse"),
        (b"[[", "PreToolUse"),
        (b'"hook_event_name"', "PreToolUse"),
        (b"[" * 100_000, "PreToolUse"),
        (b"\xff", "PreToolUse"),
    ],
)
def test_what_does_not_say_its_event_may_be_one_that_somebody_waits_for(
    payload: bytes, name: str
) -> None:
    assert event_name(payload) == name


def test_a_payload_is_cut_where_a_client_would_cut_it() -> None:
    whole = delivery_of(b"x" * (MOST_PAYLOAD + 5), "h", "/")
    assert (len(whole.payload), whole.size) == (MOST_PAYLOAD, MOST_PAYLOAD + 5)
    counted = delivery_of(b"x", "h", "/", size=9)
    assert (counted.payload, counted.size) == (b"x", 9)


def test_it_leaves_no_process_behind(tmp_path: Path) -> None:
    hooks = tmp_path / "config/hooks"
    hooks.mkdir(parents=True)
    pids = tmp_path / "pids"
    (hooks / "h.py").write_text(
        "import os\nfrom pointsman import guard\n\n@guard('PreToolUse')\n"
        f"async def pid(event, ctx):\n    open({str(pids)!r}, 'w').write(str(os.getpid()))\n"
    )
    payload = b'{"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {}}'
    with DryRun(Places(tmp_path / "state", tmp_path / "config")) as made:
        _, handled = made.handle(delivery_of(payload, "claude-code", "/"))
        assert handled.answer.code == PASS
        worker = Path("/proc", pids.read_text())
        assert worker.exists()
    assert not worker.exists()
