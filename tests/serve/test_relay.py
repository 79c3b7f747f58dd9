"""The relay of a real daemon: it sends, ends with the daemon, goes on, and leaves agents alone."""

import json
import os
import signal
import urllib.request
from pathlib import Path
from typing import Any

from pointsman.store.host_telemetry import told
from relay.collector import Collector, collecting
from telemetry.claude_logs import logs, record

from .live import OTHER, Live, alive, live, payload, started_in, until


def children(rig: Live) -> list[int]:
    found = []
    for pid in started_in(rig.state):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"pointsman.relay" in line:
            found.append(pid)
    return found


def configure(rig: Live, text: str) -> None:
    rig.places.user_config.parent.mkdir(parents=True, exist_ok=True)
    rig.places.user_config.write_text(text)


def sending(collector: Collector, more: str = "") -> str:
    return f'{more}\n[[telemetry.sinks]]\nname = "col"\nkind = "otlp"\nto = "{collector.url}"\n'


def stream(rig: Live, name: str = "col/traces") -> dict[str, Any]:
    found: dict[str, Any] = rig.status()["telemetry"]["streams"].get(name, {})
    return found


def test_nothing_runs_where_nothing_is_asked_for(rig: Live) -> None:
    rig.call("one")
    assert rig.status()["telemetry"] == {"running": False, "url": None, "reason": "", "streams": {}}
    assert children(rig) == []


def test_every_event_arrives_through_kills_restarts_and_bad_manners(rig: Live) -> None:
    with collecting() as collector:
        configure(rig, sending(collector))
        collector.mode = "garbage"
        rig.call("one")
        until(lambda: stream(rig).get("fault"), "the fault is told")
        (child,) = children(rig)
        os.kill(child, signal.SIGKILL)
        rig.call("two", "rm -rf /")
        collector.mode = "good"
        assert rig.command("up", "--restart").returncode == 0
        rig.send(payload("one", event=OTHER), OTHER)
        total = len(rig.rows())
        until(lambda: len(collector.spans("pointsman.decision")) == total, "all have arrived")
        until(lambda: stream(rig)["sent"] == total, "and are counted")
        assert "telemetry not sent" in rig.notes()
        (child,) = children(rig)
        rig.kill(signal.SIGKILL)
        until(lambda: not alive(child), "the relay has ended with its daemon")


def test_settings_take_hold_while_it_runs_and_a_repositorys_do_not(rig: Live) -> None:
    with collecting() as collector:
        repository = rig.folder / "repo"
        (repository / ".git").mkdir(parents=True)
        (repository / ".pointsman").mkdir()
        (repository / ".pointsman/config.toml").write_text(sending(collector))
        rig.send(payload("one", cwd=str(repository)))
        assert children(rig) == []
        configure(rig, sending(collector))
        until(lambda: len(children(rig)) == 1, "it has begun")
        until(lambda: collector.spans("pointsman.decision"), "what happened just before arrives")
        configure(rig, "")
        until(lambda: children(rig) == [], "it has ended")


def test_status_shows_what_it_does(rig: Live) -> None:
    with collecting() as collector:
        configure(rig, sending(collector, "[telemetry]\nprometheus = true\n"))
        rig.call("one")
        until(lambda: stream(rig).get("sent"), "it was sent")
        printed = rig.command("status").stdout
        assert "telemetry  col/traces: 1 sent, 0 waiting" in printed
        assert "telemetry  http://127.0.0.1:" in printed


def test_a_sink_whose_secret_is_missing_is_told_and_stops_no_other(tmp_path: Path) -> None:
    with live(tmp_path) as rig, collecting() as collector:
        text = sending(collector)
        text += f'[[telemetry.sinks]]\nname = "hook"\nkind = "webhook"\nto = "{collector.url}/h"\n'
        configure(rig, text + f'secret_file = "{tmp_path}/none"\n')
        rig.call("one")
        until(lambda: collector.spans("pointsman.decision"), "the other one is served")
        assert "No such file" in stream(rig, "hook/-")["fault"]
        assert json.loads((rig.state / "telemetry.json").read_text())["active"]


def test_the_clients_own_telemetry_in_and_out_of_its_settings(rig: Live) -> None:
    configure(rig, "[telemetry]\nreceive = true\n")
    settings = rig.folder / ".claude/settings.json"
    settings.parent.mkdir()
    settings.write_text('{\n  "model": "opus"\n}\n')
    done = rig.command("init", "--telemetry", "--scope", "user", "--json")
    assert done.returncode == 0, done.stderr
    env = json.loads(settings.read_text())["env"]
    url = rig.status()["telemetry"]["url"]
    assert json.loads(done.stdout)["telemetry"] == env["OTEL_EXPORTER_OTLP_ENDPOINT"] == url
    # `init` without a word of it leaves it where it is.
    assert rig.command("init", "--scope", "user").returncode == 0
    assert json.loads(settings.read_text())["env"] == env
    name, _, token = env["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
    body = json.dumps(logs(record("tool_result", tool_use_id="t", success="true"))).encode()
    asked = urllib.request.Request(f"{url}/v1/logs", body, {name: token})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.status == 200
    assert told(rig.places.host_telemetry, 0)["s1"].counts["tool_results"] == 1
    assert rig.command("uninstall", "--scope", "user").returncode == 0
    assert settings.read_text() == '{\n  "model": "opus"\n}\n'
