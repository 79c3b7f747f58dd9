"""What has changed in a tree: as the kernel tells it, and as two looks show it."""

import asyncio
from pathlib import Path

import pytest

from pointsman.lsp import changes as module
from pointsman.lsp.changes import Changes
from pointsman.lsp.watches import Watches
from pointsman.model.errors import ServerError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve()
    (root / "src/deep").mkdir(parents=True)
    (root / "node_modules/x").mkdir(parents=True)
    for name in ("src/a.ts", "src/deep/b.tsx", "node_modules/x/c.ts", "tool.js", "notes.md"):
        (root / name).write_text("1", encoding="utf-8")
    return root


def change(root: Path) -> None:
    (root / "src/a.ts").write_text("other", encoding="utf-8")
    (root / "src/deep/b.tsx").unlink()
    (root / "new.ts").write_text("2", encoding="utf-8")
    (root / "tsconfig.json").write_text("{}", encoding="utf-8")
    (root / "notes.md").write_text("3", encoding="utf-8")
    (root / "node_modules/x/c.ts").write_text("4", encoding="utf-8")


EXPECTED = {("src/a.ts", 2), ("src/deep/b.tsx", 3), ("new.ts", 1), ("tsconfig.json", 1)}


def named(root: Path, told: list[dict[str, object]]) -> set[tuple[str, object]]:
    return {(str(each["uri"]).removeprefix(f"file://{root}/"), each["type"]) for each in told}


def test_the_kernel_tells(root: Path) -> None:
    async def go() -> None:
        changes = Changes(str(root), "typescript")
        await changes.look()
        assert changes.watched
        assert changes.first_file() == f"{root}/src/a.ts"
        assert changes.heard() == ([], False)
        change(root)
        assert changes.unseen(f"{root}/src/a.ts", (1, 1, 1))
        told, anew = changes.heard()
        assert (named(root, told), anew) == (EXPECTED, False)
        assert changes.heard() == ([], False)
        changes.close()
        assert not changes.watched

    asyncio.run(go())


def test_a_new_directory_is_looked_at_and_watched(root: Path) -> None:
    async def go() -> None:
        changes = Changes(str(root), "typescript")
        await changes.look()
        (root / "src/more").mkdir()
        (root / "src/more/d.ts").write_text("5", encoding="utf-8")
        assert changes.heard()[1] is True
        assert named(root, await changes.look()) == {("src/more/d.ts", 1)}
        (root / "src/more/d.ts").write_text("sixth", encoding="utf-8")
        assert named(root, changes.heard()[0]) == {("src/more/d.ts", 2)}
        (root / "src/more").rename(root / "src/moved")
        assert changes.heard()[1] is True
        assert named(root, await changes.look()) == {("src/more/d.ts", 3), ("src/moved/d.ts", 1)}
        (root / "src/moved/d.ts").unlink()
        assert named(root, changes.heard()[0]) == {("src/moved/d.ts", 3)}
        changes.close()

    asyncio.run(go())


def test_without_the_kernel_two_looks_tell(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: Watches) -> None:
        raise ServerError("no inotify")

    monkeypatch.setattr(Watches, "__init__", nothing)
    monkeypatch.setattr(module, "_AGAIN", 0.0)

    async def go() -> None:
        changes = Changes(str(root), "typescript")
        await changes.look()
        assert not changes.watched
        change(root)
        assert changes.heard() == ([], True)
        assert named(root, await changes.look()) == EXPECTED

    asyncio.run(go())


def test_no_more_files_than_are_looked_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_FILES", 1)

    async def go() -> None:
        changes = Changes(str(root), "typescript")
        await changes.look()
        assert changes.complete is False
        changes.close()

    asyncio.run(go())
