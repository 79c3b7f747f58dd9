"""``pointsman handoff``: the brief of a session that a daemon has recorded."""

import json

from .conftest import Machine


def test_a_brief_from_the_record(machine: Machine) -> None:
    ended = machine.run("handoff", "one")
    assert ended.code == 1
    machine.up()
    edit = machine.call(
        "Write", {"file_path": str(machine.repository / "a.py"), "content": "x"}, tool_use_id="e"
    )
    for event, payload in (
        ("UserPromptSubmit", {"prompt": "Build the shop"}),
        ("PreToolUse", edit),
        ("PreToolUse", machine.shell("rm -rf /")),
        ("Stop", {"last_assistant_message": "The cart works. Next: refunds."}),
    ):
        whole = {
            "hook_event_name": event, "session_id": "one", "cwd": str(machine.repository), **payload
        }  # fmt: skip
        machine.process("hook", "claude-code", event, stdin=json.dumps(whole).encode())
    machine.run("down")
    found = json.loads(machine.run("handoff", "one", "--json").out)
    assert found["goal"] == ["Build the shop"]
    assert found["files"] == ["a.py"]
    assert found["next_step"] == ["Next: refunds."]
    assert len(found["failed"]) == 1
    assert found["failed"][0].startswith("rm -rf /: stopped by")
    assert found["context"]["past"] is False
    assert found["tokens"] <= 1500
    text = machine.run("handoff", "one", "--tokens", "200").out
    assert text.startswith("Hand-off from session one")
    ended = machine.run("handoff", "two")
    assert (ended.code, "nothing is on record of the session 'two'" in ended.err) == (1, True)
    assert machine.run("handoff", "on", "--tokens", "200").out == text


def test_a_beginning_that_several_have_is_refused(machine: Machine) -> None:
    machine.up()
    for session in ("abc-1", "abc-2", "abd"):
        whole = {"hook_event_name": "UserPromptSubmit", "session_id": session, "prompt": session,
                 "cwd": str(machine.repository)}  # fmt: skip
        machine.process("hook", "claude-code", "UserPromptSubmit", stdin=json.dumps(whole).encode())
    machine.run("down")
    told = machine.run("handoff", "abc")
    assert told.code == 1
    assert "'abc' is the beginning of several sessions: abc-1, abc-2" in told.err
    assert "Hand-off from session abd" in machine.run("handoff", "abd").out
    assert "Hand-off from session abc-2" in machine.run("handoff", "abc-2").out
