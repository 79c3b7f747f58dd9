"""Frames about commands that are about to run, to a real daemon."""

import json
import signal
import sqlite3
from typing import Any

import pytest

from pointsman.model.answer import PASS, STOP, Answer
from pointsman.serve import protocol, state_dir
from pointsman.store import query

from .live import Live, until


def text(command: str) -> bytes:
    word = "'" + command.replace("'", "'\"'\"'") + "'"
    return f"source /s.sh 2>/dev/null || true && eval {word} < /dev/null && pwd -P >| /c".encode()


def frame(body: bytes, **more: str) -> bytes:
    header = {
        "host": "pointsman-exec", "event": "exec", "agent": "claude-code", "session": "live",
        "cwd": "/", "client": "test", "version": "0.1.0", **more,
    }  # fmt: skip
    return protocol.request(header, body)


def ask(rig: Live, body: bytes, **more: str) -> Answer:
    """Ask as pointsman-exec does."""
    with state_dir.connect(rig.places.socket, 60) as connection:
        connection.sendall(frame(body, **more))
        data = bytearray()
        while chunk := connection.recv(65536):
            data += chunk
    return protocol.read_answer(bytes(data))


@pytest.fixture
def up(rig: Live) -> Live:
    rig.command("up")
    return rig


def row(rig: Live) -> dict[str, Any]:
    found = [one for one in rig.rows() if one["transport"] == "exec" and not one["derived_from"]]
    return query.show(rig.places.ledger, found[-1]["seq"])


def test_what_a_hook_let_pass_runs_and_has_one_row(up: Live) -> None:
    assert up.call("a").returncode == 0
    assert ask(up, text("ls")) == Answer()
    assert up.calls() == ["a"]


def test_what_came_without_a_hook_is_judged_and_on_record(up: Live) -> None:
    assert ask(up, text("ls")).code == PASS
    told = row(up)
    assert (told["event"], told["tool"], told["rule"]) == ("PreToolUse", "Bash", "exec.no-hook")
    assert json.loads(told["payload"])["tool_input"] == {"command": "ls"}
    stopped = ask(up, text("git reset --hard"))
    assert (stopped.code, stopped.stdout) == (STOP, b"")
    assert b"git reset --hard throws uncommitted work away" in stopped.stderr
    told = row(up)
    assert (told["decision"], told["rule"]) == ("deny", "command.git-reset-hard")
    (mark,) = [run for run in told["hook_runs"] if run["hook"] == "second-gate"]
    assert mark["rule"] == "exec.no-hook"


def test_an_alarm_is_on_record_where_hooks_were_expected(up: Live) -> None:
    up.call("a")
    ask(up, text("ls"))
    ask(up, text("pwd"))
    until(lambda: [one for one in up.rows() if one["event"] == "ErrorEscalation"], "an alarm")
    (alarm,) = [one for one in up.rows() if one["event"] == "ErrorEscalation"]
    assert alarm["rule"] == "escalation.command-without-a-hook"


def test_a_daemon_that_was_killed_in_between_is_no_matter(up: Live) -> None:
    up.call("a")
    up.kill(signal.SIGKILL)
    up.command("up")
    assert ask(up, text("ls")) == Answer()
    # That decision is used up.
    assert ask(up, text("ls")).code == PASS
    assert row(up)["rule"] == "exec.no-hook"


def test_a_ledger_that_takes_nothing_stops_what_has_no_record(up: Live) -> None:
    locker = sqlite3.connect(up.places.ledger, isolation_level=None)
    # Another writer holds it for longer than the daemon waits.
    locker.execute("BEGIN IMMEDIATE")
    stopped = ask(up, text("ls"))
    locker.execute("ROLLBACK")
    locker.close()
    assert (stopped.code, stopped.stdout) == (STOP, b"")
    assert b"could not be put on record" in stopped.stderr
    assert b"own failure" in stopped.stderr


def test_garbage_is_a_stop(up: Live) -> None:
    for body in (b"", b"\xff\xfe\x00", b"'"):
        assert ask(up, body, session="", cwd="").code in {PASS, STOP}
    assert ask(up, text("rm -rf /"), agent="nobody").code == STOP


def test_what_the_client_stopped_alone_is_put_on_record(up: Live) -> None:
    up.kill()
    spooled = b"PMF1\tno daemon listens\n" + frame(text("make"))
    (up.places.spool / "1-1.frame").write_bytes(spooled)
    up.command("up")
    until(lambda: not list(up.places.spool.iterdir()), "the spool is empty")
    last = up.last()
    assert (last["event"], last["transport"], last["decision"]) == ("PreToolUse", "spooled", "deny")
    assert "no daemon listens" in last["reason"]
