"""Modules are run from the bytes that were hashed, and from nothing else."""

import importlib
import importlib.util
import os
import py_compile
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pointsman.paths.content import digest
from pointsman.workers.verified import Verified

Load = Callable[[], Verified]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Put a loader for what is in the folder now in charge, for this test."""
    before, modules = list(sys.meta_path), set(sys.modules)

    def install() -> Verified:
        sources = {str(path): digest(str(path)) for path in tmp_path.rglob("*.py")}
        loader = Verified(str(tmp_path), sources)
        sys.meta_path.insert(0, loader)
        return loader

    yield install
    sys.meta_path[:] = before
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_helpers_packages_and_folders(tmp_path: Path, load: Load) -> None:
    write(tmp_path, "_helper.py", "WORD = 'helper'")
    write(tmp_path, "_pack/__init__.py", "from _pack.inner import WORD")
    write(tmp_path, "_pack/inner.py", "WORD = 'package'")
    write(tmp_path, "_folder/deep/module.py", "WORD = 'folder'")
    file = write(
        tmp_path,
        "check.py",
        "import _helper, _pack, _folder.deep.module as m\n"
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Data:\n    word: 'str' = 'data'\n"
        "WORDS = [_helper.WORD, _pack.WORD, m.WORD, Data().word, __file__]\n",
    )
    assert ["helper", "package", "folder", "data", file] == load().main(file).WORDS


def test_a_hook_file_does_not_hide_the_standard_library(tmp_path: Path, load: Load) -> None:
    write(tmp_path, "colorsys.py", "raise RuntimeError('taken for the standard one')")
    load()
    assert "hls_to_rgb" in dir(importlib.import_module("colorsys"))


def test_a_file_that_came_later_is_not_there(tmp_path: Path, load: Load) -> None:
    file = write(tmp_path, "check.py", "import _later_one")
    loader = load()
    write(tmp_path, "_later_one.py", "")
    with pytest.raises(ModuleNotFoundError):
        loader.main(file)
    with pytest.raises(ImportError, match="is not what was trusted"):
        loader.main(write(tmp_path, "other.py", ""))


def test_byte_code_that_was_planted_does_not_run(tmp_path: Path, load: Load) -> None:
    """The ordinary loader runs a cache whose stamp matches, whatever the source says."""
    file = write(tmp_path, "check.py", "WORD = 'sound'")
    evil = write(tmp_path / "evil", "check.py", "WORD = 'evil!'")
    stamp = Path(file).stat()
    os.utime(evil, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    py_compile.compile(evil, cfile=importlib.util.cache_from_source(file), doraise=True)
    assert load().main(file).WORD == "sound"


def test_one_that_fails_leaves_nothing_half_done(tmp_path: Path, load: Load) -> None:
    file = write(tmp_path, "check.py", "raise RuntimeError('no')")
    with pytest.raises(RuntimeError):
        load().main(file)
    assert "pointsman_hook_check" not in sys.modules
