"""Streams against a collector in each bad mode: what waits is sent later, losses are counted."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.decision import deny
from pointsman.relay.progress import Progress
from pointsman.relay.streams import POLL_S, Stream, World
from pointsman.store import follow
from pointsman.store.ledger import Ledger
from pointsman.store.query import opened
from pointsman.telemetry.lines import Wanted
from pointsman.telemetry.sink import Sink
from store.records import record, run
from store.usages import MESSAGES, add

from .collector import Collector, collecting


@dataclass
class Rig:
    """A ledger, a collector, and streams between them."""

    folder: Path
    ledger: Ledger
    collector: Collector
    notes: list[tuple[str, str]] = field(default_factory=list)

    def add(self, count: int, **more: Any) -> None:
        self.ledger.append([record(f"c{n}", runs=(run(),), **more) for n in range(count)])

    def stream(self, most: int = 500, signal: str = "traces", **more: Any) -> Stream:
        """Begin as a new process would."""
        world = World(
            self.folder / "ledger.db",
            Progress(self.folder / "telemetry.json"),
            lambda kind, text: self.notes.append((kind, text)),
            backfill_s=1e10,
        )
        given: dict[str, Any] = {"kind": "otlp", "to": self.collector.url, "timeout": 20.0, **more}
        return Stream(Sink(name="col", **given), signal, world, most)

    def decisions(self) -> int:
        return len(self.collector.spans("pointsman.decision"))


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    ledger = Ledger.open(tmp_path / "ledger.db")
    with collecting() as collector:
        yield Rig(tmp_path, ledger, collector)
    ledger.close()


def drain(stream: Stream) -> None:
    """Send until there is nothing left."""
    while stream.turn() == 0.0:
        pass


def test_what_is_on_record_arrives_once(rig: Rig) -> None:
    rig.add(7)
    stream = rig.stream(most=3)
    drain(stream)
    assert rig.decisions() == stream.position.sent == 7
    assert len(rig.collector.spans("pointsman.hook")) == 7
    requests = len(rig.collector.requests)
    assert stream.turn() == POLL_S
    assert len(rig.collector.requests) == requests


@pytest.mark.parametrize("mode", ["refusing", "garbage", "page", "broken", "moved"])
def test_a_collector_that_behaves_badly_gets_everything_later(rig: Rig, mode: str) -> None:
    stream = rig.stream()
    rig.add(5)
    rig.collector.mode = mode
    first, second, third = stream.turn(), stream.turn(), stream.turn()
    assert 0 < first < second < third  # It is asked ever less often.
    assert (stream.position.sent, stream.position.waiting >= 5) == (0, True)
    assert [kind for kind, _ in rig.notes] == ["telemetry not sent"]  # Said once.
    rig.add(5)
    rig.collector.mode = "good"
    drain(stream)
    assert rig.decisions() == stream.position.sent == 10
    assert (stream.position.lost, stream.position.fault) == (0, "")
    assert rig.notes[-1][0] == "telemetry sent again"


def test_one_that_says_when_is_asked_then(rig: Rig) -> None:
    rig.add(1)
    rig.collector.mode = "busy"
    assert rig.stream().turn() == 7.0


def test_requests_are_compressed_and_say_who_asks(rig: Rig) -> None:
    rig.add(20)
    drain(rig.stream(headers={"authorization": "Bearer abc"}))
    (_, headers, _) = rig.collector.requests[0]
    assert headers["content-encoding"] == "gzip"
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer abc"


def test_a_webhook_is_told_what_it_asked_for_and_signs(rig: Rig) -> None:
    rig.add(3)
    rig.add(2, decision=deny("no", rule="r"))
    wanted = Wanted(decisions=("deny",))
    hook: dict[str, Any] = {
        "kind": "webhook",
        "to": f"{rig.collector.url}/hook?a=1",
        "wanted": wanted,
    }
    stream = rig.stream(signal="events", secret="s3cret", **hook)
    drain(stream)
    ((path, headers, body),) = rig.collector.requests
    assert (path, [each["decision"] for each in body["events"]]) == ("/hook?a=1", ["deny"] * 2)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    name, at = headers["webhook-id"], headers["webhook-timestamp"]
    digest = hmac.new(b"s3cret", f"{name}.{at}.".encode() + text, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert stream.position.sent == 5  # What it did not ask for is done with as well.


def test_a_file_gets_every_event_and_note(rig: Rig, tmp_path: Path) -> None:
    rig.add(3)
    rig.ledger.note("kind", "a note")
    file = tmp_path / "out.jsonl"
    drain(rig.stream(signal="events", kind="file", to=str(file)))
    found = [json.loads(line) for line in file.read_text().splitlines()]
    assert [each["seq"] for each in found if each["kind"] == "event"] == [1, 2, 3]
    assert "a note" in [each.get("text") for each in found]
    full = rig.stream(signal="events", kind="file", to="/dev/full")
    full.position.after, full.position.mark = -1, ""
    assert full.turn() > 0
    assert "No space left" in full.position.fault


def test_one_that_is_slow_is_left_at_the_deadline(rig: Rig) -> None:
    rig.add(2)
    rig.collector.mode = "slow"
    stream = rig.stream(timeout=0.2)
    assert stream.turn() > 0
    assert stream.position.fault
    rig.collector.mode = "good"
    stream = rig.stream()
    drain(stream)
    assert rig.decisions() == 2


def test_one_that_is_down_gets_everything_when_it_is_up(rig: Rig) -> None:
    rig.add(4)
    rig.collector.close()
    stream = rig.stream()
    assert stream.turn() > 0
    assert "Refused" in stream.position.fault
    with collecting() as other:
        rig.collector = other
        drain(rig.stream())
        assert rig.decisions() == 4


def test_the_next_process_goes_on_where_the_last_one_was(rig: Rig) -> None:
    rig.add(3)
    drain(rig.stream())
    requests = len(rig.collector.requests)
    rig.add(2)
    stream = rig.stream()
    drain(stream)
    assert len(rig.collector.requests) == requests + 1
    assert rig.decisions() == stream.position.sent == 5


def test_what_retention_removed_before_is_counted_and_told(rig: Rig) -> None:
    stream = rig.stream()
    drain(stream)
    rig.collector.mode = "refusing"
    rig.add(6, at=1_000)
    rig.add(3, at=9_000)
    stream.turn()
    assert rig.ledger.prune(5_000) == 6
    rig.collector.mode = "good"
    drain(stream)
    assert (rig.decisions(), stream.position.sent, stream.position.lost) == (3, 3, 6)
    assert ("telemetry lost", "retention removed 6 events before they were sent to col/traces") in (
        rig.notes
    )


def test_a_request_that_is_too_large_is_sent_in_halves(rig: Rig) -> None:
    rig.add(16)
    rig.collector.mode, rig.collector.most = "too large", 9_000
    stream = rig.stream()
    drain(stream)
    assert (rig.decisions(), stream.position.rejected) == (16, 0)
    assert len(rig.collector.requests) > 1


def test_one_event_that_is_never_taken_does_not_stop_the_others(rig: Rig) -> None:
    rig.add(3)
    rig.ledger.append([record("big", runs=(run(reason="x" * 8000),))])
    rig.add(3)
    rig.collector.mode, rig.collector.most = "too large", 9_000
    stream = rig.stream()
    drain(stream)
    assert (rig.decisions(), stream.position.sent, stream.position.rejected) == (6, 6, 1)
    assert "telemetry rejected" in [kind for kind, _ in rig.notes]


def test_a_collector_that_takes_nothing_at_all_does_not_eat_the_record(rig: Rig) -> None:
    rig.add(30)
    rig.collector.mode, rig.collector.most = "too large", 10
    stream = rig.stream()
    drain(stream)
    assert (stream.position.sent, stream.position.rejected) == (0, 10)
    assert "takes none of 10 events" in stream.position.fault
    rig.collector.mode = "good"
    drain(stream)
    assert rig.decisions() == 20


def test_large_payloads_make_small_batches(rig: Rig) -> None:
    body = b'{"x": "' + b"y" * (3 * 1024 * 1024) + b'"}'
    rig.ledger.append([record(f"c{n}", payload=body) for n in range(5)])
    with opened(rig.folder / "ledger.db") as connection:
        batch = follow.Follower(payloads=True).read(connection, -1)
        rest = follow.Follower(payloads=True).read(connection, batch.last)
    assert (batch.events, rest.events) == (3, 2)


def test_what_the_collector_rejects_is_counted(rig: Rig) -> None:
    rig.add(2)
    rig.collector.mode = "partial"
    stream = rig.stream()
    drain(stream)
    assert stream.position.rejected == 1
    assert "one is odd" in rig.notes[0][1]


def test_another_ledger_in_its_place_is_sent_from_its_beginning(rig: Rig, tmp_path: Path) -> None:
    rig.add(3)
    drain(rig.stream())
    rig.ledger.close()
    for file in tmp_path.glob("ledger.db*"):
        file.unlink()
    rig.ledger = Ledger.open(tmp_path / "ledger.db")
    rig.add(9, session="other")
    stream = rig.stream()
    drain(stream)
    assert rig.decisions() == 12
    assert "telemetry ledger changed" in [kind for kind, _ in rig.notes]


def test_runs_that_end_after_the_answer_arrive_too(rig: Rig) -> None:
    rig.add(1)
    stream = rig.stream()
    drain(stream)
    rig.ledger.append_runs(1, 5, [run("late")])
    drain(stream)
    (late,) = rig.collector.spans("pointsman.hook late").values()
    (decision,) = rig.collector.spans("pointsman.decision").values()
    assert late["parentSpanId"] == decision["spanId"]
    assert stream.position.sent == 1


def test_a_call_has_the_time_that_it_took_also_after_a_new_start(rig: Rig) -> None:
    rig.ledger.append([record("c1", at=1_000), record("c2", at=2_000)])
    drain(rig.stream())
    rig.ledger.append([record("c1", guard=False, at=5_000)])
    drain(rig.stream())
    (call,) = rig.collector.spans("execute_tool").values()
    assert (call["startTimeUnixNano"], call["endTimeUnixNano"]) == ("1000", "5000")


def test_a_new_sink_begins_with_what_is_not_too_old(rig: Rig) -> None:
    import time

    rig.add(3, at=1_000)
    rig.add(2, at=time.time_ns())
    stream = rig.stream()
    object.__setattr__(stream._world, "backfill_s", 60.0)
    drain(stream)
    assert rig.decisions() == 2


def test_messages_of_models_arrive_once_as_spans(rig: Rig) -> None:
    add(rig.ledger, *MESSAGES[:3])  # They are not whole.
    whole = [replace(each, final=True) for each in MESSAGES[:7]]
    add(rig.ledger, *whole[:5])
    stream = rig.stream(most=2, signal="chats")
    drain(stream)
    add(rig.ledger, *whole)
    drain(rig.stream(signal="chats"))
    assert len(rig.collector.spans("chat ")) == len(whole)
    assert stream.position.lost == 0
