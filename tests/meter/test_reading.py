"""From the lines of a file to messages."""

from pathlib import Path

from pointsman.meter.reading import is_unread, read_next, read_whole, unread, with_subagents

from .lines import line, said, write


def test_a_last_line_that_is_whole_counts_and_is_read_again_with_its_end(tmp_path: Path) -> None:
    path = write(tmp_path / "one.jsonl", said("a"))
    with path.open("ab") as file:
        file.write(line(said("b")))
    learned = read_next(unread(str(path)))
    assert [usage.message_id for usage in learned.usages] == ["a", "b"]
    with path.open("ab") as file:
        file.write(b"\n")
    assert is_unread(learned.reading)
    again = read_next(learned.reading)
    assert [usage.message_id for usage in again.usages] == ["b"]
    assert not is_unread(again.reading)


def test_what_a_torn_line_begins_is_not_remembered(tmp_path: Path) -> None:
    path = write(tmp_path / "one.jsonl")
    path.write_bytes(b'{"promptId":"half"')
    learned = read_next(unread(str(path)))
    assert learned.reading.thread["prompt"] == ""
    with path.open("ab") as file:
        file.write(b"}\n" + line(said()) + b"\n")
    (usage,) = read_next(learned.reading).usages
    assert usage.task == "half"


def test_a_file_that_begins_anew_forgets_what_it_said(tmp_path: Path) -> None:
    path = write(tmp_path / "one.jsonl", {"type": "user", "promptId": "old"}, said("a"))
    learned = read_next(unread(str(path)))
    write(path, said("b"))
    (usage,) = read_next(learned.reading).usages
    assert (usage.message_id, usage.task) == ("b", "")


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    text = {"type": "text", "text": "x" * 100_000}
    path = write(tmp_path / "one.jsonl", *(said(str(number), text) for number in range(9)))
    pieces = list(read_whole(str(path)))
    assert len(pieces) > 1
    found = [usage.message_id for piece in pieces for usage in piece.usages]
    assert found == [str(number) for number in range(9)]


def test_each_file_comes_once(tmp_path: Path) -> None:
    main = write(tmp_path / "one.jsonl")
    child = write(tmp_path / "one/subagents/agent-a.jsonl")
    assert with_subagents([str(main), str(child), str(main)]) == [str(main), str(child)]
