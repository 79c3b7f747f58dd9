import hashlib
from pathlib import Path

import pytest

from pointsman.proof import blobs
from pointsman.proof.blobs import Blobs


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put(store: Blobs, data: bytes) -> bool:
    return store.put(digest(data), data)


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Blobs(tmp_path / "p/blobs.db")
    assert put(store, b"one")
    assert put(store, b"one")
    assert (store.get(digest(b"one")), store.total) == (b"one", 3)
    store.close()
    again = Blobs(tmp_path / "p/blobs.db")
    assert digest(b"one") in again
    assert again.get(digest(b"one")) == b"one"
    assert again.get(digest(b"two")) is None
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "p/blobs.db").stat().st_mode & 0o777 == 0o600
    again.close()


def test_caps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "MOST_FILE", 4)
    store = Blobs(tmp_path / "blobs.db", most=6)
    assert not put(store, b"12345")
    assert put(store, b"1234")
    assert not put(store, b"123")
    assert put(store, b"12")
    store.close()


def test_many_are_written_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "_BATCH", 10)
    store = Blobs(tmp_path / "blobs.db")
    for number in range(20):
        put(store, f"{number:04}".encode())
    assert len(store._waiting) < 4
    assert all(store.get(digest(f"{number:04}".encode())) for number in range(20))
    store.close()


def test_only_what_nobody_needs_is_dropped(tmp_path: Path) -> None:
    now = [10]
    store = Blobs(tmp_path / "blobs.db", clock=lambda: now[0])
    put(store, b"old")
    put(store, b"needed")
    store.flush()
    now[0] = 100
    put(store, b"new")
    assert store.collect([digest(b"needed")], before_ns=50) == 1
    held = [digest(each) in store for each in (b"old", b"needed", b"new")]
    assert held == [False, True, True]
    assert store.total == 9
    store.close()


def test_a_content_that_is_not_what_it_was_is_none(tmp_path: Path) -> None:
    store = Blobs(tmp_path / "blobs.db")
    put(store, b"one")
    store.flush()
    store._database.execute("UPDATE blobs SET data = x'00'")
    assert store.get(digest(b"one")) is None
    store.close()


def test_a_broken_file_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "blobs.db").write_bytes(b"no database, but long enough to be one" * 100)
    store = Blobs(tmp_path / "blobs.db")
    assert put(store, b"one")
    store.close()
    assert list(tmp_path.glob("blobs.db.broken-*"))
