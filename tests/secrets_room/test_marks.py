import re
from pathlib import Path

from pointsman.secrets.marks import Marks


def test_a_mark_names_the_kind_and_tells_two_values_apart(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "secrets.key")
    one, two = marks.of("first value", "github-pat"), marks.of("second value", "github-pat")
    assert re.fullmatch(r"\[redacted:github-pat:[0-9a-f]{8}\]", one)
    assert one == marks.of("first value", "github-pat") != two


def test_a_kind_is_written_so_that_it_ends_no_mark(tmp_path: Path) -> None:
    assert Marks(tmp_path / "k").of("v", "A kind]:x").startswith("[redacted:a-kind-x:")


def test_two_with_one_key_agree_and_the_key_is_made_once(tmp_path: Path) -> None:
    key = tmp_path / "secrets.key"
    first = Marks(key).of("v", "k")
    made = key.read_bytes()
    assert Marks(key).of("v", "k") == first
    assert key.read_bytes() == made
    assert [file.name for file in tmp_path.iterdir()] == ["secrets.key"]


def test_without_a_place_for_the_key_the_value_is_covered_all_the_same(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "no-such-folder/secrets.key")
    assert marks.of("v", "k").startswith("[redacted:k:")
    assert marks.of("v", "k") == marks.of("v", "k")
    assert Marks(tmp_path / "no-such-folder/secrets.key").of("v", "k") != marks.of("v", "k")


def test_what_no_file_can_hold_has_a_mark(tmp_path: Path) -> None:
    assert Marks(tmp_path / "k").of("lone \ud83d", "k").startswith("[redacted:k:")
