import os
from pathlib import Path
from typing import Any

import pytest

from pointsman.proof import aside
from pointsman.proof.aside import Aside, TooLarge, open_aside


def kept(state: Path, text: bytes = b"evil", path: str = "d/f") -> Aside:
    made = open_aside(state, "session-one", "t1", {"root": "/r", "text": "echo"})
    source = state.parent / "source"
    source.write_bytes(text)
    descriptor = os.open(source, os.O_RDONLY)
    made.keep_file(path, descriptor, 0o755)
    os.close(descriptor)
    return made


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_what_is_kept_is_listed_with_what_it_is_of(state: Path) -> None:
    made = kept(state)
    made.keep_link("l", "target")
    made.note("gone", "deleted", 0)
    made.finish()
    (manifest,) = aside.listed(state)
    assert (manifest["id"], manifest["root"]) == ("session--t1", "/r")
    assert [item["path"] for item in manifest["items"]] == ["d/f", "l", "gone"]
    place = Path(manifest["items"][0]["kept"])
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"evil", 0o600)
    assert aside.directory_of(state).stat().st_mode & 0o077 == 0


def test_two_of_one_name_are_both_kept(state: Path) -> None:
    first, second = kept(state, b"1"), kept(state, b"2")
    first.finish()
    second.finish()
    texts = [Path(each["items"][0]["kept"]).read_bytes() for each in aside.listed(state)]
    assert texts == [b"1", b"2"]


def test_without_anything_kept_nothing_is_left(state: Path) -> None:
    made = kept(state)
    made.drop("d/f")
    made.finish()
    assert aside.listed(state) == []
    assert not made.directory.exists()


def test_names_that_lead_elsewhere_do_not(state: Path) -> None:
    made = open_aside(state, "../..", "../../../etc", {})
    assert made.directory.parent == aside.directory_of(state)


def test_more_than_is_kept(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "MOST_KEPT", 3)
    with pytest.raises(TooLarge):
        kept(state)


def test_a_manifest_that_cannot_be_read_is_listed_as_broken(state: Path) -> None:
    made = kept(state)
    made.finish()
    (made.directory / "manifest.json").write_text("{")
    (manifest,) = aside.listed(state)
    assert manifest["broken"]


def test_giving_back_writes_no_more_than_was_asked_for(state: Path, tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    made = open_aside(state, "s", "t", {"root": str(root)})
    made.keep_link("l", "target")
    made.keep_link("m", "target")
    made.finish()
    manifest: dict[str, Any] = aside.listed(state)[0]
    assert aside.give_back(manifest, ("l",)) == ["l"]
    assert sorted(each.name for each in root.iterdir()) == ["l"]
