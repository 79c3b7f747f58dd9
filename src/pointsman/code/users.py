"""Who uses what a file exports: followed from where it is declared through what passes it on."""

from collections import OrderedDict
from collections.abc import Iterable

from pointsman.code.facts import ALL, DEFAULT, WHOLE
from pointsman.code.view import View


def users_of(view: View, path: str, names: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return who uses these names of a file: by user, the names with the line of the first use.

    A file that only passes a name on with ``export *`` does not use it.
    """
    return _Walk(view, path).of(frozenset(names))


class _Walk:
    """Follows names from where they are declared through what passes them on."""

    _MOST_STATES = 4000
    _CHUNK = 400

    def __init__(self, view: View, path: str) -> None:
        self._view = view
        self._path = path
        self._out: dict[str, dict[str, int]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._open: OrderedDict[str, dict[str, str]] = OrderedDict()

    def of(self, names: frozenset[str]) -> dict[str, dict[str, int]]:
        start = self._path
        if start.endswith(".go"):
            start = f"{start.rpartition('/')[0]}/"
        for name in names:
            self._push(start, name, name)
        while self._open and len(self._seen) < self._MOST_STATES:
            target, wanted = self._open.popitem(last=False)
            self._step(target, wanted)
        self._out.pop(self._path, None)
        return self._out

    def _push(self, target: str, name: str, origin: str) -> None:
        if (target, name) not in self._seen:
            self._seen.add((target, name))
            self._open.setdefault(target, {})[name] = origin

    def _step(self, target: str, wanted: dict[str, str]) -> None:
        heads = {name.split(".")[0] for name in wanted if "." in name}
        asked = sorted({*wanted, *heads, WHOLE, ALL})
        for start in range(0, len(asked), self._CHUNK):
            some = asked[start : start + self._CHUNK]
            marks = ", ".join("?" * len(some))
            sql = (
                "SELECT name, user, line, given, counts FROM edge"  # noqa: S608 - marks alone
                f" WHERE tree = ? AND target = ? AND name IN ({marks})"
            )
            for row in self._view.rows(sql, (self._view.tree, target, *some)):
                name, user, line, given, counts = row
                self._edge(wanted, str(name), (str(user), int(str(line))), str(given), bool(counts))

    def _edge(
        self, wanted: dict[str, str], name: str, user: tuple[str, int], given: str, counts: bool
    ) -> None:
        if name == ALL:
            self._all_of(wanted, user, given)
        elif name == WHOLE:
            if given:
                for one, origin in wanted.items():
                    self._push(user[0], f"{given}.{one}", origin)
        elif name in wanted:
            if counts:
                self._hit(user, wanted[name])
            if given:
                self._push(user[0], given, wanted[name])
        elif given:
            for one, origin in wanted.items():
                if one.startswith(f"{name}."):
                    self._push(user[0], f"{given}{one[len(name) :]}", origin)

    def _all_of(self, wanted: dict[str, str], user: tuple[str, int], given: str) -> None:
        if given:
            for one, origin in wanted.items():
                if one.split(".")[0] != DEFAULT:
                    self._push(user[0], one, origin)
            return
        row = self._view.one(
            "SELECT c.names FROM file f JOIN content c ON c.hash = f.hash"
            " WHERE f.tree = ? AND f.path = ?",
            (self._view.tree, user[0]),
        )
        names = str(row[0]) if row else ""
        for one, origin in wanted.items():
            if f" {one} " in names:
                self._hit(user, origin)

    def _hit(self, user: tuple[str, int], origin: str) -> None:
        path, line = user
        names = self._out.setdefault(path, {})
        names[origin] = min(line, names.get(origin, line))
