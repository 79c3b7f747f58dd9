"""The servers themselves, on small projects whose answers a person can read off."""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bench.figures import BenchError

from bench import code_bases
from pointsman.lsp.keeper import Keeper, Terms
from pointsman.model.code import Ask, Declared, Place, Used

REQUIRE = "POINTSMAN_REQUIRE_HOSTS"
PATIENT = 240.0
"""Seconds that a server has here: it is about what it says, on however busy a machine."""

TYPESCRIPT = {
    "tsconfig.json": '{"compilerOptions": {"strict": true, "module": "esnext", "target": "es2022",'
    ' "moduleResolution": "bundler", "types": []}, "include": ["src"]}',
    "src/shop.ts": """\
/** What is sold. */
export interface Item<T> extends Base {
  name: string;
  readonly of: { price: T };
  buy(count: number): Promise<void>;
}
export interface Base { id: number }
export function make(name: string, options?: { deep: boolean }) {
  return { name, options };
}
export class Store<T extends Base> {
  constructor(readonly label: string) {}
  get(id: number): T | undefined { return undefined; }
}
export const store = new Store<Item<string>>("x");
""",
    "src/index.ts": 'export * from "./shop";\nexport { Store as Shop } from "./shop";\n',
    "src/use.ts": """\
import { Shop, make, type Item } from "./index";
const word = "\U0001d4b3"; make(word); export const mine = new Shop<Item<string>>("y");
""",
}
PYTHON = {
    "shop/__init__.py": "from shop.items import Item as Item, make as make\n",
    "shop/items.py": '''\
class Base: ...


class Item(Base):
    """What is sold."""

    price: int = 3

    def __init__(self, name: str, *, tags: dict[str, int] | None = None) -> None:
        self.name = name

    @property
    def label(self) -> str:
        return self.name


def make(name: str, end: str = ":") -> Item:
    return Item(name)


BEST = make("best")
''',
    "use.py": """\
from shop import Item, make
from shop.items import BEST
word = "\U0001d4b3"; make(word)
def sell(item: Item) -> None: print(item, BEST)
""",
}


@dataclass(frozen=True)
class Real:
    """A server, the project it is asked about, and how it comes here."""

    name: str
    files: dict[str, str]
    use: str
    language: str
    programs: Callable[[], Path]


REAL = {
    "typescript-7": Real(
        "TypeScript 7", TYPESCRIPT, "src/use.ts", "typescript",
        lambda: code_bases.npm_programs(code_bases.TYPESCRIPT_7),
    ),
    "tsserver": Real(
        "typescript-language-server", TYPESCRIPT, "src/use.ts", "tsx",
        lambda: code_bases.npm_programs(code_bases.TSSERVER),
    ),
    "ty": Real("ty", PYTHON, "use.py", "python", code_bases.ty_programs),
    "pyright": Real(
        "pyright", PYTHON, "use.py", "python",
        lambda: code_bases.npm_programs(code_bases.PYRIGHT),
    ),
}  # fmt: skip


@pytest.fixture(params=sorted(REAL))
def real(request: pytest.FixtureRequest) -> Real:
    return REAL[request.param]


class Project:
    """A project with one real server for it."""

    def __init__(self, real: Real, folder: Path) -> None:
        self.real = real
        self.root = folder.resolve() / "project"
        for name, text in real.files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")
        try:
            programs = real.programs()
        except BenchError as error:
            self.missing(f"{real.name}: {error}")
        if programs.name == ".bin" and shutil.which("node") is None:
            self.missing("node is not installed")
        self.path = f"{programs}:{os.environ['PATH']}"

    @staticmethod
    def missing(why: str) -> None:
        if os.environ.get(REQUIRE) == "1":
            pytest.fail(f"{why} ({REQUIRE}=1)", pytrace=False)
        pytest.skip(why)

    def asked(self, work: Callable[[Keeper, str], Any]) -> Any:
        """Do some asking with a keeper that has come to life as the daemon's does."""
        failed: list[str] = []

        async def go() -> Any:
            keeper = Keeper(
                {"PATH": self.path, "HOME": os.environ["HOME"]},
                report=lambda _kind, text: failed.append(text),
                terms=lambda: Terms(memory=4 * 1024**3),
                own="/nowhere",
            )
            try:
                keeper.seen(str(self.root), self.real.language)
                return await work(keeper, str(self.root))
            finally:
                await keeper.close()

        result = asyncio.run(go())
        assert failed == []
        return result


@pytest.fixture
def project(real: Real, tmp_path: Path) -> Project:
    return Project(real, tmp_path)


def both(project: Project, declared: list[Ask], used: list[Ask]) -> tuple[Declared, Used]:
    async def work(keeper: Keeper, root: str) -> tuple[Declared, Used]:
        use = project.real.use
        one = await keeper.declarations(root, use, declared, PATIENT)
        other = await keeper.uses(root, use, used, PATIENT)
        return one, other

    found: tuple[Declared, Used] = project.asked(work)
    for answer in found:
        assert (answer.problem, answer.server) == ("", project.real.name)
        assert answer.stale is False
    return found


def at(used: Used, name: str) -> set[tuple[str, int, int]]:
    return {(u.place.path, u.place.line, u.place.column) for u in used.items if u.name == name}


def test_declarations_and_users(project: Project) -> None:
    (_typescript if project.real.files is TYPESCRIPT else _python)(project)


def _typescript(project: Project) -> None:
    use, shop = "src/use.ts", "src/shop.ts"
    # Behind a character of two UTF-16 units, so that a wrong column shows.
    asks = [
        Ask("Shop", Place(use, 1, 9)),
        Ask("make", Place(use, 2, 19)),
        Ask("Item", Place(use, 1)),
    ]
    own = [Ask("Store", Place(shop, 11)), Ask("make", Place(shop, 8, 16))]
    declared, used = both(project, asks, own)
    found = {each.name: each for each in declared.items}
    assert set(found) == {"Shop", "make", "Item"}
    item = found["Item"]
    assert (item.kind, item.text) == ("interface", "export interface Item<T> extends Base")
    assert item.place == Place(shop, 2, 17)
    assert item.members == (
        "name: string", "readonly of: { price: T }", "buy(count: number): Promise<void>",
    )  # fmt: skip
    assert found["Shop"].text == "export class Store<T extends Base>"
    assert "get(id: number): T | undefined" in found["Shop"].members
    # What it returns is nowhere written: the server has inferred it.
    assert found["make"].text.startswith("function make(name: string, options?: {")
    assert "name: string;" in found["make"].text.partition("):")[2]
    assert at(used, "Store") >= {("src/index.ts", 2, 9), (shop, 15, 25)}
    assert (shop, 11, 13) not in at(used, "Store")
    assert at(used, "make") == {(use, 1, 15), (use, 2, 19)}


def _python(project: Project) -> None:
    use, items = "use.py", "shop/items.py"
    asks = [Ask("Item", Place(use, 1)), Ask("make", Place(use, 3, 13)), Ask("BEST", Place(use, 2))]
    declared, used = both(
        project, asks, [Ask("make", Place(items, 17)), Ask("Item", Place(items, 4))]
    )
    found = {each.name: each for each in declared.items if each.name in {"make", "BEST"}}
    (item,) = {each for each in declared.items if each.place == Place(items, 4, 6)}
    assert (item.kind, item.text) == ("class", "class Item(Base)")
    assert "price: int" in item.members
    assert (
        "def __init__(self, name: str, *, tags: dict[str, int] | None = None) -> None"
        in item.members
    )
    assert "@property def label(self) -> str" in item.members
    assert found["make"].text == 'def make(name: str, end: str = ":") -> Item'
    assert found["make"].place == Place(items, 17, 4)
    assert found["BEST"].text == "BEST: Item"
    assert at(used, "make") >= {("use.py", 1, 23), ("use.py", 3, 12 + 1), (items, 21, 7)}
    assert (items, 17, 4) not in at(used, "make")
    assert at(used, "Item") >= {("use.py", 1, 17), ("use.py", 4, 15), (items, 18, 11)}


def test_what_an_agent_writes_is_known_at_once(project: Project) -> None:
    """A change behind its back, of a file that nobody has opened, and of the file asked about."""
    typescript = project.real.files is TYPESCRIPT
    more, declares = ("src/more.ts", "src/shop.ts") if typescript else ("more.py", "shop/items.py")
    text = 'import { make } from "./shop";\nmake("z");\n' if typescript else (
        "from shop.items import make\nmake('z')\n"
    )  # fmt: skip
    line = 8 if typescript else 17
    column = (9, 0) if typescript else (23, 0)

    async def work(keeper: Keeper, root: str) -> tuple[Used, Used]:
        before = await keeper.uses(root, declares, [Ask("make", Place(declares, line))], PATIENT)
        (project.root / more).write_text(text, encoding="utf-8")
        file = project.root / declares
        file.write_text(f"\n\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
        ask = Ask("make", Place(declares, line + 2))
        return before, await keeper.uses(root, declares, [ask], PATIENT)

    before, after = project.asked(work)
    assert (before.problem, after.problem) == ("", "")
    new = at(after, "make") - at(before, "make")
    assert {(more, 1, column[0]), (more, 2, column[1])} <= new


def test_more_new_files_than_are_opened_are_known_or_the_answer_is_behind(
    project: Project,
) -> None:
    typescript = project.real.files is TYPESCRIPT
    declares, line = ("src/shop.ts", 8) if typescript else ("shop/items.py", 17)
    name, text = "more{}.py", "from shop.items import make\nmake('z')\n"
    if typescript:
        name, text = "src/more{}.ts", 'import { make } from "./shop";\nmake("z");\n'
    ask = Ask("make", Place(declares, line))

    async def work(keeper: Keeper, root: str) -> list[Used]:
        await keeper.uses(root, declares, [ask], PATIENT)
        for number in range(20):
            (project.root / name.format(number)).write_text(text, encoding="utf-8")
        return [await keeper.uses(root, declares, [ask], PATIENT) for _ in range(3)]

    for used in project.asked(work):
        users = {each.place.path for each in used.items}
        assert used.problem == ""
        assert used.stale or {name.format(number) for number in range(20)} <= users


def test_a_name_that_is_gone_is_no_name_without_users(project: Project) -> None:
    use = project.real.use

    async def work(keeper: Keeper, root: str) -> Used:
        return await keeper.uses(root, use, [Ask("Nothing", Place(use, 1))], PATIENT)

    used = project.asked(work)
    assert used.items == ()
    assert f"Nothing does not stand in {use}:1 any more" in used.problem
