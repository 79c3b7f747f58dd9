"""The verdict on real servers of both eras, behind real balancers, and on what is no server."""

import contextlib
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_health_room.rig import Rig, at, declared, free_port
from pointsman.mcp_health.drift import drift
from pointsman.mcp_health.probe import probe
from pointsman.mcp_health.recipe import LOST_AFFINITY
from pointsman.model.server_health import Health, Server, Verdict

LONG = 60.0
"""Seconds: long enough for a busy machine; what answers does so far sooner."""


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture(scope="module")
def pair(rig: Rig) -> list[int]:
    """Two processes that keep sessions in memory."""
    return [rig.server("legacy", name=name)[0] for name in ("one", "two")]


@pytest.fixture(scope="module")
def modern(rig: Rig) -> list[int]:
    """Two processes of the revision without sessions."""
    return [rig.server("modern", name=name)[0] for name in ("one", "two")]


def ask(server: Server, within: float = LONG) -> Health:
    return probe(server, within, os.environ)


def test_a_server_of_the_older_era_is_healthy_on_six_sessions(pair: list[int]) -> None:
    found = ask(at(pair[0]))
    assert found.verdict is Verdict.HEALTHY, found
    assert (found.era, found.sessions) == ("2025-11-25", 6)
    assert {"who", "add", "slow"} <= set(found.tools)
    assert found.latency_ms is not None
    assert set(found.codes) == {200}


def test_a_server_of_the_newer_era_is_healthy_without_sessions(modern: list[int]) -> None:
    found = ask(at(modern[0]))
    assert found.verdict is Verdict.HEALTHY, found
    assert (found.era, found.sessions) == ("2026-07-28", 0)


@pytest.mark.parametrize(
    "how",
    ["", "hash $http_mcp_session_id consistent;", "random;"],
    ids=["round robin", "the obvious hash", "random"],
)
def test_lost_affinity_is_found(rig: Rig, pair: list[int], how: str) -> None:
    found = ask(at(rig.nginx(pair, how)))
    assert found.verdict is Verdict.AFFINITY, found
    assert 404 in found.codes
    assert "not known" in found.detail


def test_the_recipe_works_as_it_is_printed(rig: Rig, pair: list[int]) -> None:
    block = re.search(r"   (backend mcp\n(?:     .*\n)+)", LOST_AFFINITY)
    assert block
    backend = block[1].replace("127.0.0.1:8001", f"127.0.0.1:{pair[0]}")
    backend = backend.replace("127.0.0.1:8002", f"127.0.0.1:{pair[1]}")
    found = ask(at(rig.haproxy(backend)))
    assert found.verdict is Verdict.HEALTHY, found
    assert found.sessions == 6


def test_the_other_recipes_work_too(rig: Rig, modern: list[int]) -> None:
    assert ask(at(rig.nginx(modern))).verdict is Verdict.HEALTHY
    stateless = [rig.server("legacy", "stateless", name)[0] for name in ("one", "two")]
    found = ask(at(rig.nginx(stateless)))
    assert (found.verdict, found.era) == (Verdict.HEALTHY, "2025-11-25"), found


def test_a_balancer_without_anybody_behind_it_is_down(rig: Rig) -> None:
    found = ask(at(rig.nginx([free_port()])))
    assert (found.verdict, "502" in found.detail) == (Verdict.DOWN, True), found


def test_a_dead_port_is_down() -> None:
    found = ask(at(free_port()))
    assert found.verdict is Verdict.DOWN
    assert "connection refused" in found.detail


def test_authentication_is_not_down_and_a_key_lets_in(rig: Rig) -> None:
    port, _ = rig.server("legacy", "auth")
    found = ask(at(port))
    assert found.verdict is Verdict.AUTH, found
    assert "401" in found.detail
    keyed = at(port, headers={"Authorization": "Bearer let-me-in"})
    assert ask(keyed).verdict is Verdict.HEALTHY


def test_the_transport_before_streamable_http(rig: Rig) -> None:
    port, _ = rig.server("legacy", "sse")
    server = declared(transport="sse", url=f"http://127.0.0.1:{port}/sse")
    assert ask(server).verdict is Verdict.HEALTHY
    # A file may not say which of the two it is.
    assert ask(at(port, "sse")).verdict is Verdict.HEALTHY
    wrong = ask(at(port, "nothing-here"))
    assert (wrong.verdict, "404" in wrong.detail) == (Verdict.DOWN, True), wrong


@pytest.mark.parametrize(("program", "era"), [("legacy", "2025-11-25"), ("modern", "2026-07-28")])
def test_over_pipes(rig: Rig, program: str, era: str) -> None:
    found = ask(declared(transport="stdio", command=tuple(rig.argv(program, "stdio"))))
    assert (found.verdict, found.era) == (Verdict.HEALTHY, era), found
    assert "who" in found.tools


_MUTE = "import time, sys; sys.stderr.write('loading the model\\n'); time.sleep(600)"
_HALF = """
import json, subprocess, sys, time
kept = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
open(sys.argv[1], 'w').write(str(kept.pid))
for line in sys.stdin:
    said = json.loads(line)
    if said['method'] == 'initialize':
        info = {'name': 'half', 'version': '1'}
        result = {'protocolVersion': '2025-11-25', 'capabilities': {}, 'serverInfo': info}
        print(json.dumps({'jsonrpc': '2.0', 'id': said['id'], 'result': result}), flush=True)
    elif said['method'] == 'server/discover':
        error = {'code': -32601, 'message': 'no such method'}
        print(json.dumps({'jsonrpc': '2.0', 'id': said['id'], 'error': error}), flush=True)
    elif 'id' in said:
        time.sleep(600)
"""


def python(code: str, *words: str) -> Server:
    return declared(transport="stdio", command=(sys.executable, "-c", code, *words))


def test_a_child_that_never_answers_is_wedged_and_killed() -> None:
    found = ask(python(_MUTE), within=3.0)
    assert found.verdict is Verdict.WEDGED, found
    assert "loading the model" in found.detail


def test_a_child_that_hangs_later_is_wedged_and_killed_with_its_own(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    found = ask(python(_HALF, str(note)), within=5.0)
    assert found.verdict is Verdict.WEDGED, found
    while _runs(note.read_text()):
        time.sleep(0.01)  # It is killed; the kernel takes it away when it comes to it.


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_ends_is_down_with_its_last_words() -> None:
    found = ask(python("import sys; sys.exit('no such key: API_KEY')"))
    assert found.verdict is Verdict.DOWN, found
    assert "no such key" in found.detail


def test_a_command_that_is_not_there_is_down() -> None:
    found = ask(declared(transport="stdio", command=("/nowhere/at-all",)))
    assert (found.verdict, "cannot be started" in found.detail) == (Verdict.DOWN, True)


def test_what_takes_connections_and_says_nothing_is_wedged() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        found = ask(at(mute.getsockname()[1]), within=1.0)
    assert found.verdict is Verdict.WEDGED, found


def test_what_trickles_for_ever_is_wedged() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as slow:

        def trickle() -> None:
            one, _ = slow.accept()
            with one:
                one.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
                while not over.wait(0.05):
                    try:
                        one.sendall(b": still here\n\n")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        found = ask(at(slow.getsockname()[1]), within=1.0)
        over.set()
        thread.join()
    assert found.verdict is Verdict.WEDGED, found


def test_what_is_no_http_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as odd:

        def greet() -> None:
            # A probe that has seen enough hangs up, and need not come twice.
            with contextlib.suppress(OSError):
                for _ in range(2):
                    one, _ = odd.accept()
                    with one:
                        one.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                        one.recv(65536)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        found = ask(at(odd.getsockname()[1]))
        odd.shutdown(socket.SHUT_RDWR)  # Wakes whoever still waits for another.
        thread.join(10)
    assert found.verdict is Verdict.DOWN, found


def test_what_may_not_be_probed_is_not_touched(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')"
    held = declared(transport="stdio", command=(sys.executable, "-c", code), held="nobody said so")
    assert ask(held).verdict is Verdict.UNPROBED
    unset = declared(transport="stdio", command=(sys.executable, "-c", code), unset=("KEY",))
    found = ask(unset)
    assert (found.verdict, "KEY" in found.detail) == (Verdict.UNKNOWN, True)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("environ", "verdict"),
    [
        ({"HTTP_PROXY": "http://proxy:3128"}, Verdict.UNKNOWN),
        ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "example.invalid"}, Verdict.DOWN),
        ({"HTTP_PROXY": "http://proxy:3128", "no_proxy": "*"}, Verdict.DOWN),
        ({}, Verdict.DOWN),
    ],
)
def test_behind_a_proxy_nothing_is_known(environ: dict[str, str], verdict: Verdict) -> None:
    server = declared(transport="http", url="http://mcp.example.invalid/mcp")
    assert probe(server, LONG, environ).verdict is verdict


def test_drift(rig: Rig) -> None:
    child = declared(transport="stdio", command=tuple(rig.argv("legacy", "stdio")))
    before = ask(child)
    again = ask(child)
    assert before.tools_hash == again.tools_hash
    Path(f"{rig.file}.tools").write_text("read_mail")
    after = ask(child)
    Path(f"{rig.file}.tools").unlink()
    assert after.tools_hash != before.tools_hash
    assert drift(before.tools, after.tools) == ("read_mail is new",)
    assert drift({"a": "1", "b": "2"}, {"b": "3"}) == ("a is gone", "b has changed")
