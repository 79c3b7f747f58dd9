"""What two snapshots of one tree differ in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.proof.tree import DIRECTORY, FILE, Entry, Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """One path that is not what it was. ``before`` or ``after`` is ``None`` where it was not.

    ``moved`` names the other end of a move: where a created file came from, where a deleted one
    went. In nanoseconds, and 0 where it is not known: it happened no later than ``when_ns``, and
    the file itself was last touched at ``touched_ns``.
    """

    path: str
    before: Entry | None
    after: Entry | None
    moved: str = ""
    when_ns: int = 0

    @property
    def touched_ns(self) -> int:
        """When the file was last touched; a directory's time moves on with what lies in it."""
        after = self.after
        return after.stamp.ctime if after is not None and after.kind != DIRECTORY else 0

    @property
    def is_of_mode(self) -> bool:
        """Whether nothing but the mode has changed."""
        before, after = self.before, self.after
        if before is None or after is None:
            return False
        same = (before.kind, before.content) == (after.kind, after.content)
        return same and before.mode != after.mode

    @property
    def what(self) -> str:
        """What has happened, in a word or two."""
        before, after = self.before, self.after
        if before is None:
            return "moved here" if self.moved else "created"
        if after is None:
            return "moved away" if self.moved else "deleted"
        if before.kind != after.kind:
            return f"made a {after.kind}"
        if before.content != after.content:
            return "modified"
        return f"mode {before.mode:04o} made {after.mode:04o}"


def differences(before: Mapping[str, Entry], after: Snapshot) -> list[Change]:
    """Return every path whose content, mode, type or being there has changed, sorted.

    What lies in a directory that could not be looked into counts as unchanged.
    """
    now = after.entries
    changed = [
        path
        for path, entry in now.items()
        # What was not read again is the same object; nothing else need be compared.
        if (old := before.get(path)) is not entry and (old is None or old.state != entry.state)
    ]
    gone = [path for path in before if path not in now]
    if after.blind:
        gone = [path for path in gone if not _is_below(path, after.blind)]
    moves = _moves([path for path in changed if path not in before], gone, before, now)
    return [
        Change(path, before.get(path), now.get(path), moves.get(path, ""), _when(path, before, now))
        for path in sorted([*changed, *gone])
    ]


def _moves(
    created: list[str], gone: list[str], before: Mapping[str, Entry], now: Mapping[str, Entry]
) -> dict[str, str]:
    """Pair what went with what came: the same inode, or the same content."""
    places = {before[path].stamp[2:4]: path for path in gone}
    contents = {before[path].content: path for path in gone if before[path].kind == FILE}
    out: dict[str, str] = {}
    for path in created:
        entry = now[path]
        origin = places.get(entry.stamp[2:4])
        if origin is None and entry.kind == FILE:
            origin = contents.get(entry.content)
        if origin is not None and before[origin].kind == entry.kind and origin not in out:
            out[path], out[origin] = origin, path
    return out


def _when(path: str, before: Mapping[str, Entry], now: Mapping[str, Entry]) -> int:
    """Return the latest time at which a path can have become what it is.

    That is its inode's last change; but a directory that is renamed takes what lies in it along,
    whose times stay. So every directory above that is not what it was counts as well, with the one
    it has come into.
    """
    entry = now.get(path)
    times = [entry.stamp.ctime] if entry is not None else []
    moved = entry is None or not _is_same(before.get(path), entry)
    while moved and "/" in path:
        path = path.rpartition("/")[0]
        above = now.get(path)
        if above is None:
            # Gone as well: what it has gone from is further up.
            continue
        times.append(above.stamp.ctime)
        moved = not _is_same(before.get(path), above)
    # The root's own time is not known here.
    return 0 if moved else max(times, default=0)


def _is_same(before: Entry | None, after: Entry) -> bool:
    return before is not None and before.stamp[2:4] == after.stamp[2:4]


def _is_below(path: str, directories: Mapping[str, str]) -> bool:
    if "" in directories or path in directories:
        return True
    while "/" in path:
        path = path.rpartition("/")[0]
        if path in directories:
            return True
    return False
