"""Messages of a host: taken once, bounded, added up; whatever else comes is refused."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.relay.receiving import Receiving
from pointsman.store.host_telemetry import HostTelemetry, told
from telemetry.claude_logs import logs, record, session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "telemetry.db"


@pytest.fixture
def receiving(file: Path) -> Iterator[Receiving]:
    made = Receiving(file)
    yield made
    made.close()


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def test_it_is_added_up_and_each_message_counts_once(receiving: Receiving, file: Path) -> None:
    assert receiving.take("logs", body(session()), "") == (200, "{}")
    assert receiving.take("logs", body(session()), "") == (200, "{}")  # Sent again: no answer came.
    later = gzip.compress(body(logs(record("tool_result", tool_use_id="t2", success="false"))))
    assert receiving.take("logs", later, "gzip")[0] == 200
    found = told(file, 0)["s1"]
    assert (found.counts["tool_results"], found.counts["tool_failures"]) == (2, 1)
    assert {call.id: call.ended for call in found.calls} == {"t1": True, "t2": True}


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"\x00\xff", ""),
        (b"{", ""),
        (b"[" * 100_000, ""),
        (b"no gzip", "gzip"),
        (gzip.compress(b"x", mtime=0)[:-4], "gzip"),
        (gzip.compress(b" " * (Receiving.MOST_UNPACKED + 1)), "gzip"),
        (b"{}", "br"),
    ],
)
def test_what_cannot_be_read_is_refused(receiving: Receiving, data: bytes, encoding: str) -> None:
    assert receiving.take("logs", data, encoding)[0] == 400


def test_what_is_old_or_too_much_is_forgotten(file: Path, receiving: Receiving) -> None:
    receiving.take("logs", body(session()), "")
    store = HostTelemetry.open(file)
    store.prune(0, most=1)
    assert len(told(file, 0)["s1"].calls) <= 2
    store.prune(2**62)
    assert told(file, 0) == {}
    store.close()


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    from pointsman.model.errors import LedgerError

    odd = tmp_path / "odd.db"
    odd.write_bytes(b"no database at all" * 100)
    with pytest.raises(LedgerError, match=r"odd\.db"):
        told(odd, 0)
    with pytest.raises(LedgerError, match=r"odd\.db"):
        HostTelemetry.open(odd)
    assert told(tmp_path / "none.db", 0) == {}
