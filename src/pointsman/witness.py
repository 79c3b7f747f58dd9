"""What somebody has answered at the host's own prompt, as far as what follows tells.

The host reports no answer. A call that was made was answered yes; one that is missing from what
was made, though the work went on, was answered no. Where neither shows, it is not known.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.model.approval import Approval, State
from pointsman.model.event import Event
from pointsman.model.events import (
    PermissionDenied,
    PostToolBatch,
    PostToolUse,
    PostToolUseFailure,
    SessionEnd,
    SubagentStop,
    UserPromptSubmit,
)
from pointsman.store.approvals import Approvals

BY = "the host's prompt"
_MOST = 1024


@dataclass(slots=True)
class _Expected:
    id: str
    session: str
    agent_id: str | None
    state: State


class Witness:
    """Remembers what the host was asked, in constant memory, and looks at what follows."""

    def __init__(self, store: Approvals) -> None:
        self._store = store
        self._expected: OrderedDict[str, _Expected] | None = None

    def expect(self, one: Approval) -> None:
        """Look out for the answer to this question."""
        table = self._table()
        table[one.call] = _Expected(one.id, one.session, one.agent_id, one.state)
        while len(table) > _MOST:
            table.popitem(last=False)

    def follow(self, event: Event) -> None:
        """Take from an event what it tells about questions that are open.

        Raises:
            ApprovalError: it cannot be put down.
        """
        if not isinstance(event, _TELLING):
            return
        table = self._table()
        if not table:
            return
        for call, after in _answers(event, table):
            self._answered(event, call, after)

    def _answered(self, event: Event, call: str, after: State) -> None:
        table = self._table()
        one = table[call]
        if after is one.state or (after is not State.ANSWERED_YES and one.state is not State.ASKED):
            return
        moment = event.received_ns
        if isinstance(event, (PostToolUse, PostToolUseFailure)):
            # It ran for so long after the answer.
            moment -= event.duration_ms * 1_000_000
        # Of a no only what came after is known, not when it was said.
        decided = moment if after is State.ANSWERED_YES else 0
        self._store.move(
            one.id, one.state, after, by=BY, text=f"as {event.kind} tells",
            decided_ns=decided, decided_by=BY,
        )  # fmt: skip
        one.state = after
        if after is State.ANSWERED_YES:
            del table[call]

    def _table(self) -> OrderedDict[str, _Expected]:
        if self._expected is None:
            # Those of a daemon before this one.
            self._expected = OrderedDict(
                (one.call, _Expected(one.id, one.session, one.agent_id, one.state))
                for one in self._store.some((State.ASKED,), _MOST)
                if one.call
            )
        return self._expected


_TELLING = (
    PostToolUse, PostToolUseFailure, PermissionDenied, PostToolBatch, UserPromptSubmit, SessionEnd,
    SubagentStop,
)  # fmt: skip


def _answers(event: Event, table: OrderedDict[str, _Expected]) -> Iterator[tuple[str, State]]:
    """Yield the calls that an event tells something about, and what."""
    call = event.identity.tool_use_id or ""
    if isinstance(event, (PostToolUse, PostToolUseFailure)):
        yield from [(call, State.ANSWERED_YES)] if call in table else []
    elif isinstance(event, PermissionDenied):
        yield from [(call, State.ANSWERED_NO)] if call in table else []
    elif isinstance(event, PostToolBatch):
        # Made calls have had their own event before.
        ended = {str(one.get("tool_use_id")) for one in event.tool_calls}
        yield from [(each, State.ANSWERED_NO) for each in table if each in ended]
    else:
        after = State.ANSWERED_NO if isinstance(event, UserPromptSubmit) else State.UNKNOWN
        yield from [(each, after) for each in list(table) if _is_about(event, table[each])]


def _is_about(event: Event, one: _Expected) -> bool:
    """Whether the end of a turn, of an agent or of a session is that of who had asked."""
    if event.identity.session != one.session:
        return False
    if isinstance(event, SessionEnd):
        return True
    return event.identity.agent_id == one.agent_id
