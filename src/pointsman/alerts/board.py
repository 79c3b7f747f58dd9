"""What stands at the moment, for hooks to look at: who is on hold, and what a person must hear.

The daemon writes it, hooks read it; nothing here waits for a disk.
"""

from collections import OrderedDict
from collections.abc import Iterable

from pointsman.model.alerting import UNATTENDED, Alert, Hold, State
from pointsman.model.errors import AlertError
from pointsman.model.event import Event

_MOST_SESSIONS = 512
_MOST_TOLD = 512
_MOST_NEWS = 5


class Board:
    """One for the whole daemon.

    ``unread`` says why nobody knows who is on hold; until it is empty nobody may go on.
    """

    def __init__(self) -> None:
        self.unread = ""
        self._holds: dict[tuple[str, str | None], Hold] = {}
        self._news: tuple[Alert, ...] = ()
        self._told: OrderedDict[str, OrderedDict[tuple[int, State], None]] = OrderedDict()

    @property
    def holds(self) -> bool:
        """Whether anybody is on hold."""
        return bool(self._holds) or bool(self.unread)

    def held(self, event: Event) -> Hold | None:
        """Return by what whoever acts in this event is stopped.

        Raises:
            AlertError: nobody can tell who is.
        """
        if self.unread:
            raise AlertError(
                f"whether a person has stopped this agent cannot be told: {self.unread}",
                fix="pointsman alerts list",
            )
        who = event.identity
        return self._holds.get((who.session, None)) or self._holds.get((who.session, who.agent_id))

    def hold(self, holds: Iterable[Hold]) -> None:
        """Say who is on hold; nobody else is."""
        self._holds = {(each.session, each.agent_id): each for each in holds}

    def show(self, alerts: Iterable[Alert]) -> None:
        """Say which alerts are open."""
        self._news = tuple(each for each in alerts if each.state in UNATTENDED)

    def news(self, event: Event) -> tuple[Alert, ...]:
        """Return the alerts that whoever sits at this session was not told of, and note that.

        At most five at once, the newest; of an alert again only when it has become worse.
        """
        if not self._news:
            return ()
        told = self._told.setdefault(event.identity.session, OrderedDict())
        self._told.move_to_end(event.identity.session)
        while len(self._told) > _MOST_SESSIONS:
            self._told.popitem(last=False)
        new = [each for each in self._news if (each.number, each.state) not in told]
        for each in new:
            told[each.number, each.state] = None
        while len(told) > _MOST_TOLD:
            told.popitem(last=False)
        return tuple(new[-_MOST_NEWS:])
