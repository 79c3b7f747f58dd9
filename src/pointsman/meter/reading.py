"""From transcript files to messages: which files, where to go on, what their new lines say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pointsman.agents.claude_code import NAME
from pointsman.agents.claude_transcript import Transcript, files_of
from pointsman.meter.tail import Position, has_grown, read_on
from pointsman.model.usage import HostTotal, Usage
from pointsman.store.usage_rows import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the next piece of one transcript says, and where it ended."""

    usages: tuple[Usage, ...]
    totals: tuple[HostTotal, ...]
    reading: Reading
    more: bool = False
    passed: int = 0
    """How many lines were too long to be read."""


def unread(path: str) -> Reading:
    """Return the reading of a transcript that nobody has opened yet."""
    return Reading(path=path, host=NAME, position={}, thread={})


def read_next(reading: Reading) -> Learned:
    """Return what the next lines of a transcript say.

    Raises:
        OSError: the file cannot be read.
    """
    position = Position.of(reading.position)
    piece = read_on(reading.path, position)
    transcript = Transcript(reading.path, {} if piece.anew else reading.thread)
    found = [said for line in piece.lines for said in transcript.read(line)]
    thread = transcript.thread.as_dict()
    if piece.rest:
        # Whole although its end is missing, or else no JSON: it is read again with its end.
        found += transcript.read(piece.rest)
    return Learned(
        usages=tuple(each for each in found if isinstance(each, Usage)),
        totals=tuple(each for each in found if isinstance(each, HostTotal)),
        reading=Reading(
            path=reading.path,
            host=reading.host,
            position=piece.position.as_dict(),
            thread=thread,
        ),
        more=piece.position.more,
        passed=piece.position.passed - position.passed,
    )


def read_whole(path: str) -> Iterator[Learned]:
    """Yield everything that a transcript says, piece by piece.

    Raises:
        OSError: the file cannot be read.
    """
    learned = read_next(unread(path))
    yield learned
    while learned.more:
        learned = read_next(learned.reading)
        yield learned


def is_unread(reading: Reading) -> bool:
    """Whether a transcript may hold more than was read of it."""
    return has_grown(reading.path, Position.of(reading.position))


def with_subagents(paths: Sequence[str]) -> list[str]:
    """Return these transcripts with those of their subagents, each once."""
    found: dict[str, None] = {}
    for path in paths:
        found.update(dict.fromkeys(files_of(path)))
    return list(found)
