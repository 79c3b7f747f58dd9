from pointsman.proof.changes import Change, differences
from pointsman.proof.tree import DIRECTORY, FILE, LINK, Entry, Snapshot, Stamp


def entry(
    kind: str = FILE, content: str = "1", mode: int = 0o644, ino: int = 1, ctime: int = 5
) -> Entry:
    return Entry(kind, mode, content, Stamp(0, ctime, ino, 1, 0), 0, True)


def found(before: dict[str, Entry], after: dict[str, Entry], **more: str) -> dict[str, Change]:
    changes = differences(before, Snapshot(entries=after, blind=more))
    assert [each.path for each in changes] == sorted(each.path for each in changes)
    return {each.path: each for each in changes}


def what(before: dict[str, Entry], after: dict[str, Entry], **more: str) -> dict[str, str]:
    return {path: each.what for path, each in found(before, after, **more).items()}


def test_each_kind_of_change() -> None:
    before = {
        "same": entry(), "content": entry(), "mode": entry(), "gone": entry(content="9", ino=9),
        "kind": entry(), "touched": entry(ctime=1),
    }  # fmt: skip
    after = {
        "same": before["same"], "content": entry(content="2"), "mode": entry(mode=0o755),
        "kind": entry(LINK, "x"), "new": entry(content="3", ino=7), "touched": entry(ctime=2),
    }  # fmt: skip
    assert what(before, after) == {
        "content": "modified", "mode": "mode 0644 made 0755", "kind": "made a link",
        "gone": "deleted", "new": "created",
    }  # fmt: skip


def test_moves_by_inode_and_by_content() -> None:
    before = {"a": entry(ino=1), "b": entry(content="b", ino=2)}
    after = {"c": entry(content="other", ino=1), "d": entry(content="b", ino=3)}
    changes = found(before, after)
    assert {path: each.moved for path, each in changes.items()} == {
        "a": "c", "b": "d", "c": "a", "d": "b",
    }  # fmt: skip
    assert (changes["a"].what, changes["c"].what) == ("moved away", "moved here")


def test_what_cannot_be_seen_is_not_gone() -> None:
    before = {"d": entry(DIRECTORY), "d/x": entry(), "e": entry()}
    assert what(before, {"d": before["d"]}, d="closed") == {"e": "deleted"}
    assert what(before, {}, **{"": "closed"}) == {}


def test_when_it_can_have_happened() -> None:
    folder = entry(DIRECTORY, "", ino=50, ctime=40)
    before = {"d": folder, "d/x": entry(ctime=3)}
    # In place: the file's own time.
    changes = found(before, {"d": folder, "d/x": entry(content="2", ctime=10)})
    assert (changes["d/x"].when_ns, changes["d/x"].touched_ns) == (10, 10)
    # By another file in its place: no later than the directory it came into.
    changes = found(before, {"d": folder, "d/x": entry(content="2", ino=2, ctime=10)})
    assert changes["d/x"].when_ns == 40
    # Gone: no later than its directory's last change.
    changes = found(before, {"d": folder})
    assert (changes["d/x"].when_ns, changes["d/x"].touched_ns) == (40, 0)
    # With another directory in the place of its own: its own old time says nothing.
    other = entry(DIRECTORY, "", ino=51, ctime=60)
    changes = found(before, {"d": other, "d/x": entry(content="2", ino=2, ctime=1)})
    assert changes["d/x"].when_ns == 0
