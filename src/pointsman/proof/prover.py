"""Keeps a baseline of each tree, and holds every change of it to the calls that were under way.

Baselines are a chain: each look at a tree compares it with the one before, says whose each change
is, undoes what was a call's and outside its contract, and makes the rest the new baseline. So
nothing is judged twice, and what changes between two calls is nobody's unless something that a
call has left behind is known to run.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pointsman.model.proof import Call, Judges, Outside, Report
from pointsman.proof import aside
from pointsman.proof.baselines import Baselines
from pointsman.proof.blobs import MOST_FILE, Blobs
from pointsman.proof.look import Look, Tools, Tree
from pointsman.proof.others import Witness, born_of, left_running, witness
from pointsman.proof.tree import FILE, Entry, Stopped
from pointsman.proof.under_way import followed

_KEPT_NS = 90 * 86_400 * 1_000_000_000
_TREES_NS = 30 * 86_400 * 1_000_000_000
_BLOBS_NS = 7 * 86_400 * 1_000_000_000
_TIDY_NS = 86_400 * 1_000_000_000
_TOO_LARGE_NS = 600 * 1_000_000_000
"""How long a tree that is too large is not read again: that costs seconds, for each call."""
_MOST_ROOTS = 256
_STOPPED = "Pointsman is being stopped"


class Proof:
    """The prover of one daemon. May be asked from several threads, one at a time for each tree."""

    def __init__(
        self,
        state: Path,
        *,
        signs: Witness = witness,
        running: Callable[[str], bool] = left_running,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state = state
        self._signs = signs
        self._running = running
        self._clock = clock
        self._lock = threading.Lock()
        self._trees: dict[str, Tree] = {}
        self._reals: dict[str, tuple[tuple[int, int], str]] = {}
        self._tools: Tools | None = None
        self._stopped = False
        self._tidied = 0

    def prepare(self, root: str, judges: Judges) -> Report:
        """Read a tree before anybody asks."""
        tree = self._tree(root)
        with tree.lock:
            report = self._look(tree, judges)
            for agent in () if report.problem else tuple(judges):
                report = self._record(tree, agent, judges[agent], report)
        if self._clock() - self._tidied > _TIDY_NS:
            self._tidied = self._clock()
            report = self._safely(self.tidy, report)
        return report

    def before(self, call: Call, judges: Judges) -> Report:
        """Take the baseline of a call, and remember that it is under way."""
        tree = self._tree(call.root)
        with tree.lock:
            report = self._look(tree, judges)
            if call.agent in judges and not report.problem:
                report = self._record(tree, call.agent, judges[call.agent], report)
            # Only now: what changed while the tree was read was not the call, which waits for us.
            told = followed(call.foretold)
            tree.calls.add(replace(call, began_ns=self._clock(), foretold=told))
            return report

    def note(self, call: Call) -> None:
        """Remember a call of an agent without a contract."""
        self._tree(call.root).calls.add(replace(call, began_ns=call.began_ns or self._clock()))

    def noted(self, call: Call) -> None:
        """Remember that such a call is over; it counts until the next look."""
        self._tree(call.root).calls.end(replace(call, ended_ns=call.ended_ns or self._clock()))

    def beside(self, root: str, agent: str, pid: int) -> None:
        """Remember a command that no hook has announced, for as long as its process runs."""
        name, now = f"process {pid}", self._clock()
        born = born_of(pid)
        if born:
            self._tree(root).calls.add(
                Call(root=root, session="", agent=agent, agent_id=name, id=name,
                     began_ns=now, ran_ns=now, pid=pid, born=born)
            )  # fmt: skip

    def after(self, call: Call, judges: Judges) -> Report:
        """Compare after a call, and put back what it changed outside its contract."""
        tree = self._tree(call.root)
        ended = replace(call, ended_ns=call.ended_ns or self._clock())
        with tree.lock:
            ended = tree.calls.end(ended)
            report = self._look(tree, judges, ended)
            if ended.lasting or self._running(ended.session):
                tree.calls.keep_lasting(replace(ended, lasting=True))
                report = self._safely(lambda: self._keep_lasting(tree), report)
            return report

    def unsettled(self, call: Call) -> bool:
        """Whether this agent has calls of which no end is known."""
        return self._tree(call.root).calls.of(call)

    def settle(self, call: Call, judges: Judges, *, over: bool) -> Report:
        """Compare where calls of this agent may have ended without a word."""
        tree = self._tree(call.root)
        if not tree.calls.of(call):
            return Report()
        with tree.lock:
            tree.calls.silence(replace(call, ended_ns=call.ended_ns or self._clock()))
            report = self._look(tree, judges, call)
            if over:
                tree.calls.forget_lasting(call)
                report = self._safely(lambda: self._keep_lasting(tree), report)
            return report

    def tidy(self) -> None:
        """Drop what is too old to be of use."""
        now = self._clock()
        tools = self._open()
        tools.baselines.forget(now - _TREES_NS)
        tools.blobs.collect(tools.baselines.contents(), now - _BLOBS_NS)
        aside.prune(self._state, now - _KEPT_NS)

    def close(self) -> None:
        """End what is being read, and let go of the files."""
        self._stopped = True
        with self._lock:
            trees = list(self._trees.values())
        for tree in trees:
            with tree.lock:
                pass
        with self._lock:
            if self._tools is not None:
                self._tools.baselines.close()
                self._tools.blobs.close()
            self._tools = None

    def _open(self) -> Tools:
        with self._lock:
            if self._stopped:
                raise Stopped
            if self._tools is None:
                place = self._state / "proof"
                self._tools = Tools(
                    self._state, Baselines(place / "trees.db"), Blobs(place / "blobs.db"),
                    self._signs, self._clock, lambda: self._stopped,
                )  # fmt: skip
            return self._tools

    def _tree(self, root: str) -> Tree:
        real = self._real(root)
        with self._lock:
            return self._trees.get(real) or self._trees.setdefault(real, Tree(real))

    def _real(self, root: str) -> str:
        """Return where a root really is; asked anew only once another directory stands there."""
        try:
            found = os.stat(root)  # noqa: PTH116 - for each event: pathlib costs ten times as much
        except OSError:
            return os.path.realpath(root)
        known = self._reals.get(root)
        if known is None or known[0] != (found.st_dev, found.st_ino):
            if len(self._reals) >= _MOST_ROOTS:
                self._reals.clear()
            known = self._reals[root] = (found.st_dev, found.st_ino), os.path.realpath(root)
        return known[1]

    def _look(self, tree: Tree, judges: Judges, call: Call | None = None) -> Report:
        """Compare with the baseline, undo what has to be, and take the new baseline."""
        if tree.too_large and self._clock() - tree.too_large_ns < _TOO_LARGE_NS:
            return Report(problem=tree.too_large)
        found: list[Report] = []
        report = self._safely(
            lambda: found.append(Look(self._open(), tree, judges, call).take()), Report()
        )
        return found[0] if found else report

    def _safely(self, work: Callable[[], object], report: Report) -> Report:
        """Do what may fail for reasons of the disk; then the report says that it did."""
        try:
            work()
        except Stopped:
            return replace(report, problem=_STOPPED)
        except (OSError, sqlite3.Error) as error:
            return replace(report, problem=f"our own record of it: {error}")
        return report

    def _keep_lasting(self, tree: Tree) -> None:
        self._open().baselines.keep_lasting(tree.root, tree.calls.lasting_rows())

    def _record(self, tree: Tree, agent: str, judge: Outside, report: Report) -> Report:
        """Keep the content of every file that this agent may not change."""

        def work() -> None:
            wanted = tree.unkept.get(agent)
            entries = tree.entries or {}
            blobs = self._open().blobs
            for path in list(entries) if wanted is None else wanted:
                entry = entries.get(path)
                if entry is None or entry.kind != FILE or entry.content in blobs:
                    continue
                if entry.stamp.size <= MOST_FILE and judge(path) and not self._stopped:
                    keep_content(tree.root, path, entry, blobs)
            blobs.flush()
            tree.unkept[agent] = set()

        return self._safely(work, report)


def keep_content(root: str, path: str, entry: Entry, blobs: Blobs) -> None:
    """Record a file that was read before, if it still is what was read."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(f"{root}/{path}", flags)
    except OSError:
        return
    with os.fdopen(file, "rb") as opened:
        data = opened.read(MOST_FILE + 1)
    if sha256(data).hexdigest() == entry.content:
        blobs.put(entry.content, data)
