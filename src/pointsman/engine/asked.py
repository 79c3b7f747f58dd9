"""New questions that a person has yet to hear of: told together, not one by one without end."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.model.approval import Approval

QUIET = 60.0
"""Seconds after one notice within which what a session asks is kept for the next."""

_MOST_SESSIONS = 512


@dataclass(slots=True)
class _Session:
    told_ns: int | None = None
    first: Approval | None = None
    count: int = 0


@dataclass(slots=True)
class Asked:
    """Remembers, by session, what has been asked since the last notice; in constant memory."""

    _sessions: OrderedDict[str, _Session] = field(default_factory=OrderedDict)

    def note(self, question: Approval) -> None:
        """Take in a question that has just been put into the queue."""
        session = self._sessions.setdefault(question.session, _Session())
        self._sessions.move_to_end(question.session)
        session.first = session.first or question
        session.count += 1
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)

    def due(self, now_ns: int) -> Iterator[tuple[Approval, int]]:
        """Yield the first new question of each session and how many there are; each once."""
        for session in self._sessions.values():
            if session.first is None or not _is_over(session.told_ns, now_ns):
                continue
            yield session.first, session.count
            session.first, session.count, session.told_ns = None, 0, now_ns


def _is_over(told_ns: int | None, now_ns: int) -> bool:
    # A clock that was set back must not keep a person waiting.
    return told_ns is None or not 0 <= now_ns - told_ns < QUIET * 1e9
