"""Files, imports, a person's word, contradictions: what is in force in a repository."""

from pathlib import Path

import pytest

from pointsman.conventions.report import unclear
from pointsman.conventions.shelf import Shelf
from pointsman.conventions.sources import imports, read_sources
from pointsman.model.convention import State
from pointsman.model.errors import ConfigError


class World:
    def __init__(self, base: Path) -> None:
        self.root = base / "repo"
        (self.root / ".git").mkdir(parents=True)
        self.home = base / "home"
        self.shelf = Shelf(base / "state")

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def confirm(self) -> None:
        self.shelf.book.say(str(self.root), list(self.found()), State.CONFIRMED)

    def found(self) -> tuple:  # type: ignore[type-arg]
        return self.shelf.found(str(self.root)).rules

    def remarks(self) -> list[str]:
        return [each.matter for each in self.shelf.found(str(self.root)).remarks]

    def confirmed(self) -> list[str]:
        return [each.where for each in self.shelf.confirmed(str(self.root))]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setenv("HOME", str(made.home))
    return made


def test_every_file_that_hosts_read(world: World) -> None:
    for name in ("CLAUDE.md", "AGENTS.md", "GEMINI.md", ".cursorrules", "CONTRIBUTING.md",
                 ".cursor/rules/a.mdc", "packages/x/CLAUDE.md"):  # fmt: skip
        world.write(name, "Never use `eval`.\n")
    (world.home / ".claude").mkdir(parents=True)
    (world.home / ".claude/CLAUDE.md").write_text("Never use `exec`.\n")
    assert {each.file for each in world.found()} == {
        "CLAUDE.md", "AGENTS.md", "GEMINI.md", ".cursorrules", "CONTRIBUTING.md",
        ".cursor/rules/a.mdc", "packages/x/CLAUDE.md", "~/.claude/CLAUDE.md",
    }  # fmt: skip


def test_imports_are_followed_and_capped(world: World) -> None:
    world.write("CLAUDE.md", "See @a.md and @gone.md. Ask @someone, not `@code.md`.\n")
    world.write("a.md", "@b.md\nNever use `eval`.\n")
    world.write("b.md", "@a.md\n@CLAUDE.md\n@../../outside.md\n")
    found = read_sources(str(world.root), str(world.home))
    assert [(each.name, each.depth) for each in found.files] == [
        ("CLAUDE.md", 0), ("a.md", 1), ("b.md", 2),
    ]  # fmt: skip
    assert [each.where for each in found.remarks] == ["CLAUDE.md:1", "b.md:3"]
    for number in range(12):
        world.write(f"c{number}.md", f"@c{number + 1}.md\n")
    world.write("CLAUDE.md", "@c0.md\n")
    found = read_sources(str(world.root), str(world.home))
    assert max(each.depth for each in found.files) == 5
    assert any("more than 5 imports away" in each.text for each in found.remarks)


def test_what_lies_outside_is_not_read(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("Never use `eval`.\n")
    world.write("CLAUDE.md", f"@{tmp_path}/secret.md\n@link.md\n")
    (world.root / "link.md").symlink_to(tmp_path / "secret.md")
    assert world.found() == ()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("@docs/a.md", ["docs/a.md"]),
        ("see @./a.md, @~/x.md.", ["./a.md", "~/x.md"]),
        ("mail me@home.org", []),
        ("`@a.md` @name", []),
        ("@scope/package", ["scope/package"]),
    ],
)
def test_what_is_an_import(line: str, found: list[str]) -> None:
    assert [target for _, target in imports((line,))] == found


def test_only_what_a_person_confirms_is_in_force(world: World) -> None:
    world.write("CLAUDE.md", "x\nNever use `eval`.\nNever use `exec`.\n")
    assert world.confirmed() == []
    one, two = world.found()
    world.shelf.book.say(str(world.root), [one], State.CONFIRMED)
    world.shelf.book.say(str(world.root), [two], State.REJECTED)
    assert world.confirmed() == ["CLAUDE.md:2"]
    assert [each.state for each in world.found()] == [State.CONFIRMED, State.REJECTED]
    world.shelf.book.say(str(world.root), [one], None)
    assert world.confirmed() == []


def test_a_rule_moves_with_its_line_and_ends_with_it(world: World) -> None:
    world.write("CLAUDE.md", "Never use `eval`.\n")
    world.confirm()
    assert world.confirmed() == ["CLAUDE.md:1"]
    world.write("CLAUDE.md", "\n\n- Never use `exec`.\nNever  use `eval`.\n")
    assert world.confirmed() == ["CLAUDE.md:4"]
    world.write("CLAUDE.md", "Use `eval` as you like.\n")
    assert world.confirmed() == []
    assert world.remarks() == ["stale"]
    assert [each.state for each in world.found()] == [State.STALE]


def test_a_book_that_cannot_be_read_holds_nothing_and_is_said(world: World) -> None:
    world.write("CLAUDE.md", "Never use `eval`.\n")
    world.confirm()
    world.shelf.book.path.write_text("[")
    assert world.confirmed() == []
    assert world.remarks() == ["unreadable"]
    with pytest.raises(ConfigError, match="no JSON"):
        world.confirm()
    world.shelf.book.path.write_text('{"/r": {"x": {"state": "confirmed"}}}')
    assert world.shelf.book.rules("/r") == {}


@pytest.mark.parametrize(
    ("one", "other", "opposed"),
    [
        ("Indent with tabs.", "Use 2 spaces for indentation", True),
        ("Use `pnpm` instead of npm", "Use npm instead of `pnpm`", True),
        ("Use `pnpm` instead of npm", "Never use `pnpm`", True),
        ("Files are below 300 lines", "Files are below 500 lines", True),
        ("No default exports", "Use default exports", True),
        ("File names are kebab-case", "File names are snake_case", True),
        ("Files are below 300 lines", "Files are below 300 lines.", False),
        ("Indent with tabs in Go code", "Use 2 spaces for indentation in Python", False),
        ("Indent with tabs in Go code", "Use 2 spaces for indentation", False),
        ("Never use `eval`", "Never use `exec`", False),
    ],
)
def test_what_contradicts(world: World, one: str, other: str, opposed: bool) -> None:
    world.write("CLAUDE.md", f"{one}\n")
    world.write("AGENTS.md", f"{other}\n")
    assert ("contradiction" in world.remarks()) is opposed


def test_what_is_missing(world: World) -> None:
    assert world.remarks() == []
    world.write("pyproject.toml", "")
    assert world.remarks() == ["missing"]
    world.write("AGENTS.md", "Never use `eval`.\n")
    (only,) = world.shelf.found(str(world.root)).remarks
    assert "Claude Code does not read" in only.text
    world.write("CLAUDE.md", "@AGENTS.md\n")
    assert world.remarks() == []
    world.write("CLAUDE.md", "  \n")
    assert "it is empty" in [each.text for each in world.shelf.found(str(world.root)).remarks]


def test_what_is_broken_again_and_again_is_said_with_what_to_do(world: World) -> None:
    world.write("CLAUDE.md", "\n" * 300 + "Avoid `eval`.\nNever use `exec`; use `x`.\n")
    one, two = world.found()
    times = [(one.id, f"s{number % 2}", "builder", f"{number}.py") for number in range(4)]
    times += [(two.id, "s", "main", "a.py")] * 2
    (found,) = unclear([one, two], times, 3)
    assert (found.count, found.sessions, found.agents) == (4, 2, ("builder",))
    assert found.advice.startswith("say it more clearly here: “Avoid” leaves a choice")
    assert "line 301: move it to the top" in found.advice
