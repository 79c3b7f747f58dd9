"""What a sender hands on to others: apprise, stood in for by a module of the test's."""

import io
import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pointsman.alerts import courier
from pointsman.alerts.sinks import apprise, webhook
from pointsman.alerts.sinks.all_sinks import SENDERS
from pointsman.alerts.sinks.message import NotTold, message_of
from pointsman.model.alert import Severity
from pointsman.model.alerting import Alert, Change, State

SINK = {"kind": "apprise", "to": "json://127.0.0.1/"}


def message(state: str = "critical") -> dict[str, Any]:
    alert = Alert(
        number=3, state=State(state), severity=Severity.CRITICAL, detector="repetition", key="k",
        summary="again", session="s",
    )  # fmt: skip
    return message_of(
        Change(alert=alert, before=State.OK, ns=1, by="repetition", text="again", number=9)
    )


class Fake:
    """The part of apprise that is used."""

    def __init__(self, *, knows: bool = True, works: bool = True) -> None:
        self.knows, self.works = knows, works
        self.added: list[str] = []
        self.told: list[dict[str, Any]] = []

    def add(self, url: str) -> bool:
        self.added.append(url)
        return self.knows

    def notify(self, **said: Any) -> bool:
        self.told.append(said)
        return self.works


def put(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> None:
    monkeypatch.setitem(sys.modules, "apprise", SimpleNamespace(Apprise=lambda: fake))


@pytest.mark.parametrize(("state", "kind"), [("critical", "failure"), ("recovered", "success")])
def test_apprise_is_told(monkeypatch: pytest.MonkeyPatch, state: str, kind: str) -> None:
    fake = Fake()
    put(monkeypatch, fake)
    apprise.send(SINK, message(state))
    assert fake.added == ["json://127.0.0.1/"]
    (said,) = fake.told
    assert said["notify_type"] == kind
    assert said["title"] == f"Pointsman: {state}: repetition (main)"
    assert "pointsman alerts show 3" in said["body"]


@pytest.mark.parametrize(
    ("fake", "sink", "fault"),
    [
        (Fake(knows=False), SINK, "does not know this kind of URL"),
        (Fake(works=False), SINK, "could not deliver it"),
        (Fake(), {"kind": "apprise"}, "neither `to` nor `to_file`"),
    ],
)
def test_what_apprise_cannot_do(
    monkeypatch: pytest.MonkeyPatch, fake: Fake, sink: dict[str, str], fault: str
) -> None:
    put(monkeypatch, fake)
    with pytest.raises(NotTold, match=fault):
        apprise.send(sink, message())


def test_where_apprise_is_missing_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NotTold, match=r"pip install 'pointsman\[apprise\]'"):
        apprise.send(SINK, message())


def test_the_signature_is_a_known_one() -> None:
    # Counted by hand: printf '1.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
    assert webhook.signature("0123456789abcdef", "1", b"{}") == (
        "v1=2af693cb56b22c16912222aeefdc75a01de562bf70ee2015f41ecea48382997f"
    )


def test_the_courier_stops_at_the_first_that_does_not_arrive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def send(_sink: object, given: Any) -> None:
        if given["change"] == 2:
            raise NotTold("no")
        if given["change"] == 5:
            raise ZeroDivisionError

    monkeypatch.setitem(SENDERS, "webhook", send)
    rows = []
    for changes in ([1, 2, 3], [4, 5], [6, 7]):
        job = {"sink": {"kind": "webhook"}, "messages": [{"change": each} for each in changes]}
        out = io.StringIO()
        code = courier.run(io.BytesIO(json.dumps(job).encode()), out)
        rows.append((code, [json.loads(line) for line in out.getvalue().splitlines()]))
    assert rows == [
        (1, [{"sent": 0}, {"fault": "no"}]),
        (1, [{"sent": 0}, {"fault": "ZeroDivisionError: "}]),
        (0, [{"sent": 0}, {"sent": 1}]),
    ]
