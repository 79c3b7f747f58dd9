"""The daemon's life: what it answers, when it gives way, what it takes in."""

import os
import signal
import socket
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pointsman import __version__
from pointsman.model.answer import Answer
from pointsman.model.confinement import MECHANISMS
from pointsman.serve import protocol, state_dir
from pointsman.store.ledger import Ledger
from store.records import record

from .live import COMMAND, FORBIDDEN, GUARD, OTHER, TWIN, Live, alive, payload, until


def raw(rig: Live, frame: bytes) -> bytes:
    """Speak to the daemon without a client."""
    with state_dir.connect(rig.places.socket, 60.0) as connection:
        connection.sendall(frame)
        data = b""
        while part := connection.recv(65536):
            data += part
    return data


def ask(rig: Live, body: bytes, **header: str) -> Answer:
    values = {"version": __version__, "host": "claude-code", "event": GUARD, "cwd": "/", **header}
    return protocol.read_answer(raw(rig, protocol.request(values, body)))


@pytest.mark.parametrize("client", ["native", "python"])
def test_twenty_clients_start_one_daemon(rig: Live, client: str) -> None:
    rig.client = [str(COMMAND.with_name("pointsman-hook"))] if client == "native" else TWIN
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda n: rig.call(f"c{n}"), range(20)))
    assert [each.returncode for each in done] == [0] * 20
    assert {*rig.calls()} == {f"c{n}" for n in range(20)}
    assert len(rig.calls()) == 20
    assert rig.notes().count("daemon started") == 1


def test_a_restart_is_survived(rig: Live) -> None:
    codes = []
    for n in range(3):
        codes.append(rig.call(f"c{n}").returncode)
        rig.kill(signal.SIGTERM)
    assert codes == [0, 0, 0]
    assert rig.calls() == ["c0", "c1", "c2"]
    assert rig.notes() == ["daemon started", "daemon stopped"] * 3


def test_a_newer_client_is_answered_and_then_made_room_for(rig: Live) -> None:
    rig.call("first")
    pid = rig.pid()
    denied = ask(rig, payload("newer", FORBIDDEN), version="999.0.0")
    assert (denied.code, bool(denied.stderr)) == (2, True)
    until(lambda: not alive(pid), "the older daemon gives way")
    assert rig.call("last").returncode == 0
    assert rig.pid() != pid
    assert rig.calls() == ["first", "newer", "last"]
    assert "daemon gives way" in rig.notes()


@pytest.mark.parametrize("version", ["", "0.0.1", __version__, "garbage", "0.0.99"])
def test_an_older_client_is_served_and_nobody_gives_way(rig: Live, version: str) -> None:
    rig.call("first")
    pid = rig.pid()
    assert ask(rig, payload("older", FORBIDDEN), version=version).code == 2
    ticks = len(rig.places.log.read_text())
    (rig.places.spool / "1-1.frame").write_bytes(b"broken")
    until(lambda: "spool file broken" in rig.notes(), "a round of upkeep is over")
    assert len(rig.places.log.read_text()) > ticks
    assert alive(pid)
    assert rig.pid() == pid


def test_a_client_of_a_newer_protocol_is_told_and_made_room_for(rig: Live) -> None:
    rig.call("first")
    pid = rig.pid()
    frame = protocol.request({"host": "claude-code", "event": GUARD}, b"{}")
    told = raw(rig, b"PMQ2" + frame[4:])
    assert told[:4] == b"PMS1"
    assert b"this daemon speaks b'PMQ1'" in told
    until(lambda: not alive(pid), "the older daemon gives way")


@pytest.mark.parametrize("noise", [b"", b"x", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 5000])
def test_noise_does_not_disturb_it(shared: Live, noise: bytes) -> None:
    shared.call("first")
    pid = shared.pid()
    with state_dir.connect(shared.places.socket) as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        data = b""
        while part := connection.recv(65536):
            data += part
    assert data[:4] in {b"", b"PMS1"}
    assert shared.call("second").returncode == 0
    assert shared.pid() == pid


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"size": "9" * 5000}, 2),
        ({"size": "x"}, 2),
        ({"event": ""}, 0),
        ({"host": ""}, 2),
        ({"cwd": "\0"}, 2),
        ({"event": "status", "host": "pointsman"}, 0),
        ({"event": "dance", "host": "pointsman"}, 2),
    ],
)
def test_a_header_that_is_wrong_is_no_pass(shared: Live, header: dict[str, str], code: int) -> None:
    shared.call("first")
    given = ask(shared, payload("odd", FORBIDDEN), **header)
    assert given.code == code, given
    if header.get("host") != "pointsman" and header.get("event") != "":
        assert given.stderr
    assert shared.call("after").returncode == 0


def test_our_own_bug_reads_as_a_stop_that_says_so(shared: Live) -> None:
    shared.call("first")
    given = ask(shared, payload("bug"), size="9" * 5000)
    text = given.stderr.decode()
    assert given.code == 2
    assert "Pointsman's own failure, not a policy violation; the call was stopped" in text
    assert ask(shared, payload("bug"), size="9" * 5000, event=OTHER).code == 0


def spool(rig: Live, number: int, data: bytes) -> Path:
    rig.places.spool.mkdir(parents=True, exist_ok=True, mode=0o700)
    rig.state.chmod(0o700)
    file = rig.places.spool / f"{number}-1.frame"
    file.write_bytes(data)
    return file


def test_what_waits_in_the_spool_is_taken_in_once(rig: Live) -> None:
    for n, event in enumerate((GUARD, OTHER, GUARD)):
        header = {"host": "claude-code", "event": event, "cwd": "/", "version": "0"}
        body = payload(f"s{n}", event=event)
        spool(rig, n, b"PMF1\tthe daemon hung\n" + protocol.request(header, body))
    rig.call("live")
    until(lambda: not rig.status()["spooled"], "the spool is taken in")
    rig.kill(signal.SIGTERM)
    rig.call("later")
    rows = {row["tool_use_id"]: row for row in rig.rows()}
    assert len(rig.rows()) == len(rows) == 5
    assert [rows[f"s{n}"]["decision"] for n in range(3)] == ["deny", "none", "deny"]
    assert rows["s0"]["transport"] == "spooled"
    assert "the client answered alone: the daemon hung" in rows["s0"]["reason"]
    assert list(rig.places.spool.glob("*.frame")) == []


def test_a_bad_file_in_the_spool_holds_up_nothing(rig: Live) -> None:
    good = protocol.request({"host": "claude-code", "event": GUARD}, payload("good"))
    bad = protocol.request({"host": "claude-code", "event": GUARD, "size": "9" * 5000}, b"{}")
    spool(rig, 1, b"no frame at all")
    spool(rig, 2, b"PMF1\twhy\n" + bad)
    spool(rig, 3, b"PMF1\twhy\n" + good)
    rig.call("live")
    until(lambda: not rig.status()["spooled"], "the spool is taken in")
    assert "good" in rig.calls()
    assert len(list((rig.places.spool / "broken").iterdir())) == 2
    assert rig.notes().count("spool file broken") == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_request_under_way_is_answered_when_the_daemon_ends(
    rig: Live, number: signal.Signals
) -> None:
    slow = rig.folder / "slow"
    slow.write_text('#!/bin/sh\ntouch "$(dirname "$0")/begun"\nsleep 1\n')
    slow.chmod(0o755)
    settings = rig.places.user_config
    settings.parent.mkdir(parents=True)
    settings.write_text(
        f'[[hooks]]\nname = "slow"\nrole = "guard"\nevents = ["{GUARD}"]\ncommand = ["{slow}"]\n'
    )
    rig.call("warm")
    (rig.folder / "begun").unlink(missing_ok=True)
    pid = rig.pid()
    words = [*rig.client, "claude-code", GUARD]
    child = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=rig.env
    )
    assert child.stdin is not None
    child.stdin.write(payload("under way"))
    child.stdin.close()
    child.stdin = None
    until((rig.folder / "begun").exists, "the hook runs")
    os.kill(pid, number)
    _, stderr = child.communicate(timeout=60)
    assert (child.returncode, stderr) == (0, b"")
    until(lambda: not alive(pid), "it is gone")
    assert rig.calls().count("under way") == 1


def test_what_is_older_than_the_retention_is_removed_and_that_is_said(rig: Live) -> None:
    state_dir.prepare(rig.places)
    ledger = Ledger.open(rig.places.ledger)
    ledger.append([record(f"old{n}", at=1) for n in range(3)])
    ledger.close()
    rig.call("new")
    until(lambda: rig.calls() == ["new"], "the old ones are removed")
    until(lambda: "retention" in rig.notes(), "it is said")


def test_status_says_how_it_is(rig: Live) -> None:
    rig.call("a")
    rig.call("b", FORBIDDEN)
    status = rig.status()
    wanted = {
        "running": True, "pid": rig.pid(), "version": __version__, "answered": 2, "in_flight": 0,
        "unrecorded": 0, "unrecorded_waiting": 0, "ledger_error": "", "set_aside": [],
        "socket": str(rig.places.socket), "ledger": str(rig.places.ledger), "config_errors": [],
    }  # fmt: skip
    assert {key: status[key] for key in wanted} == wanted
    assert status["sandbox"]["mechanism"] in MECHANISMS
    rig.kill(signal.SIGTERM)
    offline = rig.status()
    assert (offline["running"], offline["pid"], offline["set_aside"]) == (False, None, [])


def test_an_answer_comes_after_its_record(rig: Live) -> None:
    """Ask on the bare socket, and look into the ledger while the answer is still unread."""
    rig.call("first")
    frame = protocol.request({"host": "claude-code", "event": GUARD, "cwd": "/"}, payload("raw"))
    with state_dir.connect(rig.places.socket, 60.0) as connection:
        connection.sendall(frame)
        head = connection.recv(16, socket.MSG_PEEK | socket.MSG_WAITALL)
        assert struct.unpack(">4sI", head[:8]) == (b"PMA1", 0)
        assert rig.calls() == ["first", "raw"]


def test_many_at_once_are_all_answered_and_recorded(rig: Live) -> None:
    rig.call("first")
    connections = []
    for n in range(200):
        connection = state_dir.connect(rig.places.socket, 60.0)
        command = FORBIDDEN if n % 4 == 0 else "ls"
        header = {"host": "claude-code", "event": GUARD, "cwd": "/", "version": __version__}
        connection.sendall(protocol.request(header, payload(f"m{n}", command)))
        connections.append(connection)
    codes = []
    for connection in connections:
        with connection:
            data = b""
            while part := connection.recv(65536):
                data += part
        codes.append(protocol.read_answer(data).code)
    assert codes == [2 if n % 4 == 0 else 0 for n in range(200)]
    calls = [row["tool_use_id"] for row in rig.rows() if row["event"] == GUARD][1:]
    assert len(calls) == 200
    assert {*calls} == {f"m{n}" for n in range(200)}


def test_the_daemon_outlives_the_client_that_started_it(rig: Live) -> None:
    rig.call("first")
    pid = rig.pid()
    assert os.getsid(pid) != os.getsid(0)
    assert rig.call("second").returncode == 0
    assert rig.pid() == pid
