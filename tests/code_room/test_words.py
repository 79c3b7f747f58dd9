"""The text keeps within its tokens, and what matters most is cut last."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some

from pointsman.code.words import BYTES_PER_TOKEN, ORDER, tokens_of, written
from pointsman.model.bundle import MOST_TOKENS, Item, Kind, Section
from pointsman.model.code import Source

TEXTS = some.text(max_size=120)
ITEMS = some.builds(
    Item,
    path=some.sampled_from(["a.ts", "src/b.ts"]),
    line=some.integers(0, 9999),
    name=TEXTS,
    text=TEXTS,
    more=some.lists(TEXTS, max_size=12).map(tuple),
    group=some.sampled_from(["", "./a → a.ts"]),
    named=some.booleans(),
)


def section(kind: Kind, *items: Item, **more: object) -> Section:
    made = Section(kind, Source.SYNTAX, items, len(items))
    return replace(made, **more)  # type: ignore[arg-type]


@given(
    some.dictionaries(some.sampled_from(Kind), some.lists(ITEMS, max_size=20)),
    some.integers(50, MOST_TOKENS),
)
def test_never_more_than_was_allowed(found: dict[Kind, list[Item]], most: int) -> None:
    bundle = written("src/a.ts", [section(kind, *items) for kind, items in found.items()], most)
    assert bundle.tokens <= most
    assert bundle.tokens == tokens_of(bundle.text)
    told = {each.kind: len(each.items) for each in bundle.sections}
    assert all(told.get(kind, 0) <= len(items) for kind, items in found.items())
    assert bool(bundle.text) == bool(bundle.sections)


def test_a_token_is_reckoned_as_so_many_bytes() -> None:
    assert BYTES_PER_TOKEN == 3.5
    assert [tokens_of(text) for text in ("", "a", "abcd", "ééé")] == [0, 1, 2, 2]


def item(name: str, *more: str, **given: object) -> Item:
    made = Item("a.ts", 1, name, f"declare {name}", more=more)
    return replace(made, **given)  # type: ignore[arg-type]


def test_every_section_has_its_share_and_the_first_gets_what_is_left() -> None:
    full = [section(kind, *(item(f"{kind}{n}" * 3) for n in range(50))) for kind in ORDER]
    bundle = written("a.ts", full, 600)
    assert [each.kind for each in bundle.sections] == list(ORDER)
    counts = [len(each.items) for each in bundle.sections]
    assert counts[0] == max(counts)
    assert bundle.tokens > 500
    alone = written("a.ts", full[:1], 600)
    assert len(alone.sections[0].items) > counts[0]


def test_members_are_left_out_before_their_declaration_is() -> None:
    many = [f"member{n}: string" for n in range(30)]
    told = written("a.ts", [section(Kind.DECLARATIONS, item("A", *many))], 600)
    assert len(told.sections[0].items[0].more) == 7
    assert told.text.endswith("  …")
    named = written("a.ts", [section(Kind.DECLARATIONS, item("A", *many, named=True))], 600)
    assert len(named.sections[0].items[0].more) == 30
    tight = written("a.ts", [section(Kind.DECLARATIONS, item("A", *many, named=True))], 60)
    assert tight.sections[0].items[0].more in {("…",), ()} or len(tight.text) < 210


def test_how_each_section_reads() -> None:
    sections = [
        section(Kind.DECLARATIONS, item("A", "x: 1", named=True)),
        section(Kind.DEPENDENTS, item("B"), count=12, tests=3),
        section(Kind.IMPORTS, item("C", text="C", group="./a → a.ts"),
                item("D", text="D as E", group="./a → a.ts")),
        section(Kind.EXPORTS, item("F", text="F:7", group="a.ts")),
        section(Kind.HISTORY, item("G", text="2026-01-01 Edit failed: no")),
    ]  # fmt: skip
    sections[0] = replace(sections[0], source=Source.LSP, stale=True)
    assert written("src/a.ts", sections, 600).text == (
        "What src/a.ts hangs on, as it is now:\n"
        "Declarations of what it uses: [lsp, stale]\n"
        "a.ts:1 declare A\n  x: 1\n"
        "Used by 12 files, 3 of them tests, the first: [syntax]\n"
        "a.ts:1 declare B\n"
        "Imports: [syntax]\n./a → a.ts: C, D as E\n"
        "Exported there beside that: [syntax]\na.ts: F:7\n"
        "Went wrong with this file before: [syntax]\n2026-01-01 Edit failed: no"
    )


def test_nothing_to_tell_is_no_text() -> None:
    bundle = written("a.ts", [section(Kind.IMPORTS)], 600, ["a note"])
    assert (bundle.text, bundle.tokens, bundle.notes) == ("", 0, ("a note",))
