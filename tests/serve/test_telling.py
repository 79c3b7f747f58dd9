"""Messages arrive, signed and once; what is not taken waits, is tried again, and is counted."""

import asyncio
import hashlib
import hmac
import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.alerts.book import Book
from pointsman.alerts.sinks.message import body_of, message_of, title_of
from pointsman.alerts.terms import Terms
from pointsman.model.alert import Finding, Severity
from pointsman.model.alerting import Change
from pointsman.serve.telling import Telling
from pointsman.store import outbox as kept
from pointsman.store.alerts import AlertStore
from pointsman.store.outbox import Outbox

SECRET = "5f2d7c81a9e04b63"


class Receiver:
    """A web server that keeps what it is sent; ``answers`` are its next codes, then 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.wait = threading.Event()
        self.wait.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.got.append(({key.lower(): v for key, v in self.headers.items()}, body))
                outer.wait.wait(60)
                code = outer.answers.pop(0) if outer.answers else 204
                self.send_response(code)
                if code == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.wait.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


class Rig:
    """A store, and what sends from it."""

    def __init__(self, folder: Path, within: float = 60) -> None:
        self.folder = folder
        self.store = AlertStore(folder / "alerts.db")
        self.outbox = Outbox(self.store)
        self.said: list[tuple[str, str]] = []
        self.telling = Telling(
            self.outbox, lambda kind, text: self.said.append((kind, text)), str, within
        )
        self.book = Book()

    def sink(self, to: str = "", **more: Any) -> dict[str, Any]:
        secret = self.folder / "secret"
        if not secret.exists():
            secret.write_text(SECRET + "\n")
            secret.chmod(0o600)
        named = {"name": "hook", "kind": "webhook", "to": to, "secret_file": str(secret)}
        return {key: value for key, value in {**named, **more}.items() if value is not None}

    def change(self, severity: str = "warning", key: str = "k") -> Change:
        finding = Finding(
            detector="repetition", key=key, severity=Severity(severity), summary=f"{key} again",
            at_ns=time.time_ns(), session="s", seqs=(5,), figures={"count": 5},
        )  # fmt: skip
        (change,) = self.book.found(finding, Terms())
        from dataclasses import replace

        return replace(change, number=self.store.keep(change))

    def send(self, *sinks: dict[str, Any], quiet: bool = False, rounds: int = 1) -> None:
        """Let it send what is due, so many times."""

        async def run() -> None:
            for _ in range(rounds):
                self.telling.tick(sinks, quiet=quiet)
                tasks = [each.task for each in self.telling._states.values() if each.task]
                if tasks:
                    await asyncio.wait(tasks)

        asyncio.run(run())

    def status(self, sink: dict[str, Any]) -> dict[str, Any]:
        return self.telling.status([sink])[0]

    def hurry(self) -> None:
        """Make what waits for another try due."""
        with self.store.transaction() as db:
            db.execute("UPDATE outbox SET next_ns = 0")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.store.close()


def test_a_webhook_gets_what_was_signed(rig: Rig, receiver: Receiver) -> None:
    sink = rig.sink(receiver.url)
    change = rig.change("critical")
    rig.telling.put(change, [sink])
    rig.send(sink)
    ((headers, body),) = receiver.got
    stamp = headers["x-pointsman-timestamp"]
    mac = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-pointsman-signature"] == f"v1={mac}"
    assert headers["x-pointsman-delivery"] == str(change.number)
    assert abs(time.time() - int(stamp)) < 3600
    value = json.loads(body)
    assert (value["alert"], value["state"], value["before"]) == (1, "critical", "ok")
    assert (value["seqs"], value["figures"]) == ([5], {"count": 5})
    assert rig.status(sink) == {
        "name": "hook", "kind": "webhook", "sent": 1, "fault": "", "waiting": 0, "lost": 0,
    }  # fmt: skip


@pytest.mark.parametrize("code", [302, 400, 404, 429, 500, 503])
def test_a_refusal_is_tried_again_later_in_order(rig: Rig, receiver: Receiver, code: int) -> None:
    sink = rig.sink(receiver.url)
    receiver.answers = [code]
    for key in "ab":
        rig.telling.put(rig.change(key=key), [sink])
    rig.send(sink, rounds=3)
    assert len(receiver.got) == 1, "not at once, and the second not before the first"
    assert rig.status(sink)["waiting"] == 2
    assert rig.status(sink)["fault"] == f"it answers {code}"
    assert rig.said[0][0] == "alert sink failed"
    rig.hurry()
    rig.send(sink)
    assert [json.loads(body)["key"] for _, body in receiver.got] == ["a", "a", "b"]
    assert rig.status(sink)["waiting"] == 0
    assert [kind for kind, _ in rig.said] == ["alert sink failed", "alert sink works"]


def test_each_try_waits_longer(rig: Rig) -> None:
    rig.outbox.put("hook", 1, {}, 0, quiet=False)
    waits = []
    for _ in range(14):
        (parcel,) = rig.outbox.due("hook", 10**19 // 2, 10, quiet=False)
        rig.outbox.failed(parcel, 0)
        with rig.store.reading() as db:
            waits.append(db.execute("SELECT next_ns FROM outbox").fetchone()[0] / 1e9)
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == 900


def test_one_that_nobody_takes_holds_up_the_others_for_so_long_only(rig: Rig) -> None:
    for number in (1, 2):
        rig.outbox.put("hook", number, {}, 0, quiet=False)
    (first, _) = rig.outbox.due("hook", 1, 10, quiet=False)
    now = 1
    for tries in range(kept.PATIENT):
        assert (rig.outbox.due("hook", now, 10, quiet=False) == []) is (tries > 0)
        from dataclasses import replace

        rig.outbox.failed(replace(first, tries=tries), now)
    assert [each.change for each in rig.outbox.due("hook", now, 10, quiet=False)] == [2]


def test_nobody_listens(rig: Rig) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sink = rig.sink(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        rig.telling.put(rig.change(), [sink])
        rig.send(sink)
    assert "refused" in rig.status(sink)["fault"]
    assert rig.status(sink)["waiting"] == 1


def test_one_that_never_answers_is_killed_and_what_arrived_before_is_not_sent_again(
    tmp_path: Path, receiver: Receiver
) -> None:
    rig = Rig(tmp_path, within=6)
    sink = rig.sink(receiver.url)
    rig.telling.put(rig.change(key="a"), [sink])
    receiver.wait.clear()
    rig.send(sink)
    assert rig.status(sink)["fault"] == "not done within 6 seconds"
    assert rig.telling._states["hook"].process is None
    receiver.wait.set()
    rig.hurry()
    rig.send(sink)
    assert (rig.status(sink)["waiting"], rig.status(sink)["fault"]) == (0, "")
    rig.store.close()


def test_a_sink_that_hangs_holds_up_no_other(rig: Rig, receiver: Receiver) -> None:
    sinks = [rig.sink(receiver.url), rig.sink("http://127.0.0.1:1/", name="other")]
    rig.telling.put(rig.change(), sinks)
    rig.send(*sinks)
    assert [rig.status(sink)["waiting"] for sink in sinks] == [0, 1]


WRONG = [
    ({"secret_file": None}, "its secret_file holds no secret of at least 16 characters"),
    ({"secret_file": "/nowhere/secret"}, "secret_file /nowhere/secret: No such file"),
    ({"secret_file": "/dev/null"}, "secret_file /dev/null: it is no file"),
    ({"secret_file": "/"}, "secret_file /: Is a directory"),
    ({"to": "ftp://127.0.0.1/"}, "`to` is no http or https URL"),
    ({"kind": "apprise", "to": "json://127.0.0.1:1"}, "pip install 'pointsman[apprise]'"),
]


@pytest.mark.parametrize(("more", "fault"), WRONG)
def test_what_is_wrong_with_a_sink_is_said(rig: Rig, more: dict[str, Any], fault: str) -> None:
    if more.get("kind") == "apprise":
        import importlib.util

        if importlib.util.find_spec("apprise"):
            pytest.skip("apprise is installed here")
    sink = rig.sink(**{"to": "http://127.0.0.1:1/", **more})
    rig.telling.put(rig.change(), [sink])
    rig.send(sink)
    assert fault in rig.status(sink)["fault"]
    assert rig.status(sink)["waiting"] == 1


def test_a_secret_that_others_may_read_is_none(rig: Rig, receiver: Receiver) -> None:
    sink = rig.sink(receiver.url)
    Path(sink["secret_file"]).chmod(0o644)
    rig.telling.put(rig.change(), [sink])
    rig.send(sink)
    assert "others may read it: chmod 600" in rig.status(sink)["fault"]
    assert receiver.got == []


def test_a_notice_on_the_desktop(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin/notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/said\n')
    program.chmod(0o755)
    sink = {"name": "desk", "kind": "desktop"}
    monkeypatch.setenv("PATH", "/nowhere")
    rig.telling.put(rig.change("critical", key="<b>&"), [sink])
    rig.send(sink)
    assert "there is no notify-send" in rig.status(sink)["fault"]
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    rig.hurry()
    rig.send(sink)
    said = (tmp_path / "said").read_text()
    assert "--urgency=critical\n" in said
    assert "&lt;b&gt;&amp; again" in said
    assert "pointsman alerts show 1" in said


def test_warnings_wait_for_the_end_of_quiet_hours_and_what_is_critical_does_not(
    rig: Rig, receiver: Receiver
) -> None:
    sink = rig.sink(receiver.url)
    rig.telling.put(rig.change(key="w"), [sink])
    rig.telling.put(rig.change("critical", key="c"), [sink])
    rig.send(sink, quiet=True, rounds=2)
    assert [json.loads(body)["key"] for _, body in receiver.got] == ["c"]
    rig.send(sink)
    assert [json.loads(body)["key"] for _, body in receiver.got] == ["c", "w"]


def test_who_is_told_what(rig: Rig) -> None:
    from dataclasses import replace

    sinks: list[dict[str, Any]] = [
        {"name": "all", "kind": "desktop"},
        {"name": "bad", "kind": "desktop", "least": "critical"},
        {"name": "boss", "kind": "desktop", "only_ladder": True},
    ]
    rig.telling.put(rig.change(), sinks)
    assert [rig.outbox.waiting(sink["name"]) for sink in sinks] == [1, 0, 0]
    rig.telling.put(rig.change("critical", key="c"), sinks)
    assert [rig.outbox.waiting(sink["name"]) for sink in sinks] == [2, 1, 0]
    rig.telling.put(replace(rig.change(key="l"), sinks=("boss",)), sinks)
    assert [rig.outbox.waiting(sink["name"]) for sink in sinks] == [2, 1, 1]


def test_the_box_is_bounded_and_what_was_lost_is_counted(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_WAITING", 3)
    for number in range(5):
        rig.outbox.put("hook", number, {}, 0, quiet=False)
    assert [each.change for each in rig.outbox.due("hook", 1, 10, quiet=False)] == [2, 3, 4]
    assert (rig.outbox.waiting("hook"), rig.outbox.lost("hook")) == (3, 2)
    assert rig.outbox.sweep(("hook",), int(kept.OLDEST_S * 1e9) + 1) == 3
    assert rig.outbox.lost("hook") == 5
    rig.outbox.put("gone", 1, {}, 0, quiet=False)
    rig.outbox.sweep(("hook",), 1)
    assert rig.outbox.waiting("gone") == 0


def test_words(rig: Rig) -> None:
    message = message_of(rig.change())
    assert title_of(message) == "Pointsman: warning: repetition (main)"
    assert body_of(message).splitlines() == ["k again", "session s", "pointsman alerts show 1"]
