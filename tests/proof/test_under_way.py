from dataclasses import replace
from pathlib import Path

from pointsman.model.proof import Call, Foretold
from pointsman.proof.changes import Change
from pointsman.proof.tree import FILE, Entry, Stamp, scan
from pointsman.proof.under_way import Names, UnderWay

CALL = Call(root="/r", session="s", agent="a", agent_id="a1", id="c", began_ns=5)


def test_a_call_that_ends_keeps_what_was_known_when_it_began() -> None:
    calls = UnderWay()
    calls.add(replace(CALL, foretold=Foretold(("/r/x",), opaque=False), writable=("/r",)))
    ended = calls.end(
        replace(CALL, began_ns=0, ended_ns=9, foretold=Foretold(("/r/y",), opaque=False))
    )
    assert (ended.began_ns, ended.ended_ns, ended.writable) == (5, 9, ("/r",))
    assert ended.foretold == Foretold(("/r/x", "/r/y"), opaque=False)
    assert calls.all() == [ended]
    calls.drop_ended()
    assert calls.all() == []


def test_calls_without_a_word_of_their_end() -> None:
    calls = UnderWay()
    calls.add(CALL)
    calls.add(replace(CALL, agent_id="other", id="d"))
    assert calls.of(replace(CALL, id=""))
    calls.silence(replace(CALL, id="", ended_ns=9))
    assert calls.silent == {"c"}
    assert {(each.id, each.ended_ns) for each in calls.all()} == {("c", 9), ("d", 0)}
    assert not calls.of(CALL)


def test_calls_that_may_run_on_are_kept_until_their_agent_ends() -> None:
    calls = UnderWay()
    calls.keep_lasting(replace(CALL, lasting=True, writable=("/r",)))
    again = UnderWay()
    again.load_lasting([*calls.lasting_rows(), {"not": "a call"}])
    assert again.all() == calls.all()
    assert again.of(CALL)
    again.forget_lasting(CALL)
    assert again.all() == []


def test_many_calls_take_no_more_memory() -> None:
    calls = UnderWay()
    for number in range(1000):
        calls.add(replace(CALL, id=str(number)))
        calls.keep_lasting(replace(CALL, id=str(number)))
    assert len(calls.all()) < 400


def entry(ino: int = 9) -> Entry:
    return Entry(FILE, 0o644, "x", Stamp(1, 1, ino, 9, 1), 0, True)


def test_names_stand_for_what_lies_below_and_for_what_they_lead_to(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "d").mkdir()
    (root / "d/f").write_text("x")
    (root / "l").symlink_to("d")
    (root / "h").hardlink_to(root / "d/f")
    names = Names(str(root))

    def named(written: str, path: str, found: Entry | None = None) -> bool:
        call = replace(CALL, id=written, foretold=Foretold((f"{root}/{written}",)))
        return names(call, Change(path, None, found or entry()))

    assert named("d", "d/f")
    assert named("d", "d")
    assert not named("d", "dd/f")
    assert named("l", "d/f")
    assert named("l/f", "d/f")
    assert named("h", "d/f", scan(str(root), {}).entries["d/f"])
    assert not named("other", "d/f")
