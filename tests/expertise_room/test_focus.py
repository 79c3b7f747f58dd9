"""What is told of sheets: merged, the most telling first, never more than the cap."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from expertise_room.world import API, World
from pointsman.expertise.focus import concerned
from pointsman.expertise.merge import merged
from pointsman.expertise.points import points
from pointsman.model.tokens import tokens_of, within


def test_every_section_has_a_line_and_what_is_over_has_none() -> None:
    found = points(API)
    assert {point.section for point in found} == set(API)
    assert not [point for point in found if "slow start" in point.text]
    assert "Pitfall: no limit: it times out Instead: page it" in {each.text for each in found}


def test_the_project_has_the_last_word_and_takes_no_safety_away() -> None:
    user = {
        "overview": {"description": "ours", "scope": "all"},
        "safety_protocols": [{"protocol": "Never X", "description": "u"}, {"protocol": "Never Y"}],
        "key_operations": {"a": {"name": "A"}, "b": {"name": "B"}},
    }
    project = {
        "overview": {"description": "theirs"},
        "safety_protocols": [{"protocol": "never x", "description": "p"}],
        "key_operations": {"b": {"name": "B2"}},
    }
    out = merged([user, project])
    assert out["overview"] == {"description": "theirs", "scope": "all"}
    assert out["safety_protocols"] == [
        {"protocol": "never x", "description": "p"}, {"protocol": "Never Y"},
    ]  # fmt: skip
    assert out["key_operations"] == {"a": {"name": "A"}, "b": {"name": "B2"}}
    assert merged([]) == {}


def test_safety_comes_first_and_every_sheet_has_its_path(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.sheet("api")
    world.sheet("billing", {"overview": {"description": "money"}})
    text = world.told("api", "billing", tokens=130)
    lines = text.splitlines()
    assert "EXPERTISE_PATH: .claude/agents/experts/billing/expertise.yaml (2 lines)" in lines
    assert lines.index("- Description: The HTTP layer of the shop.") < len(lines)
    assert any("more lines in the files" in line for line in lines)
    assert "Possible" not in text


def test_what_speaks_of_a_path_in_hand_comes_earlier(tmp_path: Path) -> None:
    world = World(tmp_path)
    notes = [{"issue": f"issue {number}"} for number in range(40)]
    notes.append({"issue": "src/api/pay.py is slow"})
    world.sheet("api", {"known_issues": notes})
    assert "pay.py" not in world.told("api", tokens=150)
    assert "pay.py" in world.told("api", paths=("src/api/pay.py",), tokens=150)


def test_which_sheets_paths_and_agents_have_to_do_with(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file("src/api/a.py")
    world.sheet("api")
    files = [{"path": "lib/money/*.rb"}]
    world.sheet("billing", {"core_implementation": {"primary_files": files}})
    sheets = [world.read(name) for name in ("api", "billing")]

    def of(*paths: str, agent: str = "") -> list[str]:
        return [each.domain.name for each in concerned(sheets, paths, agent)]

    assert of("src/api/x/y.py") == ["api"]
    assert of("src/api") == ["api"]
    assert of("lib/money/tax.rb", "src/api/b.py") == ["api", "billing"]
    assert of("src/apish.py") == of("docs/a.md") == of() == []
    assert of(agent="billing-build-agent") == ["billing"]
    assert of(agent="bill") == []


@given(
    st.lists(st.text(max_size=400), max_size=60),
    st.integers(min_value=100, max_value=2000),
    st.integers(min_value=1, max_value=6),
)
def test_no_more_than_the_cap_is_told(texts: list[str], tokens: int, sheets: int) -> None:
    from types import MappingProxyType

    from pointsman.expertise.focus import told
    from pointsman.model.expertise import Domain, Level, Sheet, SheetFile

    sections = {"known_issues": [{"issue": text} for text in texts]}
    given = [
        Sheet(Domain(f"d{each}", files=(SheetFile(Level.PROJECT, f"/r/{each}"),)),
              MappingProxyType(sections))
        for each in range(sheets)
    ]  # fmt: skip
    assert tokens_of(told(given, "/r", (), tokens)) <= tokens


@given(st.text(max_size=3000), st.integers(min_value=2, max_value=500))
def test_a_text_is_cut_to_its_tokens(text: str, tokens: int) -> None:
    assert tokens_of(within(text, tokens)) <= max(tokens, 1)
