"""The dashboard of a real daemon: its door, its process, and how both end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from .live import Live, alive, live, started_in, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peer is found on Linux alone")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("shared")) as rig:
        rig.call("first")
        yield rig


def address(rig: Live) -> str:
    until(lambda: rig.status()["dashboard"]["url"], "the dashboard has an address")
    url: str = rig.status()["dashboard"]["url"]
    return url


def get(rig: Live, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Ask as a script does."""
    url = urlsplit(address(rig))
    link(rig)
    key = (rig.state / "dashboard.key").read_text().strip()
    with closing(http.client.HTTPConnection("127.0.0.1", url.port or 0, timeout=60)) as asked:
        given = {"authorization": f"Bearer {key}", **headers}
        asked.request("GET", path, headers={name: value for name, value in given.items() if value})
        answer = asked.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()


def link(rig: Live) -> dict[str, Any]:
    done = rig.command("dashboard", "--json")
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def children(rig: Live) -> list[int]:
    """Return the processes of the dashboard: they stand in the state directory, as the daemon."""
    return [pid for pid in started_in(rig.state) if b"pointsman.web" in command_line(pid)]


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_nothing_is_started_before_somebody_knocks(tmp_path: Path) -> None:
    with live(tmp_path) as rig:
        rig.call("one")
        port = urlsplit(address(rig)).port
        assert children(rig) == []
        status, _, body = get(rig, "/api/status")
        assert (status, json.loads(body)["dashboard"]["open"]) == (200, True)
        (child,) = children(rig)
        # It ends with the daemon, however that ends, and the next one takes the same port.
        rig.kill(signal.SIGKILL)
        until(lambda: not alive(child), "the dashboard has ended")
        rig.call("two")
        assert urlsplit(address(rig)).port == port
        assert get(rig, "/api/events")[0] == 200
        (child,) = children(rig)
        assert rig.command("down").returncode == 0
        assert not alive(child)


def test_a_child_that_is_killed_is_followed_by_another(shared: Live) -> None:
    assert get(shared, "/api/status")[0] == 200
    (child,) = children(shared)
    os.kill(child, signal.SIGKILL)
    until(lambda: not alive(child), "it has ended")
    assert get(shared, "/api/status")[0] == 200
    assert "dashboard failed" in shared.notes()


def test_the_totals_are_those_of_ledger_query(shared: Live) -> None:
    shared.call("denied", "rm -rf /")
    for words, path in (
        ((), "/api/events?total=1"),
        (("--decision", "deny"), "/api/events?total=1&decision=deny"),
        (
            ("--event", "PreToolUse", "--since", "1h"),
            "/api/events?total=1&event=PreToolUse&since=1h",
        ),
        (("--session", "none such"), "/api/events?total=1&session=none+such"),
    ):
        printed = shared.command("ledger", "query", "--json", "--limit", "0", *words).stdout
        rows = [json.loads(line)["seq"] for line in printed.splitlines()]
        page = json.loads(get(shared, path)[2])
        assert page["total"] == len(rows)
        assert [row["seq"] for row in reversed(page["rows"])] == rows


def test_a_rebound_host_and_a_foreign_origin_are_refused(shared: Live) -> None:
    assert get(shared, "/api/status", host="evil.example")[0] == 403
    assert get(shared, "/api/status", origin="http://evil.example")[0] == 403


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_refused_whatever_they_know(shared: Live) -> None:
    get(shared, "/api/status")
    key = (shared.state / "dashboard.key").read_text().strip()
    port = urlsplit(address(shared)).port
    asking = (
        "import os, socket, sys\n"
        # The other user may not read the interpreter's files: what it needs is loaded before.
        "'x'.encode('idna'); os.setgid(65534); os.setuid(65534)\n"
        f"s = socket.create_connection(('127.0.0.1', {port}))\n"
        f"s.sendall(b'GET /api/status HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n"
        f"Authorization: Bearer {key}\\r\\n\\r\\n')\n"
        "print(s.makefile('rb').readline().decode())\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", asking], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "HTTP/1.1 403 Forbidden", done.stderr
    assert get(shared, "/api/status")[0] == 200


def test_it_can_be_switched_off_and_given_a_port(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    settings = tmp_path / "config/pointsman/config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("[dashboard]\nenabled = false\n")
    with live(tmp_path) as rig:
        rig.call("one")
        assert rig.status()["dashboard"]["url"] is None
        refused = rig.command("dashboard", "--no-open")
        assert refused.returncode == 1
        assert "dashboard.enabled" in refused.stderr
        settings.write_text(f"[dashboard]\nport = {free}\n")
        assert rig.command("up", "--restart").returncode == 0
        assert urlsplit(address(rig)).port == free
        assert link(rig)["link"].startswith(f"http://127.0.0.1:{free}/open?code=")


def test_an_agents_session_that_has_asked_gets_no_link(shared: Live) -> None:
    from approving import question
    from pointsman.store.approvals import Approvals, moment

    store = Approvals(shared.places.approvals)
    store.add(question("agent222", now=moment()))
    store.close()
    shared.env["CLAUDE_CODE_SESSION_ID"] = "s"
    try:
        done = shared.command("dashboard", "--no-open")
    finally:
        del shared.env["CLAUDE_CODE_SESSION_ID"]
    assert done.returncode == 1
    assert "an agent does not answer them" in done.stderr
