"""What a client could not deliver."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.model.errors import LedgerError
from pointsman.store.spool import discard, done, read_spool, waiting


def frame(reason: bytes = b"why", header: bytes = b"host\th\n", body: bytes = b"{}") -> bytes:
    prefix = struct.pack(">4sII", b"PMQ1", len(header), len(body))
    return b"PMF1\t" + reason + b"\n" + prefix + header + body


def test_oldest_first(tmp_path: Path) -> None:
    for name in ("9-1", "100-7", "20-3", "odd"):
        (tmp_path / f"{name}.frame").write_bytes(frame(name.encode()))
    assert [one.reason for one in read_spool(tmp_path)] == ["odd", "9-1", "20-3", "100-7"]


def test_a_frame(tmp_path: Path) -> None:
    (tmp_path / "1-1.frame").write_bytes(frame(b"no daemon \xff", b"host\th\n", b"\0\n\xff"))
    (one,) = read_spool(tmp_path)
    assert (one.reason, one.header, one.body) == ("no daemon \ufffd", b"host\th\n", b"\0\n\xff")
    assert not one.broken
    done(one)
    done(one)
    assert waiting(tmp_path) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "begins with"),
        (b"PMF1\twhy\n", "begins with"),
        (b"PMF2\twhy\n" + frame()[9:], "begins with"),
        (frame()[:-1], "announced"),
        (frame() + b"x", "announced"),
    ],
)
def test_broken_ones_are_moved_aside(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "1-1.frame").write_bytes(data)
    (one,) = read_spool(tmp_path)
    assert why in one.broken
    assert discard(one).read_bytes() == data
    assert waiting(tmp_path) == []


def test_too_large_a_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "1-1.frame").open("wb") as file:
        file.truncate(9 * 1024 * 1024)
    (one,) = read_spool(tmp_path)
    assert "larger than" in one.broken


def test_a_broken_file_that_cannot_be_moved(tmp_path: Path) -> None:
    (tmp_path / "1-1.frame").write_bytes(b"")
    (tmp_path / "broken").write_bytes(b"in the way")
    (one,) = read_spool(tmp_path)
    with pytest.raises(LedgerError, match="cannot be moved aside"):
        discard(one)


def test_a_file_that_is_no_file_is_told_not_raised(tmp_path: Path) -> None:
    (tmp_path / "1-1.frame").mkdir()
    (one,) = read_spool(tmp_path)
    assert "directory" in one.broken
    with pytest.raises(LedgerError, match="cannot be removed"):
        done(one)


@pytest.mark.parametrize(("age", "found"), [(0, 0), (3600, 1)])
def test_what_a_killed_client_left_half_named(tmp_path: Path, age: int, found: int) -> None:
    file = tmp_path / ".1-1.tmp"
    file.write_bytes(frame())
    then = file.stat().st_mtime - age
    os.utime(file, (then, then))
    assert [one.reason for one in read_spool(tmp_path)] == ["why"] * found


def test_no_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert waiting(tmp_path / "gone") == []
    (tmp_path / "file").write_text("")
    assert waiting(tmp_path / "file") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60))
def test_any_bytes_are_read_or_broken(tmp_path: Path, noise: bytes, keep: int) -> None:
    file = tmp_path / "1-1.frame"
    data = frame()[:keep] + noise
    file.write_bytes(data)
    (one,) = read_spool(tmp_path)
    assert one.broken or data.endswith(one.header + one.body)
