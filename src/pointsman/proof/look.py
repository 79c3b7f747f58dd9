"""One look at a tree: what has changed since the last, whose it is, and what is undone of it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.model.proof import Call, Finding, Judges, Outcome, Report
from pointsman.proof import aside, caches
from pointsman.proof.attribute import Case, Verdict, Whose, attribute
from pointsman.proof.baselines import Baselines
from pointsman.proof.blobs import Blobs
from pointsman.proof.changes import Change, differences
from pointsman.proof.others import Witness
from pointsman.proof.restore import Done, restore
from pointsman.proof.tree import DIRECTORY, Entry, Snapshot, scan
from pointsman.proof.under_way import Names, UnderWay

_ROUNDS = 4
"""Looks at a tree in a row: what is put back may lay open what was hidden behind it."""
_MOST_HOT = 10_000
_HOT_NS = 600 * 1_000_000_000
"""How long a file that a person has changed counts as one that a person is working on."""


@dataclass(slots=True)
class Tree:
    """What is known of one tree."""

    root: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    calls: UnderWay = field(default_factory=UnderWay)
    entries: dict[str, Entry] | None = None
    loaded: bool = False
    too_large: str = ""
    """Why it is not read, where it was too large when it was read at ``too_large_ns``."""
    too_large_ns: int = 0
    hot: dict[str, int] = field(default_factory=dict)
    """Paths that somebody without a call has changed, with the time."""
    unkept: dict[str, set[str] | None] = field(default_factory=dict)
    """By agent: paths that may have to be recorded; ``None`` is all of them."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a look works with."""

    state: Path
    baselines: Baselines
    blobs: Blobs
    signs: Witness
    clock: Callable[[], int]
    stopped: Callable[[], bool]


class Look:
    """One comparison of one tree."""

    def __init__(self, tools: Tools, tree: Tree, judges: Judges, call: Call | None) -> None:
        self._tools = tools
        self._tree = tree
        self._judges = judges
        self._call = call
        self._findings: dict[str, Finding] = {}
        self._aside: aside.Aside | None = None

    def take(self) -> Report:
        """Compare, undo what has to be undone, and make the rest the new baseline.

        Raises:
            Stopped: Pointsman is being stopped.
        """
        tree, tools = self._tree, self._tools
        first = not self._load()
        # Before the tree is read: what ends meanwhile counts for the next look as well.
        tree.calls.end_gone(tools.clock())
        problem = ""
        for _ in range(_ROUNDS):
            found = scan(
                tree.root, tree.entries or {}, self._keep, skip=frozenset({str(tools.state)}),
                stopped=tools.stopped,
            )  # fmt: skip
            self._tools.blobs.flush()
            if found.problem:
                tree.too_large, tree.too_large_ns = found.problem, tools.clock()
                tree.entries = None
                return Report(problem=found.problem)
            tree.too_large = ""
            if first:
                self._advance(found, {})
                problem = "there was no baseline to compare with" if self._call else ""
                break
            if not self._round(found):
                break
        tree.calls.drop_ended()
        problem = problem or _hidden(found, tree.entries or {})
        if self._aside is not None:
            self._aside.finish()
        kept = self._aside.id if self._aside is not None and self._aside.items else ""
        return Report(tuple(self._findings.values()), problem, kept)

    def _load(self) -> bool:
        """Whether there is a baseline, in memory or on disk."""
        tree = self._tree
        if not tree.loaded:
            tree.loaded = True
            tree.entries = self._tools.baselines.load(tree.root)
            tree.calls.load_lasting(self._tools.baselines.lasting(tree.root))
        return tree.entries is not None

    def _round(self, found: Snapshot) -> bool:
        """Judge every change once; whether something was undone, so that it has to be seen."""
        tree = self._tree
        changes = [
            each for each in differences(tree.entries or {}, found) if not caches.is_left(each.path)
        ]
        calls = tree.calls.all()
        signs = self._tools.signs(tree.root, calls)
        case = Case(
            calls, self._judges, Names(tree.root), lambda each: self._sign(each, signs),
            tree.calls.silent,
        )  # fmt: skip
        verdicts = [(change, attribute(change, case)) for change in changes]
        for change, verdict in verdicts:
            self._note(change, verdict)
        guilty = _with_parents(verdicts)
        done = self._undo(guilty) if guilty else {}
        held = {each.path: each.before for each, it in verdicts if it.whose is Whose.LATER}
        held |= {path: it.change.before for path, it in done.items() if not it.problem}
        self._advance(found, held)
        return any(not each.problem for each in done.values())

    def _note(self, change: Change, verdict: Verdict) -> None:
        """Remember what was nobody's, and report what cannot be told."""
        # By the file's own time: what was changed while nobody looked is not being worked on now.
        if verdict.whose is Whose.OTHERS and not verdict.calls and change.before is not None:
            self._tree.hot[change.path] = change.touched_ns
            if len(self._tree.hot) > _MOST_HOT:
                del self._tree.hot[next(iter(self._tree.hot))]
        if verdict.whose is Whose.UNTOLD:
            ids = tuple(call.id for call in verdict.calls)
            self._findings[change.path] = Finding(
                change.path, change.what, Outcome.UNTOLD, verdict.why, ids
            )

    def _sign(self, change: Change, signs: Callable[[Change], str]) -> str:
        at = self._tree.hot.get(change.path, 0)
        if at and self._tools.clock() - at < _HOT_NS:
            return "somebody has been working on it, outside every call"
        return signs(change)

    def _undo(self, guilty: Mapping[str, tuple[Change, Verdict]]) -> dict[str, Done]:
        if self._aside is None:
            call = self._call or next(iter(guilty.values()))[1].calls[0]
            about = {
                "root": self._tree.root, "session": call.session, "agent": call.agent,
                "tool": call.tool, "tool_use_id": call.id, "text": call.text[:2000],
            }  # fmt: skip
            self._aside = aside.open_aside(self._tools.state, call.session, call.id, about)
        changes = [change for change, _ in guilty.values()]
        done = restore(self._tree.root, changes, self._tools.blobs.get, self._aside)
        for path, (change, verdict) in guilty.items():
            it = done[path]
            outcome = Outcome.QUIET if caches.is_code(path) else Outcome.RESTORED
            if it.problem:
                outcome = Outcome.UNRESTORED
            ids = tuple(call.id for call in verdict.calls)
            why = f"{verdict.why}; {it.problem}" if it.problem else verdict.why
            self._findings[path] = Finding(path, change.what, outcome, why, ids, it.kept)
        return done

    def _advance(self, found: Snapshot, held: Mapping[str, Entry | None]) -> None:
        """Make what was found the baseline, but for the paths that are held to the old one."""
        tree = self._tree
        old = tree.entries or {}
        new = found.entries
        if found.blind:
            new |= {path: entry for path, entry in old.items() if path not in new
                    and _is_hidden(path, found.blind)}  # fmt: skip
        for path, entry in held.items():
            if entry is None:
                new.pop(path, None)
            else:
                new[path] = entry
        changed: dict[str, Entry | None] = {
            path: entry for path, entry in new.items() if old.get(path) is not entry
        }
        changed |= {path: None for path in old if path not in new}
        if changed or tree.entries is None:
            self._tools.baselines.save(tree.root, changed)
        tree.entries = new
        for waiting in tree.unkept.values():
            if waiting is not None:
                waiting.update(changed)

    def _keep(self, path: str, digest: str, data: bytes) -> None:
        """Record what was just read, where it is outside of some agent's contract."""
        if digest not in self._tools.blobs and any(judge(path) for judge in self._judges.values()):
            self._tools.blobs.put(digest, data)


def _with_parents(
    verdicts: list[tuple[Change, Verdict]],
) -> dict[str, tuple[Change, Verdict]]:
    """Return what has to be undone; a file that comes back needs the directories it was in."""
    guilty = {each.path: (each, it) for each, it in verdicts if it.whose is Whose.CALL}
    gone = {
        each.path: each
        for each, _ in verdicts
        if each.after is None and each.before is not None and each.before.kind == DIRECTORY
    }
    for change, verdict in list(guilty.values()):
        path = change.path if change.before is not None else ""
        while "/" in path:
            path = path.rpartition("/")[0]
            if path in gone and path not in guilty:
                guilty[path] = (gone[path], verdict)
    return guilty


def _hidden(found: Snapshot, entries: Mapping[str, Entry]) -> str:
    """Say where something is known to lie that could not be looked at; else nothing is missed."""
    if not found.blind:
        return ""
    path = next((each for each in entries if _is_hidden(each, found.blind)
                 and each not in found.blind), None)  # fmt: skip
    if path is None:
        return ""
    place = next(each for each in found.blind if _is_hidden(path, {each: ""}))
    return f"{place or '.'} could not be looked into: {found.blind[place]}"


def _is_hidden(path: str, blind: Mapping[str, str]) -> bool:
    return any(not each or path == each or path.startswith(f"{each}/") for each in blind)
