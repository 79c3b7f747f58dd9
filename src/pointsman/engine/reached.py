"""What the kernel let each call change: known when it runs, asked for when it has ended."""

from collections import OrderedDict

from pointsman.model.confinement import Confinement
from pointsman.model.event import Event

_MOST_CALLS = 4096


class Reached:
    """Remembers, in constant memory, where a call could write.

    What it gives are absolute paths; before one that could *not* be written, though it lies
    below one that could, stands a minus, and a tilde before one of which only the mode could be
    changed. The deepest that holds a path decides over it.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()

    def note(self, session: str, call: str, confinement: Confinement, mechanism: str) -> None:
        """Take down how a call is held."""
        # Landlock cannot take back below a directory what it has given.
        kept = confinement.protected if mechanism == "bubblewrap" else ()
        modes = () if mechanism == "bubblewrap" else ("~/",)
        entries = (*modes, *confinement.writable, *(f"-{path}" for path in kept))
        self._calls[session, call] = entries
        if len(self._calls) > _MOST_CALLS:
            self._calls.popitem(last=False)

    def of(self, event: Event) -> tuple[str, ...] | None:
        """Return what the call of this event could write; ``None`` where nothing held it."""
        who = event.identity
        return self._calls.get((who.session, who.tool_use_id or ""))
