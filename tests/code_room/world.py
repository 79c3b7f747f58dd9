"""Trees of code on the disk, their index, and what is gathered of a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pointsman.code.build import Builder, Built
from pointsman.code.gather import Gathered, gather
from pointsman.code.users import users_of
from pointsman.code.view import Found, View
from pointsman.model.bundle import Change, Failure, Item, Kind, Section


class World:
    """A tree with its index."""

    def __init__(self, base: Path, files: Mapping[str, str]) -> None:
        self.root = base / "tree"
        self.index = base / "code" / "index.db"
        self.root.mkdir(parents=True)
        self.write(files)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def build(self) -> Built:
        builder = Builder(self.index, str(self.root))
        try:
            return builder.refresh()
        finally:
            builder.close()

    def update(self, *paths: str) -> Built:
        builder = Builder(self.index, str(self.root))
        try:
            return builder.update(paths)
        finally:
            builder.close()

    def view(self) -> View:
        return View(self.index, str(self.root))

    def find(self, path: str, name: str) -> list[tuple[str, int, str]]:
        view = self.view()
        try:
            return [_placed(each) for each in view.find(path, name)]
        finally:
            view.close()

    def target(self, path: str, module: str) -> str | None:
        view = self.view()
        try:
            return view.target(path, module)
        finally:
            view.close()

    def users(self, path: str) -> dict[str, dict[str, int]]:
        view = self.view()
        try:
            return users_of(view, path, [each.name for each in view.exports(path)])
        finally:
            view.close()

    def gathered(
        self, path: str, written: str = "", failures: Sequence[Failure] = (), *, whole: bool = False
    ) -> Gathered:
        view = self.view()
        try:
            file = self.root / path
            text = file.read_text() if file.exists() else ""
            change = Change(str(self.root), path, written, whole)
            return gather(view, change, text, failures)
        finally:
            view.close()

    def section(self, path: str, kind: Kind, written: str = "") -> Section | None:
        found = [each for each in self.gathered(path, written).sections if each.kind is kind]
        return found[0] if found else None

    def told(self, path: str, kind: Kind, written: str = "") -> list[tuple[str, str, int]]:
        section = self.section(path, kind, written)
        return [_item(each) for each in section.items] if section else []


def _placed(found: Found) -> tuple[str, int, str]:
    if found.declared is None:
        return (found.path, 0, "")
    return (found.path, found.declared.line, found.declared.text)


def _item(item: Item) -> tuple[str, str, int]:
    return (item.name, item.path, item.line)
