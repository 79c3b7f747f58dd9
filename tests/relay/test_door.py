"""The relay's port: who is let in for what, and what is refused."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pointsman.model.places import Places
from pointsman.relay.door import Door
from pointsman.relay.progress import Progress
from pointsman.relay.streams import World
from pointsman.serve.dashboard_key import key_of, posting_token
from pointsman.store.host_telemetry import told
from pointsman.store.ledger import Ledger
from store.records import record, run
from telemetry.claude_logs import session


class Site:
    """A door of one state directory."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.places = Places(folder / "state", folder / "config")
        self.places.state.mkdir(mode=0o700, exist_ok=True)
        self.notes: list[str] = []
        self.progress = Progress(self.places.telemetry)
        world = World(
            self.places.ledger, self.progress, lambda _kind, text: self.notes.append(text)
        )
        self.door = Door(self.places, settings, world)
        self.door.start()
        self.url = str(self.progress.listening.get("url", ""))
        self.key = key_of(self.places.telemetry_key)

    def ask(self, method: str, path: str, token: str = "", body: bytes = b"", **more: str) -> Any:
        port = int(self.url.rpartition(":")[2])
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as asked:
            asked.request(method, path, body or None, headers)
            answer = asked.getresponse()
            return answer.status, answer.getheader("content-type"), answer.read().decode()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, prometheus=True, receive=True)
    ledger = Ledger.open(made.places.ledger)
    ledger.append([record("a", runs=(run(),))])
    yield made
    made.door.close()
    ledger.close()


def test_a_scrape_with_the_token_is_what_prometheus_reads(site: Site) -> None:
    status, kind, text = site.ask("GET", "/metrics", site.key)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = {each.name: each for each in text_string_to_metric_families(text)}
    (sample,) = found["pointsman_events"].samples
    assert (sample.labels, sample.value) == ({"event": "PreToolUse"}, 1.0)


@pytest.mark.parametrize("header", ["authorization", "x_pointsman_token"])
def test_a_message_of_the_host_is_taken(site: Site, header: str) -> None:
    body = json.dumps(session()).encode()
    token = posting_token(site.key)
    said = f"Bearer {token}" if header == "authorization" else token
    answer = site.ask("POST", "/v1/logs", "", body, **{header: said})
    assert answer == (200, "application/json", "{}")
    assert told(site.places.host_telemetry, 0)["s1"].counts["tool_results"] == 1


@pytest.mark.parametrize(
    ("method", "path", "which", "more", "status"),
    [
        ("GET", "/metrics", "none", {}, 401),
        ("GET", "/metrics", "posting", {}, 401),  # It lies in settings: good for posting alone.
        ("POST", "/v1/logs", "none", {}, 401),
        ("POST", "/v1/logs", "key", {}, 401),
        ("GET", "/", "key", {}, 404),
        ("GET", "/v1/logs", "posting", {}, 404),
        ("POST", "/metrics", "key", {}, 404),
        ("POST", "/v1/other", "posting", {}, 404),
        ("GET", "/metrics", "key", {"host": "evil.example"}, 403),
        ("GET", "/metrics", "key", {"origin": "http://evil.example"}, 403),
        ("POST", "/v1/logs", "posting", {"content_length": "99999999"}, 413),
        ("POST", "/v1/logs", "posting", {"content_length": "x"}, 411),
    ],
)
def test_what_is_refused(
    site: Site, method: str, path: str, which: str, more: dict[str, str], status: int
) -> None:
    token = {"none": "", "key": site.key, "posting": posting_token(site.key)}[which]
    assert site.ask(method, path, token, b"", **more)[0] == status


def test_each_is_served_only_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    figures, post = Site(tmp_path / "b", prometheus=True), Site(tmp_path / "c", receive=True)
    assert figures.ask("POST", "/v1/logs", posting_token(figures.key), b"{}")[0] == 404
    assert post.ask("GET", "/metrics", post.key)[0] == 404
    assert figures.ask("GET", "/metrics", figures.key)[0] == 503  # There is no ledger yet.
    figures.door.close()
    post.door.close()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        made = Site(tmp_path, prometheus=True, port=port)
    assert (made.url, f"telemetry.port {port}" in made.notes[0]) == ("", True)
    made.door.close()


def test_the_same_port_next_time(tmp_path: Path) -> None:
    first = Site(tmp_path, prometheus=True)
    first.progress.keep()
    first.door.close()
    second = Site(tmp_path, prometheus=True)
    second.door.close()
    assert second.url == first.url
