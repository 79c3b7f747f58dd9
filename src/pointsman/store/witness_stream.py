"""A line of checkpoints that is held against the tree while that is built anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.store.checkpoints import FIRST, Checkpoint


@dataclass(slots=True)
class Stream:
    """Checkpoints of one source, in order, and what was found out about them.

    ``keys`` are those whose word counts; an empty set takes any. ``linked`` is for the ledger's
    own, which name one another without a gap; files may leave out what came in quiet times.
    """

    source: str
    checkpoints: Iterator[Checkpoint]
    log: str
    keys: frozenset[bytes] = frozenset()
    linked: bool = False
    start: int | None = None
    """The number that the first must have, where that is known."""
    until: int | None = None
    """The time in ns after which it may vouch for more than an older copy has."""

    count: int = 0
    """How many held: sound, by a key that counts, with the root of the tree."""
    size: int = 0
    """How many entries the largest of those vouches for."""
    event: int = 0
    """The highest number of an event among these."""
    unsound: Checkpoint | None = None
    stranger: Checkpoint | None = None
    foreign: Checkpoint | None = None
    differs: Checkpoint | None = None
    beyond: Checkpoint | None = None
    fork: Checkpoint | None = None
    gap: Checkpoint | None = None
    mended: bool = False
    """Whether one held again after one that did not: the key's holder went on from there."""
    signers: set[bytes] = field(default_factory=set)
    _next: Checkpoint | None = None
    _before: Checkpoint | None = None
    _highest: int = 0

    def next_size(self) -> int | None:
        """Return at how many entries the next one is due, ``None`` when there is none left."""
        while self._next is None:
            found = next(self.checkpoints, None)
            if found is None:
                return None
            self._take(found)
        return self._next.tree_size

    def _take(self, found: Checkpoint) -> None:
        if found.log != self.log:
            self.foreign = self.foreign or found
            return
        self._check_place(found)
        self._before = found
        if not found.is_sound():
            self.unsound = self.unsound or found
        elif self.keys and found.key not in self.keys:
            self.stranger = self.stranger or found
        elif found.tree_size < self._highest:
            # The same hand has vouched for more before: what it vouched for was taken away.
            self.fork = self.fork or found
        else:
            self.signers.add(found.key)
            self._highest = found.tree_size
            self._next = found

    def _check_place(self, found: Checkpoint) -> None:
        if not self.linked:
            return
        before = self._before
        if before is not None:
            follows = found.seq == before.seq + 1 and found.previous == before.hash
        else:
            follows = self.start is None or found.seq == self.start
            follows = follows and (found.seq > 1 or found.previous == FIRST)
        if not follows:
            self.gap = self.gap or found

    def meet(self, size: int, root: bytes, event: int) -> None:
        """Hold what is due against a tree of ``size`` entries and its root."""
        while self.next_size() == size and self._next is not None:
            found, self._next = self._next, None
            if found.root != root:
                self.differs = self.differs or found
            else:
                self.count += 1
                self.size, self.event = size, max(event, self.event)
                self.mended = self.differs is not None

    def end(self) -> None:
        """Take what is left: it vouches for more than there is."""
        while self.next_size() is not None and self._next is not None:
            found, self._next = self._next, None
            if self.until is not None and found.ns > self.until:
                continue
            if self.beyond is None or found.tree_size > self.beyond.tree_size:
                self.beyond = found
