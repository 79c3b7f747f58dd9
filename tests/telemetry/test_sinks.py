"""Files and webhooks: what stands in them, when a file turns over, who can check the signature."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.telemetry import to_file
from pointsman.telemetry.lines import Wanted, line_of, objects_of
from pointsman.telemetry.post import fault_of_url
from pointsman.telemetry.sink import Sink, sink_of
from pointsman.telemetry.to_webhook import signature_headers

from .entries import entry, note, run


def written(wanted: Wanted, *entries: Any) -> list[dict[str, Any]]:
    return [json.loads(line_of(each)) for each in objects_of(entries, wanted)]


def test_a_line_is_an_event_a_late_run_or_a_note() -> None:
    found = written(Wanted(), entry(1, run()), entry(2, run(1), seq=1, late=True), note(3))
    assert [each["kind"] for each in found] == ["event", "runs", "note"]
    assert [each["n"] for each in found] == [1, 2, 3]
    assert found[0]["hook_runs"][0]["hook"] == "scope"
    assert "rule" not in found[0]  # What is empty says nothing.


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(decisions=("deny",)), [2]),
        (Wanted(events=("PreToolUse",)), [1]),
        (Wanted(events=("PreToolUse",), decisions=("deny",)), []),
    ],
)
def test_a_filter_takes_what_it_names(wanted: Wanted, numbers: list[int]) -> None:
    entries = (entry(1), entry(2, event="PreEdit", decision="deny"), note(3))
    assert [each["n"] for each in written(wanted, *entries)] == numbers


def test_a_payload_goes_along_only_where_it_is_asked_for() -> None:
    one, odd = entry(1, payload=b'{"a": 1}'), entry(2, payload=b"\xff")
    assert "payload" not in written(Wanted(), one)[0]
    found = written(Wanted(payloads=True), one, odd)
    assert [each["payload"] for each in found] == [{"a": 1}, "\\xff"]


def test_a_file_turns_over_before_it_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    one = len(line_of(next(objects_of([entry(1)], Wanted()))))
    sink = Sink(name="f", kind="file", to=str(path), most_bytes=2 * one + 1, keep=2)
    for number in range(1, 10):
        to_file.deliver(sink, "events", [entry(number)])
    kept = {
        file.name: [json.loads(line)["n"] for line in file.read_text().splitlines()]
        for file in tmp_path.iterdir()
    }
    assert kept == {
        "events.jsonl": [9],
        "events.jsonl.1": [7, 8],
        "events.jsonl.2": [5, 6],
    }
    assert path.stat().st_mode & 0o077 == 0


def test_a_receiver_checks_the_signature_as_standard_webhooks_says() -> None:
    key = b"0123456789abcdef"
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = signature_headers(secret, "id1", 1700000000, b'{"a":1}')
    expected = hmac.new(key, b'id1.1700000000.{"a":1}', hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    other = signature_headers(secret, "id1", 1700000001, b'{"a":1}')
    assert other["webhook-signature"] != headers["webhook-signature"]


def test_secrets_lie_in_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("Bearer abc\n")
    given = {
        "name": "x", "kind": "otlp", "to": "http://127.0.0.1:1",
        "headers": {"Authorization": f"file:{tmp_path}/token"},
    }  # fmt: skip
    sink = sink_of(given, ("traces",), {}, "1")
    assert sink.headers == {"authorization": "Bearer abc"}
    assert "abc" not in repr(sink)
    with pytest.raises(OSError, match="missing"):
        sink_of({**given, "secret_file": str(tmp_path / "missing")}, ("traces",), {}, "1")


@pytest.mark.parametrize(
    ("kind", "to"), [("otlp", "/a/file"), ("webhook", "/a/file"), ("file", "http://127.0.0.1:1")]
)
def test_a_place_of_another_kind_is_none(kind: str, to: str) -> None:
    with pytest.raises(ValueError, match="to = "):
        sink_of({"name": "x", "kind": kind, "to": to}, ("events",), {}, "1")


@pytest.mark.parametrize(
    ("url", "sound"),
    [
        ("http://127.0.0.1:4318", True),
        ("https://collector.example/x", True),
        ("ftp://x", False),
        ("http://", False),
        ("http://a:b@x", False),
        ("http://x:99999", False),
    ],
)
def test_where_anything_can_be_sent_to(url: str, sound: bool) -> None:
    assert (fault_of_url(url) == "") == sound
