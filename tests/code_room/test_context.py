"""The whole way: a file is about to change, its listener is told, servers add to it or do not."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from code_room.world import World
from pointsman.code.context import CodeContext
from pointsman.code.indexing import Indexing
from pointsman.model.bundle import Bundle, Change, Failure, Kind
from pointsman.model.code import Ask, Declaration, Declared, Place, Source, Use, Used

FILES = {
    "package.json": "{}",
    "src/a.ts": "export interface A { x: number }\nexport const make = () => null\n",
    "src/b.ts": "import { A, make } from './a'\nexport function b(): A { return make() }\n",
    "src/b.test.ts": "import { b } from './b'\nb()\n",
}


class Servers:
    """Answers as it is told to."""

    def __init__(self, declared: Declared | None = None, used: Used | None = None) -> None:
        self.seen_languages: list[tuple[str, str]] = []
        self.asked: list[Sequence[Ask]] = []
        self._declared = declared or Declared(problem="tsc is not there yet")
        self._used = used or Used(problem="tsc is not there yet")

    def seen(self, root: str, language: str) -> None:
        self.seen_languages.append((root, language))

    async def declarations(
        self, root: str, path: str, asks: Sequence[Ask], seconds: float
    ) -> Declared:
        self.asked.append(asks)
        return self._declared

    async def uses(self, root: str, path: str, asks: Sequence[Ask], seconds: float) -> Used:
        self.asked.append(asks)
        return self._used


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, FILES)


def context(world: World, tmp_path: Path, servers: Servers | None = None) -> CodeContext:
    """Return a context on an index that is built, and is not looked at again."""
    made = CodeContext(tmp_path / "state", _failures, servers, background=False)
    world.index = made.indexing.index_of(str(world.root))
    world.build()
    return made


def _failures(path: str, most: int) -> list[Failure]:
    failed = Failure(1_700_000_000_000_000_000, "Edit failed", "String to\nreplace not found", 7)
    return [failed][:most] if path.endswith("/src/b.ts") else []


def tell(made: CodeContext, world: World, path: str, written: str = "", **more: bool) -> Bundle:
    change = Change(str(world.root), path, written, **more)
    return asyncio.run(made.tell("s/", change, 0.4, 600))


def test_everything_by_the_index_alone(world: World, tmp_path: Path) -> None:
    bundle = tell(context(world, tmp_path), world, "src/b.ts", "make()")
    assert bundle.text == (
        "What src/b.ts hangs on, as it is now:\n"
        "Declarations of what it uses: [syntax]\n"
        "src/a.ts:2 export const make = () =>\n"
        "src/a.ts:1 export interface A\n  x: number\n"
        "Used by 1 file, 1 of them tests: [syntax]\n"
        "src/b.test.ts:1 b (test)\n"
        "Imports: [syntax]\n"
        "./a → src/a.ts: A, make\n"
        "Went wrong with this file before: [syntax]\n"
        "2023-11-14 22:13 Edit failed: String to replace not found"
    )


def test_once_and_then_only_what_is_new(world: World, tmp_path: Path) -> None:
    made = context(world, tmp_path)
    assert tell(made, world, "src/b.ts").text
    assert tell(made, world, "src/b.ts").text == ""
    world.write({"src/a.ts": "export interface A { x: string }\nexport const make = () => null\n"})
    again = tell(made, world, "src/b.ts").text
    assert again.splitlines()[0] == "What src/b.ts hangs on, new since that was said:"
    assert "make" not in again
    made.forget("s")
    assert "make" in tell(made, world, "src/b.ts").text


def test_what_was_refused_is_told_again(world: World, tmp_path: Path) -> None:
    made = context(world, tmp_path)
    first = tell(made, world, "src/b.ts").text
    made.taken_back("s/", Change(str(world.root), "src/b.ts"))
    assert tell(made, world, "src/b.ts").text == first


def test_a_file_that_is_about_to_be_made_is_told_by_what_will_be_in_it(
    world: World, tmp_path: Path
) -> None:
    made = context(world, tmp_path)
    written = "import { make } from './a'\nmake()\n"
    assert "src/a.ts:2 export const make" in tell(made, world, "src/n.ts", written, whole=True).text
    assert tell(made, world, "src/other.ts").text == ""


def test_servers_add_what_they_know(world: World, tmp_path: Path) -> None:
    typed = Declaration("make", "const", Place("src/a.ts", 2), "const make: () => null")
    servers = Servers(
        Declared((typed,), server="tsc"), Used((Use("b", Place("x.ts", 3)),), server="tsc")
    )
    bundle = tell(context(world, tmp_path, servers), world, "src/b.ts")
    sections = {each.kind: each for each in bundle.sections}
    assert sections[Kind.DECLARATIONS].source is Source.LSP
    assert "src/a.ts:2 const make: () => null" in bundle.text
    assert sections[Kind.DEPENDENTS].source is Source.LSP
    assert sections[Kind.DEPENDENTS].paths == ("x.ts",)
    assert sections[Kind.IMPORTS].source is Source.SYNTAX
    assert servers.seen_languages == [(str(world.root), "typescript")]
    assert list(servers.asked[0]) == [
        Ask("A", Place("src/b.ts", 1, 9)), Ask("make", Place("src/b.ts", 1, 12))
    ] or set(servers.asked[0]) == {
        Ask("A", Place("src/b.ts", 1, 9)), Ask("make", Place("src/b.ts", 1, 12))
    }  # fmt: skip
    assert servers.asked[1] == [Ask("b", Place("src/b.ts", 2, 16))]


def test_a_server_that_has_no_answer_takes_nothing_away(world: World, tmp_path: Path) -> None:
    made = context(world, tmp_path, Servers())
    bundle = tell(made, world, "src/b.ts")
    assert {each.source for each in bundle.sections} == {Source.SYNTAX}
    assert bundle.text == tell(context(world, tmp_path), world, "src/b.ts").text
    assert bundle.notes == ("tsc is not there yet",)


def test_a_server_that_is_behind_is_said_to_be(world: World, tmp_path: Path) -> None:
    typed = Declaration("make", "const", Place("src/a.ts", 2), "const make: () => null")
    made = context(world, tmp_path, Servers(Declared((typed,), stale=True, server="tsc")))
    assert "[lsp, stale]" in tell(made, world, "src/b.ts").text


def test_without_an_index_files_are_read_on_the_spot(world: World, tmp_path: Path) -> None:
    made = CodeContext(tmp_path / "state", background=False)
    bundle = tell(made, world, "src/b.ts")
    assert "src/a.ts:2 export const make" in bundle.text
    assert bundle.notes == ("the index is still being built: who uses this file is not known",)


def test_the_index_is_built_beside_and_follows(world: World, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    seen: list[tuple[str, str]] = []
    indexing = Indexing(state, seen=lambda root, language: seen.append((root, language)))
    root = str(world.root)
    try:
        indexing.changed(root, ["src/a.ts"])
        assert not indexing.has(root)
        indexing.look(root)
        assert indexing.done.wait(60)
        world.index = indexing.index_of(root)
        assert world.users("src/a.ts") == {"src/b.ts": {"A": 1, "make": 1}}
        assert seen == [(root, "typescript")]
        indexing.done.clear()
        world.write({"src/c.ts": "import { A } from './a'\n"})
        indexing.changed(root, ["src/c.ts"])
        assert indexing.done.wait(60)
        assert world.users("src/a.ts")["src/c.ts"] == {"A": 1}
    finally:
        indexing.close()


def test_a_process_that_ends_is_said_once_and_followed_by_another(
    world: World, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    said: list[tuple[str, str]] = []
    now = [0.0]
    indexing = Indexing(state, lambda *words: said.append(words), clock=lambda: now[0])
    try:
        indexing.look(str(world.root))
        child = indexing._child
        assert child is not None
        child.kill()
        child.wait(30)
        for _ in range(600):
            if said:
                break
            indexing.done.wait(0.05)
        assert said == [("index failed", "its process ended with -9")]
        indexing.look(str(world.root))
        assert not indexing.has(str(world.root))
        now[0] = 100.0
        indexing.done.clear()
        indexing.look(str(world.root))
        assert indexing.done.wait(60)
    finally:
        indexing.close()
    assert said == [("index failed", "its process ended with -9")]
