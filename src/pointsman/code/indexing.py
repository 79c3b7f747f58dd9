"""The daemon's side of the process that builds indexes: asked, never waited for."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pointsman.code.index_file import index_path
from pointsman.paths.repository import main_repository

_AGAIN = 15.0
"""Seconds before a tree is looked at whole again."""
_BACK_OFF = (1.0, 10.0, 60.0, 600.0)
"""Seconds before another process follows one that failed."""
_MOST_TREES = 64
_MOST_SAID = 500
_ENDS_WITHIN = 1.0

Report = Callable[[str, str], None]
Seen = Callable[[str, str], None]


class Indexing:
    """Has the indexes of trees brought up to date in the background.

    ``report`` takes what went wrong, ``seen`` each language that a tree has; both are called from
    a thread. No method waits for the process.
    """

    def __init__(
        self,
        state: Path,
        report: Report = lambda _kind, _text: None,
        seen: Seen = lambda _root, _language: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._report = report
        self._seen = seen
        self._clock = clock
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self._asked: OrderedDict[str, float] = OrderedDict()
        self._failed = 0
        self._not_before = 0.0
        self._said = ""
        self._closed = False
        self.done = threading.Event()
        """Set whenever a request has been carried out."""

    def index_of(self, root: str) -> Path:
        """Return where the index of a tree lies; linked worktrees share their repository's."""
        return index_path(self._state, main_repository(root))

    def has(self, root: str) -> bool:
        """Whether a tree has been looked at."""
        return root in self._asked

    def look(self, root: str, again: float = _AGAIN) -> None:
        """Have a tree looked at whole, unless it has been within ``again`` seconds."""
        with self._lock:
            now = self._clock()
            last = self._asked.get(root)
            if last is not None and now - last < again:
                return
            self._asked[root] = now
            self._asked.move_to_end(root)
            if len(self._asked) > _MOST_TREES:
                self._asked.popitem(last=False)
            self._ask(root, None)

    def changed(self, root: str, paths: Iterable[str]) -> None:
        """Have some files of a tree read again that was looked at before."""
        with self._lock:
            if root in self._asked:
                self._ask(root, list(paths))

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._closed = True
            child, self._child = self._child, None
        if child is not None:
            _end(child)

    def _ask(self, root: str, paths: Sequence[str] | None) -> None:
        child = self._running()
        if child is None or child.stdin is None:
            self._asked.pop(root, None)
            return
        request = {"index": str(self.index_of(root)), "root": root, "paths": paths}
        try:
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
        except (OSError, ValueError):
            # Its pipe is full or broken: the tree is looked at whole the next time.
            self._asked.pop(root, None)

    def _running(self) -> "subprocess.Popen[str] | None":
        if self._child is not None and self._child.poll() is None:
            return self._child
        if self._closed or self._clock() < self._not_before:
            return None
        try:
            self._child = self._started()
        except OSError as error:
            self._has_failed(f"its process cannot be started: {error}")
            return None
        reader = threading.Thread(target=self._listen, args=(self._child,), daemon=True)
        reader.start()
        return self._child

    def _started(self) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            # -P: no module is taken from the directory that it stands in.
            [sys.executable, "-P", "-m", "pointsman.code.indexer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._state,
            start_new_session=True,
            encoding="utf-8",
            errors="surrogateescape",
        )
        if child.stdin is not None:
            os.set_blocking(child.stdin.fileno(), False)
        return child

    def _listen(self, child: "subprocess.Popen[str]") -> None:
        """Take what the process says, until it ends."""
        for line in child.stdout or ():
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                said = json.loads(line)
                problem = said.get("problem", "")
                if problem:
                    self._complain(f"{said['root']}: {problem}")
                else:
                    self._failed = 0
                for language in said.get("languages", ()):
                    self._seen(said["root"], language)
            self.done.set()
        code = child.wait()
        with contextlib.suppress(OSError, ValueError):
            if child.stdin is not None:
                child.stdin.close()
        if child.stdout is not None:
            child.stdout.close()
        with self._lock:
            if not self._closed:
                self._asked.clear()
                self._has_failed(f"its process ended with {code}")

    def _has_failed(self, why: str) -> None:
        self._not_before = self._clock() + _BACK_OFF[min(self._failed, len(_BACK_OFF) - 1)]
        self._failed += 1
        self._complain(why)

    def _complain(self, why: str) -> None:
        if why != self._said:
            self._said = why
            self._report("index failed", why[:_MOST_SAID])


def _end(child: "subprocess.Popen[str]") -> None:
    child.terminate()
    try:
        child.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
