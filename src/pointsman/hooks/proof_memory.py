"""What calls that are under way are judged by: the contracts that were in force when they began.

A program may take its own contract away, or write itself another. Whoever reads the contracts when
the call has ended would find nothing to hold it to.
"""

from collections import OrderedDict

from pointsman.model.event import Event
from pointsman.model.proof import Judges

_MOST_AGENTS = 512


class Begun:
    """Remembers, in constant memory, what the last call of each agent was judged by."""

    def __init__(self) -> None:
        self._judges: OrderedDict[tuple[str, str], Judges] = OrderedDict()

    def begin(self, event: Event, judges: Judges) -> None:
        """Take down what a call that begins is judged by."""
        self._judges[_key(event)] = judges
        self._judges.move_to_end(_key(event))
        if len(self._judges) > _MOST_AGENTS:
            self._judges.popitem(last=False)

    def of(self, event: Event) -> Judges:
        """Return what this agent's last call was judged by; nothing where none was."""
        return self._judges.get(_key(event), {})

    def end(self, event: Event) -> None:
        """Forget this agent: it has ended, or a person has let it go free."""
        self._judges.pop(_key(event), None)


def _key(event: Event) -> tuple[str, str]:
    return event.identity.session, event.identity.agent_id or ""
