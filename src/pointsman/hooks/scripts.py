"""Scripts that a session has written, and others: what a command that runs one really does.

An agent that may not type a command may write it into a file and run that. What a session has
written is taken for what it says; any other script is read as far as that is possible.
"""

import os
import stat
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from pointsman.shell.effects import UNKNOWN, Analysis, Kind
from pointsman.shell.files import MOST_SCRIPT
from pointsman.shell.state import resolve

EDITS = ("Write", "Edit", "MultiEdit", "NotebookEdit")
"""The tools of a host that write files."""
_MOST_SESSIONS = 64
_MOST_FILES = 256
_SYSTEM = ("/bin/", "/sbin/", "/usr/", "/lib", "/proc/", "/sys/", "/dev/")


class Scripts:
    """What sessions have written: the paths, and the text of each where a tool was given it."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, OrderedDict[str, str | None]] = OrderedDict()

    def edited(self, session: str, tool_input: Mapping[str, object], cwd: str) -> None:
        """Remember what a tool that writes files is about to write."""
        path = tool_input.get("file_path")
        content = tool_input.get("content")
        if isinstance(path, str):
            short = isinstance(content, str) and len(content) <= MOST_SCRIPT
            self._keep(session, resolve(path, cwd), str(content) if short else None)

    def ran(self, session: str, analysis: Analysis) -> None:
        """Remember the files that a command writes."""
        writes = (each.path for each in analysis.effects if each.kind is Kind.WRITE)
        for path in list(dict.fromkeys(writes))[:_MOST_FILES]:
            if UNKNOWN not in path and not path.startswith("/dev/"):
                self._keep(session, path, None)

    def _keep(self, session: str, path: str, text: str | None) -> None:
        files = self._sessions.setdefault(session, OrderedDict())
        self._sessions.move_to_end(session)
        files[path] = text
        files.move_to_end(path)
        if len(files) > _MOST_FILES:
            files.popitem(last=False)
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)

    def of(self, session: str, asked: Iterable[str]) -> dict[str, str]:
        """Return the texts of those files that the session has written, as they are now."""
        files: Mapping[str, str | None] = self._sessions.get(session, {})
        out: dict[str, str] = {}
        for path in asked:
            if path not in files:
                continue
            now = read(path)
            text = files[path] if now is None else now.decode("utf-8", "replace")
            if text is not None:
                out[path] = text
        return out


def read(path: str) -> bytes | None:
    """Return the content of an ordinary file of at most 64 KiB, ``None`` for anything else."""
    if path.startswith(_SYSTEM) or not path.startswith("/"):
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_SCRIPT:
            return None
        return os.read(handle, MOST_SCRIPT + 1)
    except OSError:
        return None
    finally:
        os.close(handle)
