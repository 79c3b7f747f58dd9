"""The index follows its tree: what changed is read again, and what that touches is linked anew."""

import os
import subprocess
from pathlib import Path

import pytest

from code_room.world import World
from pointsman.code import build, languages
from pointsman.code.build import Builder
from pointsman.code.facts import Facts
from pointsman.code.ground import stem_of_path
from pointsman.code.index_file import IndexProblem, open_to_read
from pointsman.code.languages import MOST_BYTES

FILES = {
    "a.ts": "export const a = 1\n",
    "b.ts": "import { a } from './a'\nimport { c } from './c'\n",
}


def test_only_what_has_changed_is_read(tmp_path: Path) -> None:
    world = World(tmp_path, FILES)
    assert (world.build().read, world.build().read) == (2, 0)
    world.write({"b.ts": "import { a as z } from './a'\n"})
    again = world.build()
    assert (again.read, again.linked) == (1, 1)
    assert world.users("a.ts") == {"b.ts": {"a": 1}}


def test_a_new_file_is_found_by_who_waited_for_it_and_lost_again(tmp_path: Path) -> None:
    world = World(tmp_path, {**FILES, "far.ts": "export {}\n"})
    world.build()
    world.write({"c.ts": "export const c = 1\n"})
    done = world.update("c.ts")
    assert (done.read, done.linked) == (1, 2)
    assert world.users("c.ts") == {"b.ts": {"c": 2}}
    (world.root / "c.ts").unlink()
    world.update("c.ts")
    assert world.users("c.ts") == {}
    assert world.target("b.ts", "./c") is None


def test_settings_that_move_modules_link_everything_anew(tmp_path: Path) -> None:
    world = World(tmp_path, {**FILES, "d.ts": "import { a } from '@x/a'\n"})
    world.build()
    assert "d.ts" not in world.users("a.ts")
    world.write({"tsconfig.json": '{"compilerOptions": {"paths": {"@x/*": ["./*"]}}}'})
    world.build()
    assert world.users("a.ts")["d.ts"] == {"a": 1}


def test_ignored_large_and_linked_files_are_left_out(tmp_path: Path) -> None:
    world = World(tmp_path, {**FILES, "gen/x.ts": "import { a } from '../a'\n"})
    subprocess.run(["git", "init", "-q", str(world.root)], check=True)
    world.write({".gitignore": "gen/\n", "large.ts": "x" * (MOST_BYTES + 1)})
    (world.root / "link.ts").symlink_to(world.root / "a.ts")
    assert world.build().files == 2


def test_without_git_what_others_make_is_left_out(tmp_path: Path) -> None:
    world = World(tmp_path, {**FILES, "node_modules/x/i.ts": "", "dist/x.ts": "", "s/x.py": ""})
    assert world.build().files == 3


def test_git_runs_nothing_that_the_repository_names(tmp_path: Path) -> None:
    world = World(tmp_path, FILES)
    subprocess.run(["git", "init", "-q", str(world.root)], check=True)
    ran = tmp_path / "ran"
    program = world.root / "monitor"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    config = ["git", "-C", str(world.root), "config", "core.fsmonitor", str(program)]
    subprocess.run(config, check=True)
    assert world.build().files == 2
    assert not ran.exists()


def test_worktrees_share_what_is_read_and_not_what_is_linked(tmp_path: Path) -> None:
    world = World(tmp_path, FILES)
    world.build()
    other = World(tmp_path / "other", {**FILES, "c.ts": "export const c = 1\n"})
    other.index = world.index
    read: list[str] = []
    real = languages.read

    def counted(path: str, data: bytes) -> Facts:
        read.append(path)
        return real(path, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "read", counted)
        other.build()
    assert read == ["c.ts"]
    assert other.users("c.ts") == {"b.ts": {"c": 2}}
    assert world.users("c.ts") == {}


def test_trees_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    world = World(tmp_path, FILES)
    world.build()
    world.root.rename(tmp_path / "moved")
    world.root = tmp_path / "moved"
    world.build()
    connection = open_to_read(world.index)
    assert connection is not None
    roots = connection.execute("SELECT root FROM tree").fetchall()
    connection.close()
    assert roots == [(str(world.root),)]


def test_another_version_and_a_broken_index_are_built_anew(tmp_path: Path) -> None:
    world = World(tmp_path, FILES)
    world.index.parent.mkdir(parents=True)
    for made in (b"this is no database" * 100, b""):
        world.index.write_bytes(made)
        assert world.view().built is False
        assert world.build().read == 2
        assert oct(world.index.stat().st_mode & 0o777) == "0o600"


def test_where_no_index_can_be_made_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "code").write_text("in the way")
    with pytest.raises(IndexProblem, match="cannot be written") as raised:
        Builder(tmp_path / "code" / "x.db", str(tmp_path))
    assert raised.value.fix


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a/b.ts", "b"), ("a/b.d.ts", "b"), ("a/index.ts", "a"), ("p/__init__.py", "p"),
     ("x/mod.rs", "x"), ("pkg/file.go", "pkg")],
)  # fmt: skip
def test_the_stem_of_a_path(path: str, stem: str) -> None:
    assert stem_of_path(path) == stem


def test_a_file_that_the_index_does_not_have_as_it_is_is_read_on_the_spot(tmp_path: Path) -> None:
    world = World(tmp_path, FILES)
    assert world.find("a.ts", "a") == [("a.ts", 1, "export const a = 1")]
    assert world.target("b.ts", "./a") == "a.ts"
    world.build()
    world.write({"a.ts": "\nexport const a = 2\n"})
    assert world.find("a.ts", "a") == [("a.ts", 2, "export const a = 2")]
    os.utime(world.root / "a.ts", ns=(1, 1))
    assert world.find("a.ts", "a") == [("a.ts", 2, "export const a = 2")]
