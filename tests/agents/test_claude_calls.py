"""What a transcript says of calls and hooks; the lines are those of client 2.1.330, shortened."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.agents.claude_calls import calls_of, is_trusted, lines_of, transcripts
from pointsman.model.coverage import Call, Fate, HostHook


def line(**native: Any) -> bytes:
    return json.dumps(
        {"sessionId": "s1", "timestamp": "2026-11-24T23:22:41.982Z", **native}
    ).encode()


def use(call: str, tool: str = "Bash", command: str = "echo hi", **more: Any) -> bytes:
    block = {"type": "tool_use", "id": call, "name": tool, "input": {"command": command}}
    return line(type="assistant", message={"content": [block]}, cwd="/p", **more)


def result(call: str, content: Any = "hi", decision: str = "accept", **more: Any) -> bytes:
    block = {"type": "tool_result", "tool_use_id": call, "content": content, "is_error": False}
    told: dict[str, Any] = {
        "permissionDecision": {"decision": decision, "source": "config"},
        **more,
    }
    return line(type="user", message={"content": [block]}, **told)


def attachment(call: str, kind: str, **more: Any) -> bytes:
    about = {
        "type": kind,
        "toolUseID": call,
        "hookEvent": "PreToolUse",
        "hookName": "PreToolUse:Bash",
    }
    return line(type="attachment", attachment={**about, **more})


CANCELLED: Mapping[str, Any] = {
    "command": "/v/pointsman-hook claude-code PreToolUse", "durationMs": 1095, "timedOut": True,
    "timeoutMs": 1000,
}  # fmt: skip


def read(*lines: bytes) -> list[Call]:
    return list(calls_of(lines))


def test_a_call_that_ran() -> None:
    assert read(use("t1", agentId="a1"), result("t1")) == [
        Call(
            id="t1", tool="Bash", session="s1", at_ns=1795562561982 * 10**6, ran=True,
            agent_id="a1", cwd="/p", command="echo hi",
        )
    ]  # fmt: skip


def test_calls_of_one_message_end_in_any_order() -> None:
    found = read(use("t1"), use("t2", "Read"), result("t2"), result("t1"))
    assert [(call.id, call.tool) for call in found] == [("t2", "Read"), ("t1", "Bash")]


def test_what_did_not_run() -> None:
    refused = read(use("t1"), result("t1", decision="reject"))
    by_kind = read(use("t1"), result("t1", toolDenialKind="permission-rule"))
    malformed = read(use("t1"), result("t1", "<tool_use_error>InputValidationError: …"))
    in_blocks = read(use("t1"), result("t1", [{"type": "text", "text": "<tool_use_error>No such"}]))
    for found in (refused, by_kind, malformed, in_blocks):
        assert [call.ran for call in found] == [False]


def test_a_call_without_a_result_has_not_ended() -> None:
    assert read(use("t1")) == []
    assert read(result("t1")) == []


def test_what_became_of_the_hooks() -> None:
    failed = attachment(
        "t1", "hook_non_blocking_error", command="exit 3", exitCode=3, durationMs=33
    )
    fine = attachment("t1", "hook_success", command="echo", exitCode=0)
    other = attachment("t1", "hook_additional_context", command="echo")
    (call,) = read(
        use("t1"),
        attachment("t1", "hook_cancelled", **CANCELLED),
        failed,
        fine,
        other,
        result("t1"),
    )
    assert call.hooks == (
        HostHook(event="PreToolUse", command=str(CANCELLED["command"]), fate=Fate.CANCELLED,
                 timed_out=True, ms=1095),
        HostHook(event="PreToolUse", command="exit 3", fate=Fate.FAILED, ms=33,
                 detail="exit code 3"),
        HostHook(event="PreToolUse", command="echo", fate=Fate.ANSWERED, detail="exit code 0"),
    )  # fmt: skip
    assert [hook.ours for hook in call.hooks] == [True, False, False]


def test_memory_is_bounded() -> None:
    many = [use(f"t{n}") for n in range(3000)]
    assert [call.id for call in read(*many, result("t0"), result("t2999"))] == ["t2999"]


STRANGE = (
    b"[]", b"null", b"{}", b"1", b'{"type":"assistant","message":[]}',
    b'{"type":"user","message":{"content":[1,{"type":"tool_result"}]}}',
    b'{"type":"assistant","message":{"content":{"type":"tool_use"}}}',
    b'{"type":"attachment","attachment":3}',
)  # fmt: skip


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(STRANGE))))
def test_what_is_no_line_of_a_transcript_is_passed_over(lines: list[bytes]) -> None:
    found = read(use("t1"), *lines, result("t1"))
    assert "t1" in [call.id for call in found]


def test_a_torn_last_line_waits_and_a_long_one_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    long = b"x" * (9 * 1024 * 1024)
    file.write_bytes(b"\n".join((use("t1"), long, result("t1"), use("t2")[:50])))
    assert [call.id for call in calls_of(lines_of(file))] == ["t1"]
    assert len(list(lines_of(file))) == 2
    assert list(lines_of(tmp_path / "gone.jsonl")) == []


def test_the_files_of_sessions_and_of_their_subagents(tmp_path: Path) -> None:
    main = tmp_path / "projects/-p/s1.jsonl"
    sub = tmp_path / "projects/-p/s1/subagents/agent-a1.jsonl"
    other = tmp_path / "projects/-p/notes.txt"
    sub.parent.mkdir(parents=True)
    for file in (main, sub, other):
        file.write_text("{}\n")
    assert set(transcripts(tmp_path)) == {main, sub}
    assert transcripts(tmp_path, since_ns=2**62) == []


def test_whether_a_folder_is_trusted(tmp_path: Path) -> None:
    config, home = tmp_path / "config", tmp_path / "home"
    config.mkdir()
    home.mkdir()
    assert is_trusted(config, home, "/p") is None
    trusted = {"projects": {"/p": {"hasTrustDialogAccepted": True}, "/q": {}}}
    (home / ".claude.json").write_text(json.dumps(trusted))
    assert is_trusted(config, home, "/p/below") is True
    assert is_trusted(config, home, "/q") is False
    (config / ".claude.json").write_text('{"projects": []}')
    assert is_trusted(config, home, "/p") is False
