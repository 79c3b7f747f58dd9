"""Each listener is told each thing once, and afterwards only what is new."""

from dataclasses import replace

from pointsman.code.told import Memories
from pointsman.model.bundle import Item, Kind, Section
from pointsman.model.code import Source

A, B, C = (Item("x.ts", n, name, f"declare {name}") for n, name in enumerate("ABC"))


def declarations(*items: Item) -> Section:
    return Section(Kind.DECLARATIONS, Source.SYNTAX, items, len(items))


def dependents(*items: Item) -> Section:
    return Section(Kind.DEPENDENTS, Source.SYNTAX, items, len(items))


def names(sections: tuple[Section, ...]) -> list[str]:
    return [item.name for each in sections for item in each.items]


def told(memories: Memories, listener: str, file: str, *sections: Section) -> list[str]:
    news = memories.news(listener, file, sections)
    memories.keep(listener, file, sections, news)
    return names(news)


def test_once_and_then_what_is_new() -> None:
    memories = Memories()
    assert told(memories, "s/", "f.ts", declarations(A, B)) == ["A", "B"]
    assert told(memories, "s/", "f.ts", declarations(A, B)) == []
    changed = replace(B, text="declare B<T>")
    assert told(memories, "s/", "f.ts", declarations(A, changed, C)) == ["B", "C"]
    moved = replace(A, line=99)
    assert told(memories, "s/", "f.ts", declarations(moved)) == []


def test_each_listener_for_itself_and_a_declaration_once_for_all_files() -> None:
    memories = Memories()
    told(memories, "s/", "f.ts", declarations(A), dependents(B))
    assert told(memories, "s/", "g.ts", declarations(A), dependents(B)) == ["B"]
    assert told(memories, "s/agent", "f.ts", declarations(A)) == ["A"]
    assert told(memories, "t/", "f.ts", declarations(A)) == ["A"]


def test_what_there_was_no_room_for_is_told_when_an_edit_names_it() -> None:
    memories = Memories()
    memories.keep("s/", "f.ts", [declarations(A, B)], [declarations(A)])
    assert told(memories, "s/", "f.ts", declarations(A, B)) == []
    assert told(memories, "s/", "f.ts", declarations(A, replace(B, named=True))) == ["B"]
    assert told(memories, "s/", "f.ts", declarations(A, replace(B, named=True))) == []


def test_what_did_not_arrive_is_told_again() -> None:
    memories = Memories()
    told(memories, "s/", "f.ts", declarations(A))
    told(memories, "s/", "g.ts", declarations(C))
    memories.take_back("s/", "f.ts")
    assert told(memories, "s/", "f.ts", declarations(A)) == ["A"]
    assert told(memories, "s/", "g.ts", declarations(C)) == []
    memories.take_back("nobody/", "f.ts")


def test_a_session_that_forgets_is_told_anew_with_its_agents() -> None:
    memories = Memories()
    for listener in ("s/", "s/agent", "t/"):
        told(memories, listener, "f.ts", declarations(A))
    memories.forget("s")
    assert [memories.knows_of(one, "f.ts") for one in ("s/", "s/agent", "t/")] == [
        False, False, True,
    ]  # fmt: skip
    assert told(memories, "s/agent", "f.ts", declarations(A)) == ["A"]


def test_memories_are_bounded() -> None:
    memories = Memories()
    for n in range(600):
        told(memories, f"s{n}/", "f.ts", declarations(A))
    assert told(memories, "s0/", "f.ts", declarations(A)) == ["A"]
    assert told(memories, "s599/", "f.ts", declarations(A)) == []
