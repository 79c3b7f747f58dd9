"""What a contract lets a command change, as directories and files: all that a mount can be told.

A contract speaks of names, also of such as are not there yet; a mount speaks of what is there. So
a directory is writable where something new may be made right in it, and then what is there and
not allowed is protected one by one. docs/sandbox.md says the same for a reader.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.model.confinement import Confinement
from pointsman.model.contract import ALLOW_ALL, Contract
from pointsman.paths.globs import forbidding
from pointsman.paths.repository import main_repository
from pointsman.sandbox.caches import caches, made, temporary
from pointsman.sandbox.doors import doors
from pointsman.sandbox.git_store import store_of
from pointsman.sandbox.order import within
from pointsman.sandbox.pattern import State, Walked
from pointsman.sandbox.seen import Seen

MOST_PROTECTED = 2000
"""Things that are protected one by one: 50 µs each (measured), for each command."""
_MOST_ENTRIES = 50_000
_MOST_DEPTH = 64
_MOST_KEPT = 32


def confinement_of(
    contracts: Sequence[Contract],
    root: str,
    cwd: str,
    environ: Mapping[str, str],
    *,
    kept: Sequence[str] = (),
    network: bool = True,
    walks: "Walks | None" = None,
) -> Confinement:
    """Return what a command of an agent under these contracts may change.

    ``root`` is the repository that the contracts are held to, ``cwd`` the command's directory,
    ``environ`` the command's ``HOME``, ``TMPDIR`` and the like; ``kept`` are files and
    directories that stay read-only whatever is allowed (Pointsman's own state and settings and
    the host's), sockets among them are hidden. All contracts must allow. Where one is broken or
    read-only, or there is none, only temporary files and caches can be written. ``walks`` keeps
    what was worked out for as long as it holds.
    """
    del cwd
    root = os.path.realpath(root)
    home = os.path.realpath(environ.get("HOME") or os.path.expanduser("~"))
    temp, limits = temporary(environ, root, home)
    base = [*temp, *caches(environ, root, home)]
    walk = (walks or Walks()).of(root, tuple(contracts))
    store = store_of(root) if walk.allows else None
    if walk.allows:
        base += made(root)
    else:
        limits.append(walk.why)
    writable = [*base, *walk.writable]
    protected = [os.path.realpath(each) for each in kept if os.path.lexists(each)]
    protected += walk.protected
    if store is not None and not walk.forbids(f"{root}/.git"):
        writable += store.writable
        protected += store.protected
        limits += store.limits
    protected += _among_temporary((root, main_repository(root)), base, walk.writable)
    hidden = doors(environ, home, tuple(kept))
    return Confinement(
        root=root,
        writable=tuple(_pinned(dict.fromkeys(writable), protected)),
        protected=tuple(each for each in dict.fromkeys(protected) if each not in hidden),
        hidden=tuple(each for each in hidden if not within(root, each)),
        network=network,
        limits=(*limits, *walk.limits),
    )


def _among_temporary(
    roots: Sequence[str], base: Sequence[str], allowed: Sequence[str]
) -> Iterator[str]:
    """Yield the working trees that are no temporary files, though they lie among such."""
    for path in dict.fromkeys(roots):
        wide = any(within(path, each) for each in allowed)
        if not wide and any(within(path, each) for each in base):
            yield path


def _pinned(writable: Iterable[str], protected: Sequence[str]) -> list[str]:
    """Add the directories on the way from what is writable to what is protected.

    A directory that is a mount cannot be renamed: otherwise one could be moved aside with all
    that is protected in it, and another be put in its place. Where what is protected lies in
    something that is protected as a whole, none of them can be renamed anyhow.
    """
    found = dict.fromkeys(writable)
    known = sorted(found, key=len)
    kept = set(protected)
    for path in protected:
        above = os.path.dirname(path)
        holders = [each for each in known if within(above, each)]
        if not holders:
            continue
        between = []
        while above != holders[-1] and above not in found and above not in kept:
            between.append(above)
            above = os.path.dirname(above)
        if above not in kept:
            found |= dict.fromkeys(between)
    return list(found)


@dataclass(frozen=True, slots=True)
class _Held:
    """One contract, its globs ready to be walked."""

    everything: bool
    allowed: Walked
    forbidden: Walked


_States = tuple[tuple[State, State], ...]
"""Of each contract, where one stands in what it allows and in what it forbids."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What all contracts together say of where one stands."""

    none: bool
    """Nothing may be written below it."""
    all: bool
    """Everything below it is allowed, unless a contract forbids it."""
    restricted: bool
    """Something below it may be forbidden."""
    allowed: bool
    """It may itself be written."""


@dataclass(slots=True)
class _Walk:
    """Goes through the directories in which something is allowed and something is not."""

    root: str
    contracts: Sequence[Contract]
    writable: list[str] = field(default_factory=list)
    protected: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    why: str = ""
    seen: Seen = field(default_factory=lambda: Seen(_MOST_ENTRIES))
    _held: tuple[_Held, ...] = ()
    _links: int = 0
    _places: dict[_States, _Place] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for contract in self.contracts:
            if contract.problems:
                self.why = f"{contract.source} cannot be read: nothing but temporary files"
            elif contract.read_only:
                self.why = f"{contract.agent} is declared read-only: nothing but temporary files"
        if not self.contracts:
            self.why = "there is no contract: nothing but temporary files"
        self._held = tuple(
            _Held(
                each.allowed is ALLOW_ALL,
                Walked(each.allowed, self.root),
                Walked(forbidding(each.forbidden), self.root),
            )
            for each in self.contracts
        )

    @property
    def allows(self) -> bool:
        """Whether anything may be written at all."""
        return not self.why

    def run(self) -> None:
        """Fill ``writable``, ``protected`` and ``limits``."""
        states = tuple((each.allowed.start(), each.forbidden.start()) for each in self._held)
        self._visit("/", states, False, 0)

    def forbids(self, path: str) -> bool:
        """Whether a contract forbids this path or all that is below it."""
        states = tuple((each.allowed.start(), each.forbidden.start()) for each in self._held)
        for name in path.strip("/").split("/"):
            states = self._step(states, name)
        return any(
            held.forbidden.matches(state[1]) or held.forbidden.is_all(state[1])
            for held, state in zip(self._held, states, strict=True)
        )

    def note(self) -> None:
        """Say what could not be done in full."""
        if len(self.protected) >= MOST_PROTECTED:
            self.limits.append(
                f"more than {MOST_PROTECTED} files would have to be protected; the rest can be "
                "written, and is checked after the call"
            )
        if self.seen.entries >= _MOST_ENTRIES:
            self.limits.append(f"only the first {_MOST_ENTRIES} files were looked at")
        if self._links:
            self.limits.append(f"{self._links} symbolic links could be replaced")
        if self._open:
            more = f" and {len(self._open) - 1} more" if len(self._open) > 1 else ""
            self.limits.append(
                f"new names can be made in {self._open[0]}{more}; which of them the contract "
                "allows is checked after the call"
            )

    # --- one directory --------------------------------------------------------------------------

    def _step(self, states: _States, name: str) -> _States:
        return tuple(
            (held.allowed.step(allowed, name), held.forbidden.step(forbidden, name))
            for held, (allowed, forbidden) in zip(self._held, states, strict=True)
        )

    def _visit(self, path: str, states: _States, above: bool, depth: int) -> None:
        """Judge a directory; ``above`` says whether the one it lies in may be written."""
        place = self._place(states)
        if place.none:
            if above:
                self._protect(path)
            return
        if place.all and not place.restricted:
            if not above:
                self.writable.append(path)
            return
        here = self._makes_new(path, states)
        if here != above:
            (self.writable if here else self.protected).append(path)
        if here and not place.all:
            self._open.append(path)
        if depth < _MOST_DEPTH:
            for name, kind in self._entries_of(path, states, here):
                inside = f"{path.rstrip('/')}/{name}"
                if inside != f"{self.root}/.git":
                    self._judge(inside, kind, self._step(states, name), (here, depth))

    def _judge(self, path: str, kind: str, states: _States, place: tuple[bool, int]) -> None:
        here, depth = place
        if kind == "directory":
            self._visit(path, states, here, depth + 1)
        elif kind == "link":
            # A mount follows it; what it leads to is held as what it is.
            self._links += here and not self._place(states).allowed
        elif here and not self._place(states).allowed:
            self._protect(path)
        elif not here and self._place(states).allowed:
            self.writable.append(path)

    def _protect(self, path: str) -> None:
        if len(self.protected) < MOST_PROTECTED:
            self.protected.append(path)

    def _entries_of(self, path: str, states: _States, here: bool) -> list[tuple[str, str]]:
        names = self._names(states, here)
        if names is None:
            return self.seen.listed(path)
        found = [(name, self.seen.kind(f"{path.rstrip('/')}/{name}")) for name in sorted(names)]
        return [(name, kind) for name, kind in found if kind]

    # --- what the contracts say, together -------------------------------------------------------

    def _place(self, states: _States) -> _Place:
        place = self._places.get(states)
        if place is None:
            place = self._places[states] = self._place_of(states)
        return place

    def _place_of(self, states: _States) -> _Place:
        pairs = [(held, *state) for held, state in zip(self._held, states, strict=True)]
        return _Place(
            none=any(
                held.forbidden.is_all(forbidden)
                or not (held.everything or held.allowed.is_alive(allowed))
                for held, allowed, forbidden in pairs
            ),
            all=all(held.everything or held.allowed.is_all(allowed) for held, allowed, _ in pairs),
            restricted=any(held.forbidden.is_alive(forbidden) for held, _, forbidden in pairs),
            allowed=all(
                (held.everything or held.allowed.matches(allowed))
                and not held.forbidden.matches(forbidden)
                for held, allowed, forbidden in pairs
            ),
        )

    def _makes_new(self, path: str, states: _States) -> bool:
        def there(name: str) -> bool:
            return bool(self.seen.kind(f"{path.rstrip('/')}/{name}"))

        return all(
            held.everything
            or held.allowed.is_all(allowed)
            or held.allowed.makes_new(allowed, there)
            for held, (allowed, _) in zip(self._held, states, strict=True)
        )

    def _names(self, states: _States, here: bool) -> set[str] | None:
        """Return the names that are worth looking at, or ``None`` for all that are there."""
        if here and not self._place(states).all:
            return None
        names: set[str] = set()
        for held, (allowed, forbidden) in zip(self._held, states, strict=True):
            full = held.everything or held.allowed.is_all(allowed)
            for more in (
                set() if full else held.allowed.names(allowed),
                held.forbidden.names(forbidden),
            ):
                if more is None:
                    return None
                names |= more
        return names


class Walks:
    """Walks through repositories, each kept for as long as nothing that it has seen changes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, _Walk] = OrderedDict()

    def of(self, root: str, contracts: tuple[Contract, ...]) -> _Walk:
        """Return what these contracts let be written in a repository, as it is now."""
        # Which of them allow everything is told by the object, not by what it is equal to.
        key = (root, contracts, tuple(each.allowed is ALLOW_ALL for each in contracts))
        walk = self._kept.get(key)
        if walk is not None and walk.seen.holds():
            self._kept.move_to_end(key)
            return walk
        walk = _Walk(root, contracts)
        if walk.allows:
            walk.run()
        walk.note()
        self._kept.pop(key, None)
        if walk.seen.is_settled:
            self._kept[key] = walk
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return walk
