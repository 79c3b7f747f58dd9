"""Which calls are under way in one tree, which have just ended, which have left something."""

import os
import threading
from collections import OrderedDict
from dataclasses import asdict, replace
from typing import Any

from pointsman.model.proof import Call, Foretold
from pointsman.paths.canonical import real_path
from pointsman.proof.changes import Change
from pointsman.proof.others import born_of

_MOST_CALLS = 256
_MOST_LASTING = 64
_Key = tuple[str, str, str]


class UnderWay:
    """The calls of one tree, in bounded memory; may be asked from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[_Key, Call] = OrderedDict()
        self._ended: list[Call] = []
        self._lasting: list[Call] = []
        self._silent: set[str] = set()

    @property
    def silent(self) -> frozenset[str]:
        """The ids of calls of whose end nobody has said anything."""
        with self._lock:
            return frozenset(self._silent)

    def add(self, call: Call) -> None:
        """Note that a call is about to run."""
        with self._lock:
            self._open[_key(call)] = call
            if len(self._open) > _MOST_CALLS:
                self._open.popitem(last=False)

    def end(self, call: Call) -> Call:
        """Note that a call has ended; return it with what was known of it from the start."""
        with self._lock:
            known = self._open.pop(_key(call), None)
            if known is not None:
                call = replace(
                    call,
                    began_ns=known.began_ns,
                    foretold=_both(known.foretold, call.foretold),
                    writable=known.writable if call.writable is None else call.writable,
                )
            # Its changes are looked for at the next look, which may come after others have begun.
            self._ended.append(call)
            del self._ended[:-_MOST_CALLS]
            return call

    def of(self, call: Call) -> bool:
        """Whether the agent of this call has others that have not ended, or that may run on."""
        with self._lock:
            every = (*self._open.values(), *self._lasting)
            return any(_same_agent(each, call) for each in every)

    def silence(self, call: Call) -> None:
        """End every call of this call's agent; whether they ran at all is not known."""
        with self._lock:
            for key, each in list(self._open.items()):
                if _same_agent(each, call):
                    del self._open[key]
                    self._ended.append(replace(each, ended_ns=call.ended_ns))
                    self._silent.add(each.id)

    def all(self) -> list[Call]:
        """Return every call that may have changed something since the last look."""
        with self._lock:
            return [*self._open.values(), *self._ended, *self._lasting]

    def end_gone(self, now_ns: int) -> None:
        """End what no hook has announced and whose process is gone: no hook tells of its end."""
        with self._lock:
            for key, each in list(self._open.items()):
                if each.pid and born_of(each.pid) != each.born:
                    del self._open[key]
                    self._ended.append(replace(each, ended_ns=now_ns))

    def drop_ended(self) -> None:
        """Forget the calls that have ended: the tree has been looked at since."""
        with self._lock:
            self._ended.clear()
            self._silent.clear()

    def keep_lasting(self, call: Call) -> None:
        """Remember a call that may have left something running."""
        with self._lock:
            # The newest last: where there are too many, the oldest are forgotten.
            self._lasting = [each for each in self._lasting if each.id != call.id]
            self._lasting = [*self._lasting, call][-_MOST_LASTING:]

    def forget_lasting(self, call: Call) -> None:
        """Forget what the calls of this call's agent have left."""
        with self._lock:
            self._lasting = [each for each in self._lasting if not _same_agent(each, call)]

    def lasting_rows(self) -> list[dict[str, object]]:
        """Return the calls that may have left something, to be kept."""
        with self._lock:
            return [asdict(each) for each in self._lasting]

    def load_lasting(self, rows: list[dict[str, Any]]) -> None:
        """Take in what was kept; what cannot be read is left out."""
        for row in rows:
            try:
                told = row["foretold"]
                inodes = tuple((dev, ino) for dev, ino in told["inodes"])
                foretold = Foretold(tuple(told["paths"]), told["opaque"], inodes)
                writable = None if row["writable"] is None else tuple(row["writable"])
                call = Call(**{**row, "foretold": foretold, "writable": writable})
            except (KeyError, TypeError):
                continue
            self.keep_lasting(call)


class Names:
    """Whether the analysis of a call names a path, by whatever name the path has.

    A link may lead there, when the call was announced or now; so may a second name of one file.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._known: dict[Call, tuple[set[str], set[tuple[int, int]]]] = {}

    def __call__(self, call: Call, change: Change) -> bool:
        """Say whether the call is known to write this path, or something above it."""
        if not call.foretold.paths:
            return False
        # Links are followed once for each call: there may be thousands of changes to ask about.
        if call not in self._known:
            self._known[call] = self._resolved(call)
        places, inodes = self._known[call]
        for entry in (change.before, change.after):
            if entry is not None and (entry.stamp.dev, entry.stamp.ino) in inodes:
                return True
        path = f"{self._root}/{change.path}"
        while len(path) >= len(self._root):
            if path in places:
                return True
            path = path.rpartition("/")[0]
        return False

    def _resolved(self, call: Call) -> tuple[set[str], set[tuple[int, int]]]:
        now = followed(call.foretold)
        return set(now.paths), set(now.inodes)


def followed(foretold: Foretold) -> Foretold:
    """Return what is foretold with the places and files that its paths lead to now."""
    paths = list(foretold.paths)
    inodes = list(foretold.inodes)
    for path in foretold.paths:
        real = real_path(path)
        paths.append(real)
        try:
            at = os.stat(real)  # noqa: PTH116 - a handful
        except OSError:
            continue
        inodes.append((at.st_dev, at.st_ino))
    return replace(foretold, paths=tuple(dict.fromkeys(paths)), inodes=tuple(inodes))


def _both(one: Foretold, other: Foretold) -> Foretold:
    paths = tuple(dict.fromkeys((*one.paths, *other.paths)))
    return Foretold(paths, one.opaque or other.opaque, (*one.inodes, *other.inodes))


def _key(call: Call) -> _Key:
    return (call.session, call.agent_id, call.id)


def _same_agent(one: Call, other: Call) -> bool:
    return (one.session, one.agent_id) == (other.session, other.agent_id)
