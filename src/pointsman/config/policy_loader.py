"""Provisional."""

from collections.abc import Iterator

from pointsman.model.places import Places
from pointsman.model.policy import Policy


class PolicyLoader:
    """Provisional."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._known: dict[str | None, Policy] = {}

    def policy_for(self, repository: str | None) -> Policy:
        """Return the defaults."""
        return self._known.setdefault(repository, Policy(repository=repository))

    def drain_events(self) -> Iterator[tuple[str, str]]:
        """Return nothing."""
        return iter(())
