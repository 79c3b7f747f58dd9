import pytest

from pointsman.case import Delivery
from pointsman.serve.deliveries import delivery_of

HEADER = {
    "host": "claude-code", "event": "PreToolUse", "cwd": "/w", "size": "2", "client": "native",
    "version": "1.2.3", "env.CLAUDE_PROJECT_DIR": "/p", "env.CLAUDE_CONFIG_DIR": "/c",
    "env.CLAUDE_CODE_ENTRYPOINT": "cli", "env.CLAUDE_PID": "77", "env_names": "A,B",
}  # fmt: skip


def test_a_frame_says_who_what_and_where() -> None:
    assert delivery_of(HEADER, b"{}") == Delivery(
        host="claude-code", event="PreToolUse", payload=b"{}", size=2, cwd="/w", project="/p",
        host_config="/c", transport="hook", client="native", client_version="1.2.3",
        entrypoint="cli", host_pid=77, environment="A,B",
    )  # fmt: skip


def test_a_header_that_says_nothing_is_no_fault() -> None:
    assert delivery_of({}, b"") == Delivery(host="", event="", payload=b"")


def test_what_the_client_answered_alone_comes_from_the_spool() -> None:
    given = delivery_of(HEADER, b"{}", "no daemon")
    assert (given.transport, given.undelivered) == ("spooled", "no daemon")


@pytest.mark.parametrize(("written", "read"), [
    ("", 0), ("7", 7), ("-7", 0), ("x", 0), ("9999999999", 0), ("999999999", 999999999),
])  # fmt: skip
def test_a_process_id_that_is_none_is_none(written: str, read: int) -> None:
    assert delivery_of({**HEADER, "env.CLAUDE_PID": written}, b"").host_pid == read


def test_a_command_that_is_about_to_run_is_the_second_gates() -> None:
    header = {"host": "pointsman-exec", "event": "exec", "agent": "claude-code", "session": "s"}
    assert delivery_of(header, b"ls", "no daemon").undelivered == "no daemon"
