"""Columns in UTF-16 code units, names of files, texts that are read anew."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.lsp.texts import MOST_TEXT, Texts, to_index, to_path, to_units, to_uri
from pointsman.model.errors import ServerError


def test_a_character_beyond_the_first_plane_counts_twice() -> None:
    line = 'x = "é\U0001d4b3"; y'
    assert to_units(line, line.index("y")) == line.index("y") + 1
    assert to_index(line, line.index("y") + 1) == line.index("y")
    assert to_index(line, 10_000) == len(line)


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=50), st.integers(0, 50))
def test_there_and_back(line: str, index: int) -> None:
    index = min(index, len(line))
    assert to_index(line, to_units(line, index)) == index


@pytest.mark.parametrize("path", ["/a/b.ts", "/a b/c#d?.py", "/é/\U0001d4b3.go", "/100%/x.rs"])
def test_a_path_survives_as_a_name(path: str) -> None:
    assert to_path(to_uri(path)) == path


@pytest.mark.parametrize("uri", [None, 7, "", "http://a/b", "untitled:x", "file://host/a"])
def test_what_names_no_file_here_names_none(uri: object) -> None:
    assert to_path(uri) == ""


def test_a_text_is_read_anew_when_the_file_has_changed(tmp_path: Path) -> None:
    texts, file = Texts(), tmp_path / "a.ts"
    file.write_bytes("\ufeffone\r\ntwo\u2028still two\rthree".encode())
    first = texts.read(str(file))
    # A line separator of Unicode ends no line of the protocol; a mark at the start is no text.
    assert first.lines == ("one", "two\u2028still two", "three")
    assert texts.read(str(file)) is first
    file.write_text("other\n", encoding="utf-8")
    assert texts.read(str(file)).lines == ("other", "")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    texts = Texts()
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.py").write_bytes(b"x" * (MOST_TEXT + 1))
    (tmp_path / "folder.py").mkdir()
    for name in ("binary.py", "large.py", "folder.py", "none.py", "nul\0.py"):
        with pytest.raises(ServerError, match=name.partition("\0")[0]):
            texts.read(f"{tmp_path}/{name}")
