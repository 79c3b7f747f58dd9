"""From one session to the next: the record, the transcript and the brief meet here."""

import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from pointsman.agents.claude_words import last_words
from pointsman.handoff.gather import gather
from pointsman.handoff.words import words
from pointsman.model.errors import LedgerError
from pointsman.model.event import Event
from pointsman.model.handoff import AfterClear, Brief
from pointsman.model.watching import ContextLimits
from pointsman.store.query import opened
from pointsman.store.story import just_cleared, story_of

_MOST_CLAIMED = 512
_TOGETHER_NS = 5 * 10**9
"""Two sessions that were cleared in one directory within this time cannot be told apart."""
_WAIT_S = 1.0
_POLL_S = 0.05


class Handing:
    """Makes briefs from the ledger at ``ledger`` (``model.handoff.Handoff``)."""

    def __init__(
        self,
        ledger: Path,
        clock: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._sleep = sleep
        self._claimed: OrderedDict[str, None] = OrderedDict()

    def brief(self, session: str, limits: ContextLimits) -> Brief | None:
        """Return the brief of a session, ``None`` where nothing is on record of it.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        with opened(self._ledger) as connection:
            story = story_of(connection, session)
        if story is None:
            return None
        return gather(story, last_words(story.transcript), limits)

    def after_clear(self, event: Event, mode: AfterClear, window: float, at: float) -> str:
        """Return the brief for a session that follows on ``/clear``, empty where there is none."""
        if mode is AfterClear.NEVER:
            return ""
        cleared = self._cleared(event)
        if len(cleared) != 1:
            listed = ", ".join(cleared)
            return (
                f"Several sessions were cleared here at the same time ({listed}): which of them "
                "this one follows cannot be known. A person sees a brief with: pointsman handoff "
                "SESSION"
                if cleared
                else ""
            )
        self._claimed[cleared[0]] = None
        if len(self._claimed) > _MOST_CLAIMED:
            self._claimed.popitem(last=False)
        brief = self.brief(cleared[0], ContextLimits(window=window, alert=at, handoff=at))
        if brief is None or not (brief.goal or brief.last_words):
            return ""  # Nothing was asked in it: there is nothing to hand over.
        if mode is AfterClear.PAST and not brief.condition.reasons:
            return ""
        return words(brief)

    def _cleared(self, event: Event) -> list[str]:
        """Return the sessions that this one may follow; the end of one may still be on its way."""
        waited = 0.0
        while True:
            found = self._unclaimed(event)
            if found or waited >= _WAIT_S:
                return found
            self._sleep(_POLL_S)
            waited += _POLL_S

    def _unclaimed(self, event: Event) -> list[str]:
        try:
            with opened(self._ledger) as connection:
                rows = just_cleared(connection, event.identity.cwd, self._clock())
        except LedgerError:
            return []
        rows = [row for row in rows
                if row[0] not in self._claimed and row[0] != event.identity.session]  # fmt: skip
        newest = rows[0][1] if rows else 0
        return list(dict.fromkeys(name for name, at in rows if newest - at < _TOGETHER_NS))
