"""Which parts a project has, with nothing configured."""

import json
from pathlib import Path

import pytest

from expertise_room.world import World
from pointsman.expertise.detect import plain
from pointsman.expertise.manifests import dependencies
from pointsman.model.expertise import Level


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("src/api/a.py", "", {"api"}),
        ("src/shop/api/a.py", "", {"api"}),
        (".github/workflows/ci.yml", "", {"github"}),
        ("db/migrations/1.sql", "", {"database"}),
        ("pyproject.toml", '[project]\ndependencies=["Django>=5"]', {"python", "django"}),
        ("requirements.txt", "fastapi==1\n# x\n-r y\n", {"python", "fastapi", "api"}),
        ("package.json", json.dumps({"dependencies": {"next": "1"}}),
         {"javascript", "nextjs", "react", "frontend"}),
        ("go.mod", "require github.com/spf13/cobra v1.0.0\n", {"go", "cobra", "cli"}),
        ("Cargo.toml", '[dependencies]\naxum = "1"\n', {"rust", "axum", "api"}),
        ("Gemfile", "gem 'rails'\n", {"ruby", "rails"}),
        ("manage.py", "", {"django"}),
        ("apps/web/package.json", json.dumps({"devDependencies": {"vitest": "1"}}),
         {"javascript", "vitest", "testing", "frontend"}),
        # Nothing of ours, too deep, broken.
        ("node_modules/x/package.json", json.dumps({"dependencies": {"react": "1"}}), set()),
        (".hidden/api/a.py", "", set()),
        ("a/b/c/d/api/x.py", "", set()),
        ("package.json", "{", {"javascript"}),
        ("pyproject.toml", "[[", {"python"}),
        ("src/main.c", "", set()),
    ],
)  # fmt: skip
def test_what_shows_a_domain(tmp_path: Path, name: str, text: str, found: set[str]) -> None:
    world = World(tmp_path)
    world.file(name, text)
    assert set(world.domains()) == found


def test_a_project_s_expert_is_a_domain_and_comes_first(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file("src/api/a.py")
    world.sheet("billing")
    assert list(world.domains()) == ["billing", "api"]
    assert world.domains()["billing"].files[0].level is Level.PROJECT


def test_of_a_user_s_experts_those_count_whose_domain_is_here(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sheet("django", own=True)
    world.sheet("api-development", own=True)
    assert world.domains() == {}
    world.file("src/api/a.py")
    world.file("requirements.txt", "django\n")
    found = world.domains()
    assert [each.level for each in found["api"].files] == [Level.USER]
    assert [each.level for each in found["django"].files] == [Level.USER]


def test_links_are_no_way_round_and_none_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    (world.root / "again").symlink_to(world.root)
    (tmp_path / "else/api").mkdir(parents=True)
    (world.root / "out").symlink_to(tmp_path / "else")
    assert world.domains() == {}


def test_names_that_say_the_same() -> None:
    same = {plain(each) for each in ("api", "API", "api-development", "api_dev", "api-patterns")}
    assert same == {"api"}
    assert plain("-dev") == "-dev"


def test_what_a_manifest_names_is_capped() -> None:
    many = "\n".join(f"package{number}" for number in range(5000))
    assert len(dependencies("requirements.txt", many)) == 2000
    assert dependencies("unknown.txt", many) == []
