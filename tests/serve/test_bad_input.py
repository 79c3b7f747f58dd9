"""The state directory in every bad shape: a clear error, guard events closed, nothing lost."""

import ctypes
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from store.mounts import on_a_disk

from .live import COMMAND, FORBIDDEN, GUARD, OTHER, TWIN, Live, alive, payload, until

OURS = "Pointsman's own failure"


def closed(rig: Live, *words: str) -> str:
    """Insist that a guard event stops and another passes, both in words; return the words."""
    guard = rig.call("closed")
    assert guard.returncode == 2, guard
    text = guard.stderr.decode()
    assert OURS in text
    assert "not a policy violation" in text
    assert "A person can get it going again with: " in text
    for word in words:
        assert word in text
    other = rig.send(payload("open", event=OTHER), OTHER)
    assert (other.returncode, other.stdout) == (0, b"")
    assert OURS in other.stderr.decode()
    return text


def refused(rig: Live, *words: str) -> None:
    """Insist that `up` says what is wrong and what to type, without a traceback."""
    done = rig.command("up")
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert "next step: " in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("name", ["daemon.lock", "daemon.log", "ledger.db", "daemon.sock"])
def test_a_directory_in_the_place_of_a_file(rig: Live, name: str) -> None:
    place = rig.state / name
    place.mkdir(parents=True)
    rig.state.chmod(0o700)
    closed(rig)
    refused(rig, f"mv {place} {place}.aside")
    place.rename(f"{place}.aside")
    assert rig.call("again").returncode == 0
    until(lambda: "closed" in rig.calls(), "what could not be delivered is on record")


@pytest.mark.parametrize("name", ["spool", "daemon.sock"])
def test_a_file_in_the_place_of_something_else(rig: Live, name: str) -> None:
    rig.state.mkdir(mode=0o700)
    place = rig.state / name
    place.write_text("somebody's")
    closed(rig)
    refused(rig, f"mv {place} {place}.aside")
    assert place.read_text() == "somebody's"


def test_a_file_in_the_place_of_the_state_directory(rig: Live) -> None:
    rig.state.write_text("somebody's")
    closed(rig, "state directory", "Not a directory", "could not be spooled")
    refused(rig, f"mv {rig.state} {rig.state}.aside")
    assert rig.command("status").returncode == 1
    assert rig.state.read_text() == "somebody's"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_state_directory_of_somebody_else(rig: Live) -> None:
    rig.state.mkdir(mode=0o700)
    os.chown(rig.state, 12345, -1)
    closed(rig, "belongs to user 12345, not to you")
    refused(rig, "belongs to user 12345", "chown -R $(id -u)")


def test_a_state_directory_that_others_can_write(rig: Live) -> None:
    rig.state.mkdir(mode=0o700)
    rig.state.chmod(0o770)
    closed(rig, "can be written by others", "pointsman doctor")
    assert rig.command("up").returncode == 0
    assert rig.state.stat().st_mode & 0o777 == 0o700
    assert rig.call("again").returncode == 0


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (payload("t")[:40], "payload.unreadable"),
        (b"", "payload.unreadable"),
        (b"[1, 2]", "payload.unreadable"),
        (b"\xff\xfe" + payload("t"), "payload.unreadable"),
        (b'{"hook_event_name": "PreToolUse", "session_id": "\xc3\x28"}', "payload.unreadable"),
        (b"[" * 200_000, "payload.unreadable"),
        (payload("t", "echo " + "x" * 8_388_608), "payload.unreadable"),
        (payload("t", FORBIDDEN, cwd=""), "command.rm-tree"),
        (payload("t", FORBIDDEN, cwd="/gone/for/good"), "command.rm-tree"),
        (payload("t", FORBIDDEN, cwd=7), "command.rm-tree"),
    ],
    ids=["cut", "empty", "list", "bom", "utf8", "deep", "8MB", "no-cwd", "cwd-gone", "cwd-7"],
)
def test_payloads_that_are_wrong_are_stopped_and_on_record(
    shared: Live, data: bytes, rule: str
) -> None:
    done = shared.send(data)
    assert done.returncode == 2
    assert done.stderr
    row = shared.last()
    assert row["decision"] == "deny"
    assert row["rule"] == rule
    other = shared.send(data, OTHER)
    assert other.returncode == 0
    assert shared.last()["event"] == OTHER


@pytest.mark.parametrize(("event", "code"), [(GUARD, 2), (OTHER, 0), ("Unheard", 0)])
def test_an_unknown_host(shared: Live, event: str, code: int) -> None:
    done = shared.send(payload("t"), event, host="no-such-host")
    assert done.returncode == code
    row = shared.last()
    assert (row["host"], row["event"]) == ("no-such-host", event)
    if code:
        assert b"the host 'no-such-host' is unknown (known: " in done.stderr


def test_a_client_whose_directory_is_gone(rig: Live, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    words = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", *TWIN]
    rig.client = words
    assert rig.send(payload("t", FORBIDDEN, cwd=""), cwd=gone).returncode == 2
    assert [row["rule"] for row in rig.rows()][:1] == ["command.rm-tree"]


def test_a_corrupt_ledger_is_set_aside_and_everybody_is_told(rig: Live) -> None:
    rig.call("before")
    rig.kill(signal.SIGTERM)
    damage = os.urandom(50_000)
    rig.places.ledger.write_bytes(damage)
    assert rig.call("after").returncode == 0
    assert rig.call("denied", FORBIDDEN).returncode == 2
    status = rig.status()
    (kept,) = status["set_aside"]
    assert Path(kept).read_bytes() == damage
    assert "ledger set aside" in rig.notes()
    assert f"set aside: {kept}" in rig.command("status").stdout
    assert rig.calls() == ["after", "denied"]


@pytest.mark.parametrize("suffixes", [("",), ("-wal",), ("", "-wal", "-shm")])
def test_a_ledger_deleted_while_running_comes_back(rig: Live, suffixes: tuple[str, ...]) -> None:
    rig.call("before")
    for suffix in suffixes:
        Path(f"{rig.places.ledger}{suffix}").unlink()
    assert rig.call("after").returncode == 0
    rig.kill()
    rig.call("last")
    assert rig.calls() == ["before", "after", "last"]
    assert "ledger put back" in rig.notes()


def test_a_ledger_deleted_in_an_idle_hour_comes_back(rig: Live) -> None:
    rig.call("before")
    rig.places.ledger.unlink()
    until(rig.places.ledger.exists, "the ledger is put back")
    until(lambda: "ledger put back" in rig.notes(), "it is on record")
    assert rig.calls() == ["before"]


def test_a_newer_ledger_stays_untouched_and_closes_the_guards(rig: Live) -> None:
    rig.call("before")
    rig.kill(signal.SIGTERM)
    connection = sqlite3.connect(rig.places.ledger)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    before = rig.places.ledger.read_bytes()
    closed(rig, "could not be started")
    refused(rig, "has schema 99", "upgrade pointsman")
    assert rig.places.ledger.read_bytes() == before
    assert rig.status()["set_aside"] == []


@pytest.mark.parametrize("victim", ["daemon.sock", "daemon.lock"])
def test_a_daemon_without_its_socket_or_lock_gives_way(rig: Live, victim: str) -> None:
    rig.call("before")
    first = rig.pid()
    (rig.state / victim).unlink()
    until(lambda: not alive(first), "the daemon gives way")
    assert rig.call("denied", FORBIDDEN).returncode == 2
    assert rig.pid() != first
    assert rig.calls() == ["before", "denied"]
    assert "daemon gives way" in rig.notes()


def test_a_state_directory_deleted_while_running_costs_no_record(rig: Live) -> None:
    rig.call("before")
    first = rig.pid()
    shutil.rmtree(rig.state)
    until(lambda: not alive(first), "the daemon gives way")
    assert rig.call("after").returncode == 0
    assert rig.calls() == ["before", "after"]
    assert "ledger put back" in rig.notes()


def test_a_state_directory_deleted_under_load_costs_no_record(rig: Live) -> None:
    rig.call("before")
    first = rig.pid()
    shutil.rmtree(rig.state)
    assert rig.call("denied", FORBIDDEN).returncode == 2
    until(lambda: not alive(first), "the first daemon gives way")
    rig.call("after")
    everything = rig.calls()
    for kept in rig.status()["set_aside"]:
        everything += [row["tool_use_id"] for row in rig.rows(Path(kept))]
    assert sorted(map(str, everything)) == ["after", "before", "denied"]


def test_a_second_daemon_ends_at_once_and_the_first_goes_on(rig: Live) -> None:
    rig.call("before")
    first = rig.pid()
    done = rig.command("daemon")
    assert (done.returncode, done.stderr) == (0, "")
    assert rig.pid() == first
    assert rig.call("after").returncode == 0
    assert rig.calls() == ["before", "after"]


def test_a_stale_socket_and_a_stale_lock_are_no_obstacle(rig: Live) -> None:
    rig.call("before")
    rig.kill()
    assert rig.places.socket.exists()
    assert rig.places.lock.exists()
    assert rig.call("after").returncode == 0
    assert rig.calls() == ["before", "after"]


def test_a_daemon_that_is_stopped_in_its_tracks(rig: Live) -> None:
    rig.call("before")
    os.kill(rig.pid(), signal.SIGSTOP)
    done = rig.send(payload("t"), env={"POINTSMAN_DEADLINE_MS": "1500"})
    assert done.returncode == 2
    assert b"did not answer within the deadline" in done.stderr
    assert b"with: pointsman up --restart" in done.stderr
    os.kill(rig.pid(), signal.SIGCONT)
    until(lambda: rig.calls().count("t") == 2, "the delivery and the client's own word")
    assert rig.call("after").returncode == 0


SCRIPT = """
    import json, os, signal, subprocess, sys
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from serve.live import Live, payload, until
    rig = Live(Path({folder!r}))
    rig.state = Path({state!r})
    try:
        {body}
    finally:
        rig.kill()
    print(json.dumps(said))
"""


def inside(rig: Live, body: str) -> list[str]:
    text = textwrap.dedent(SCRIPT).format(
        tests=str(Path(__file__).parents[1]),
        folder=str(rig.folder),
        state=str(rig.state),
        body=textwrap.indent(textwrap.dedent(body), " " * 4).strip(),
    )
    return [sys.executable, "-c", text]


FULL = """
said = []
rig.call("before")
hog = rig.state / "hog"
def fill():
    with hog.open("ab", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
fill()
codes = []
for n in range(40):
    done = rig.call(f"full{n}", "echo " + "x" * 20_000)
    codes.append(done.returncode)
    if done.returncode:
        said.append(done.stderr.decode())
        break
other = rig.send(payload("other", event="PostToolUse", tool_response="x" * 20_000), "PostToolUse")
assert (other.returncode, other.stdout) == (0, b""), other
said.append(other.stderr.decode())
assert rig.call("denied", "rm -rf /").returncode == 2
status = rig.status()
assert status["unrecorded"] >= 2, status
assert "full" in status["ledger_error"], status
hog.unlink()
until(lambda: not rig.status()["unrecorded_waiting"], "what waited is on record")
assert rig.call("after").returncode == 0
calls = rig.calls()
assert {"before", "after", "denied", "other"} <= set(calls), calls
assert all(f"full{n}" in calls for n in range(len(codes))), (codes, calls)
late = [row for row in rig.rows() if row["tool_use_id"] == f"full{len(codes) - 1}"]
assert [(row["decision"], row["cause"]) for row in late] == [("deny", "our own failure")], late
assert "ledger caught up" in rig.notes()
"""


def test_a_disk_that_fills_up_and_is_freed(rig: Live) -> None:
    rig.state.mkdir(mode=0o700)
    done = on_a_disk(rig.state, inside(rig, FULL), options="size=2m")
    assert done.returncode == 0, done.stderr.decode()
    guard, other = json.loads(done.stdout)
    assert OURS in guard
    assert "free space there (df -h " in guard
    assert "the event was let through" in other


def test_a_disk_that_is_full_from_the_start(rig: Live) -> None:
    rig.state.mkdir(mode=0o700)
    body = """
    (rig.state / "hog").write_bytes(b"")
    with (rig.state / "hog").open("ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    done = rig.call("t")
    other = rig.send(payload("o", event="PostToolUse"), "PostToolUse")
    up = rig.command("up", "--foreground")
    assert (done.returncode, other.returncode, up.returncode) == (2, 0, 1), (done, other, up)
    said = [done.stderr.decode(), other.stderr.decode(), up.stderr]
    """
    done = on_a_disk(rig.state, inside(rig, body), options="size=200k")
    assert done.returncode == 0, done.stderr.decode()
    guard, other, up = json.loads(done.stdout)
    assert "could not be spooled either" in guard
    assert "let through and could not be recorded" in other
    assert "free space there (df -h " in up


def test_a_read_only_state_directory(rig: Live) -> None:
    rig.call("before")
    rig.kill(signal.SIGTERM)
    body = """
    done = rig.call("t")
    other = rig.send(payload("o", event="PostToolUse"), "PostToolUse")
    up = rig.command("up")
    ledger = rig.command("ledger", "query", "--json")
    assert (done.returncode, other.returncode, up.returncode) == (2, 0, 1), (done, other, up)
    said = [done.stderr.decode(), other.stderr.decode(), up.stderr, ledger.stdout]
    """
    done = on_a_disk(rig.state, inside(rig, body), options="ro", bind=True)
    assert done.returncode == 0, done.stderr.decode()
    guard, other, up, ledger = json.loads(done.stdout)
    assert OURS in guard
    assert "could not be recorded" in other
    assert "Read-only file system" in up
    assert "next step: make " in up
    assert json.loads(ledger)["tool_use_id"] == "before"
    assert rig.call("after").returncode == 0
    assert rig.calls() == ["before", "after"]


def bound_by_permissions() -> None:
    """Take from root what lets it pass by permission bits; they bind everybody else anyway."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rig: rig.state.chmod(0o500),
        lambda rig: rig.places.lock.chmod(0),
        lambda rig: rig.places.log.chmod(0),
        lambda rig: rig.places.ledger.chmod(0),
        lambda rig: rig.folder.chmod(0),
    ],
    ids=["state", "lock", "log", "ledger", "home"],
)
def test_files_that_may_not_be_opened(rig: Live, spoil: Callable[[Live], None]) -> None:
    rig.call("before")
    rig.kill(signal.SIGTERM)
    rig.places.socket.unlink(missing_ok=True)
    spoil(rig)
    done = rig.send(payload("t"), preexec_fn=bound_by_permissions)
    other = rig.send(payload("o", event=OTHER), OTHER, preexec_fn=bound_by_permissions)
    up = subprocess.run(
        [COMMAND, "up"], capture_output=True, text=True, env=rig.env, check=False, cwd="/",
        preexec_fn=bound_by_permissions,
    )  # fmt: skip
    rig.folder.chmod(0o700)
    rig.state.chmod(0o700)
    assert (done.returncode, other.returncode) == (2, 0)
    assert OURS in done.stderr.decode()
    assert OURS in other.stderr.decode()
    assert up.returncode == 1, up.stderr
    assert "next step: " in up.stderr
    rig.places.ledger.chmod(0o600)
    assert rig.calls()[0] == "before"


@pytest.mark.parametrize("gone", ["missing", "not-executable", "relative"])
def test_a_daemon_program_that_is_gone(rig: Live, gone: str) -> None:
    program = rig.folder / "pointsman"
    if gone == "not-executable":
        program.write_text("")
    value = "pointsman" if gone == "relative" else str(program)
    rig.env["POINTSMAN_DAEMON"] = value
    if gone == "relative":
        assert rig.call("t").returncode == 0, "a relative name is no name: the own one is started"
    else:
        closed(rig, f"no daemon runs and {program}", "pointsman doctor")


def test_the_installed_command_starts_its_own_daemon(rig: Live) -> None:
    rig.client = [str(COMMAND.with_name("pointsman-hook"))]
    del rig.env["POINTSMAN_DAEMON"]
    assert rig.call("t").returncode == 0
    assert rig.calls() == ["t"]


def test_a_clock_that_went_back(rig: Live) -> None:
    rig.call("before")
    rig.kill(signal.SIGTERM)
    connection = sqlite3.connect(rig.places.ledger, isolation_level=None)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    values = ", ".join({"seq": "2", "received_ns": str(2**62)}.get(one, one) for one in columns)
    connection.execute(f"INSERT INTO events SELECT {values} FROM events WHERE seq = 1")
    connection.close()
    assert rig.call("after").returncode == 0
    assert rig.call("denied", FORBIDDEN).returncode == 2
    rows = [row for row in rig.rows() if row["event"] != "PreEdit"]
    assert [row["tool_use_id"] for row in rows] == ["before", "before", "after", "denied"]
    assert rows[2]["time"] < rows[1]["time"]
    assert rig.status()["uptime_s"] >= 0
