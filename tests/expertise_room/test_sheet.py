"""What is read of a sheet, and what is said of one that cannot be."""

import os
from pathlib import Path

import pytest

from expertise_room.world import API, World
from pointsman.model.expertise import SECTIONS, Weight


def test_a_whole_sheet_has_no_flaw(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sheet("api")
    sheet = world.read("api")
    assert set(sheet.sections) == set(SECTIONS) == set(API)
    assert sheet.flaws == ()


BILLION = "overview:\n  a: &a [x, x]\n  b: &b [*a, *a]\n  c: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("overview: [a: b", "it is no YAML", 2),
        ("overview: &a\n  x: *a\n", "aliases are not followed", 2),
        (BILLION, "aliases are not followed", 3),
        ("overview: " + "[" * 200 + "]" * 200, "nested more than 32 deep", 1),
        ("best_practices:\n" + "- x\n" * 20_001, "more than 20000 values", 19_999),
        ("- a\n- b\n", "it holds a list", 1),
        ("just words", "it holds a str", 1),
        ("overview: !!python/object/apply:os.system [x]", "it is no YAML", 1),
        ("safety_protocols: {a: b}", "the section safety_protocols is a table", 1),
        ("overview:\n  description: x\nnotes: y", "'notes' is no section", 3),
        ("overview:\n", "the section overview is empty", 1),
        ("a\0b", "it is binary", 1),
        ("x: 2026-99-99\n", "it is no YAML that can be read", 1),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_is_said_and_the_others_are_read(
    tmp_path: Path, text: str, word: str, line: int
) -> None:
    world = World(tmp_path)
    world.sheet("bad", text)
    world.sheet("good")
    (flaw,) = world.read("bad").flaws
    assert word in flaw.text
    assert flaw.fix
    assert flaw.line == line
    assert "card numbers" in world.told("bad", "good")


def test_what_is_no_text_or_no_file(tmp_path: Path) -> None:
    world = World(tmp_path)
    for name in ("latin", "pipe", "huge", "folder", "gone"):
        world.sheet(name, "x")
    folder = world.root / ".claude/agents/experts"
    (folder / "latin/expertise.yaml").write_bytes(b"overview:\n  description: caf\xe9\n")
    for name in ("pipe", "folder", "gone"):
        (folder / name / "expertise.yaml").unlink()
    os.mkfifo(folder / "pipe/expertise.yaml")
    (folder / "folder/expertise.yaml").mkdir()
    (folder / "gone/expertise.yaml").symlink_to("nothing.yaml")
    (folder / "huge/expertise.yaml").write_text("# x\n" * 100_000)
    words = {name: world.read(name).flaws[0].text for name in world.domains()}
    assert "no UTF-8" in words["latin"]
    assert "no regular file" in words["pipe"]
    assert "larger than 262144 bytes" in words["huge"]
    assert "cannot be read" in words["folder"]
    assert "cannot be read" in words["gone"]


@pytest.mark.parametrize("inside", [True, False])
def test_a_link_that_leads_out_is_not_followed(tmp_path: Path, inside: bool) -> None:
    world = World(tmp_path)
    target = (world.root if inside else tmp_path) / "real.yaml"
    target.write_text("overview: {description: secret}")
    path = world.sheet("api")
    path.unlink()
    path.symlink_to(target)
    assert ("secret" in world.told("api")) is inside
    assert [flaw.text.startswith("it is a link to") for flaw in world.read("api").flaws] == (
        [] if inside else [True]
    )


def test_a_folder_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    world = World(tmp_path)
    (tmp_path / "else").mkdir()
    (tmp_path / "else/expertise.yaml").write_text("overview: {description: secret}")
    (world.root / ".claude/agents/experts").mkdir(parents=True)
    (world.root / ".claude/agents/experts/api").symlink_to(tmp_path / "else")
    assert "a link to" in world.read("api").flaws[0].text


@pytest.mark.parametrize(("lines", "weight"), [(600, None), (601, "warning"), (751, "error")])
def test_how_long_a_sheet_may_be(tmp_path: Path, lines: int, weight: str | None) -> None:
    world = World(tmp_path)
    body = "".join(f"  - practice: p{number}\n\n" for number in range(lines - 1))
    world.sheet("api", f"best_practices:\n{body}")
    flaws = world.read("api").flaws
    assert world.read("api").lines == {world.domains()["api"].files[0].path: lines}
    assert [flaw.weight for flaw in flaws] == ([Weight(weight)] if weight else [])


def test_what_was_read_is_kept_until_the_file_changes(tmp_path: Path) -> None:
    world = World(tmp_path)
    path = world.sheet("api", {"overview": {"description": "one"}})
    os.utime(path, ns=(1, 1))
    first = world.read("api").sections
    path.write_text("overview: {description: two}")
    assert first["overview"] == {"description": "one"}
    assert world.read("api").sections["overview"] == {"description": "two"}
