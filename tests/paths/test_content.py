"""No file hangs or fills its reader."""

import hashlib
import os
from pathlib import Path

import pytest

from pointsman.paths.content import digest, read_regular


def test_the_bytes_and_their_hash(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\0\xff" * 10)
    assert read_regular(str(path), 20) == b"\0\xff" * 10
    assert digest(str(path)) == hashlib.sha256(b"\0\xff" * 10).hexdigest()


def test_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(str(tmp_path / "link"), 1) == b"x"


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "loop"):
        with pytest.raises(OSError, match=r"regular|directory|symbolic"):
            read_regular(str(name), 10)


def test_more_than_is_wanted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_regular(str(path), 4)
    with pytest.raises(OSError, match="larger than 4 bytes"):
        digest(str(path), 4)
