"""An index that has followed its tree is the same as one that is built from what there is now."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from code_room.world import World
from pointsman.code.index_file import open_to_read

TEXTS = {
    "src/core/index.ts": ["export * from './money'\n", "export * as money from './money'\n"],
    "src/core/money.ts": ["export const add = 1\n", "\nexport class add {}\nexport let sub = 1\n"],
    "src/core/money/index.ts": ["export const add = 2\n"],
    "src/my.parts.ts": ["export const part = 1\n"],
    "src/app.ts": [
        "import { add, money } from './core'\nimport { part } from './my.parts'\nmoney.add\n",
        "import { add } from '@core'\nimport { sub } from 'core'\n",
        "import * as all from '@core/money'\nall.add\nexport { add } from '.'\n",
    ],
    "src/index.ts": ["export { add } from './core/money.js'\n"],
    "tsconfig.json": [
        ('{"compilerOptions": {"paths":'
        ' {"@core": ["./src/core/index.ts"], "@core/*": ["./src/core/*"]}}}'),
        '{"extends": "./tsconfig.base.json"}',
    ],
    "tsconfig.base.json": ['{"compilerOptions": {"baseUrl": "./src"}}', "{}"],
    "package.json": ['{"workspaces": ["src/*"]}'],
    "src/core/package.json": ['{"name": "core", "main": "./index.ts"}'],
    "py/app/__init__.py": ["", "from .deep import thing\n"],
    "py/app/deep.py": ["thing = 1\n", "def thing(): pass\n"],
    "py/app/deep/__init__.py": ["thing = 2\n"],
    "py/app/space/more.py": ["import app.deep\napp.deep.thing\n", "from . import other\n"],
    "py/app/space/other.py": ["from .. import deep\nfrom ..deep import *\nthing\n"],
    "py/use.py": ["import app.space\nfrom app import deep, thing\ndeep.thing\n", "import use\n"],
    "py/app/use.py": ["import deep\nfrom app.space import more\n"],
    "go/go.mod": ["module acme.dev/x\n", "module acme.dev/y\n"],
    "go/a/a.go": ["package a\n\nfunc A() {}\n"],
    "go/a/b/b.go": ["package b\n\nfunc B() {}\n"],
    "go/main.go": ['package main\n\nimport "acme.dev/x/a"\n\nfunc main() { a.A() }\n'],
    "rs/Cargo.toml": ['[package]\nname = "one"\n'],
    "rs/src/lib.rs": ["pub mod a;\nuse crate::a::b::B;\n"],
    "rs/src/a.rs": ["pub mod b;\n"],
    "rs/src/a/mod.rs": ["pub mod b;\nuse super::c;\n"],
    "rs/src/a/b.rs": ["pub struct B;\nuse super::super::a;\n"],
    "rs/src/main.rs": ["use one::a::b;\nuse crate::a::b::B;\n"],
}  # fmt: skip
_TABLES = {
    "file": "path, hash, size",
    "link": "user, module, target",
    "asked": "user, stem",
    "edge": "target, name, user, line, given, counts",
}
_CHANGES = st.sampled_from(sorted(TEXTS)).flatmap(
    lambda path: st.tuples(st.just(path), st.sampled_from([*TEXTS[path], None]))
)


def contents(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Return what the index of a world holds of its tree, in one order."""
    connection = open_to_read(world.index)
    assert connection is not None
    where = "WHERE tree = (SELECT id FROM tree WHERE root = ?)"
    try:
        found = {
            table: sorted(
                connection.execute(f"SELECT {what} FROM {table} {where}", (str(world.root),)),
                key=repr,
            )
            for table, what in _TABLES.items()
        }
        settings = "SELECT settings FROM tree WHERE root = ?"
        found["settings"] = connection.execute(settings, (str(world.root),)).fetchall()
        return found
    finally:
        connection.close()


def changed(world: World, path: str, text: str | None) -> None:
    """Make one change of the tree; directories that have become empty go."""
    file = world.root / path
    if text is not None:
        world.write({path: text})
    elif file.exists():
        file.unlink()
        while not any(file.parent.iterdir()):
            file = file.parent
            file.rmdir()


def followed(world: World, *, whole: bool, steps: list[list[tuple[str, str | None]]]) -> None:
    """Change the tree step by step, and see after each that the index is what it would be."""
    for step in steps:
        for path, text in step:
            changed(world, path, text)
        if whole:
            world.build()
        else:
            world.update(*(path for path, _ in step))
        assert contents(world) == afresh(world)


def afresh(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Return what an index holds that is built of the tree as it is."""
    index, world.index = world.index, world.index.with_name("afresh.db")
    try:
        world.build()
        return contents(world)
    finally:
        for each in world.index.parent.glob("afresh.db*"):
            each.unlink()
        world.index = index


@given(
    there=st.sets(st.sampled_from(sorted(TEXTS)), min_size=3),
    steps=st.lists(st.lists(_CHANGES, min_size=1, max_size=3), min_size=1, max_size=6),
    whole=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_an_index_that_followed_is_one_built_afresh(
    there: set[str], steps: list[list[tuple[str, str | None]]], *, whole: bool
) -> None:
    base = Path(tempfile.mkdtemp())
    try:
        # What always lies there keeps the root.
        world = World(base, {"keep.ts": "", **{path: TEXTS[path][0] for path in there}})
        world.build()
        followed(world, whole=whole, steps=steps)
    finally:
        shutil.rmtree(base)


@pytest.mark.parametrize("path", sorted(TEXTS))
def test_each_file_may_go_and_come_back(path: str, tmp_path: Path) -> None:
    world = World(tmp_path, {name: texts[0] for name, texts in TEXTS.items()})
    world.build()
    steps: list[list[tuple[str, str | None]]] = [[(path, None)]]
    steps += [[(path, text)] for text in TEXTS[path]]
    followed(world, whole=False, steps=steps)


def test_an_update_reads_and_links_what_has_changed_alone(tmp_path: Path) -> None:
    world = World(tmp_path, {name: texts[0] for name, texts in TEXTS.items()})
    world.build()
    world.write({"src/core/money.ts": "export const add = 3\n"})
    done = world.update("src/core/money.ts", "py/use.py", "../outside.ts", "read.me")
    assert (done.files, done.read, done.linked) == (2, 1, 1)
    assert done.languages == ("typescript",)


def test_a_first_build_that_was_broken_off_is_ended_by_the_next(tmp_path: Path) -> None:
    world = World(tmp_path, {name: texts[0] for name, texts in TEXTS.items()})

    class Off(Exception):
        """Somebody ends the process."""

    def end(*_given: object, **_named: object) -> None:
        raise Off

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pointsman.code.build.Builder._link", end)
        with pytest.raises(Off):
            world.build()
    world.build()
    assert contents(world) == afresh(world)
