"""Texts of files: what a command writes and then runs, and scripts that lie there already."""

from collections.abc import Callable, Mapping

from pointsman.shell.effects import UNKNOWN

Read = Callable[[str], bytes | None]
"""Returns the content of a file by its absolute path, capped; ``None`` where it cannot."""
MOST_SCRIPT = 64 * 1024
"""Bytes of a script that is read; a longer one stays opaque."""
_MOST_FILES = 64


class Files:
    """What is known of the content of files, as a command goes on."""

    def __init__(
        self,
        scripts: Mapping[str, str] | None = None,
        read: Read | None = None,
        *,
        track: bool = False,
    ) -> None:
        self._track = track or bool(scripts)
        self._written: dict[str, str | None] = {}
        self._scripts = scripts or {}
        self._read = read
        self.asked: list[str] = []
        """The files whose content outside the command was asked for."""
        self.started: list[str] = []
        """Those of them that are run."""

    def ours(self, path: str) -> bool:
        """Whether this command, or this session, has written the file."""
        return self._written.get(path) is not None or path in self._scripts

    def written(self, path: str) -> str | None:
        """Return the text that the command, or the session, has written to a file."""
        if path in self._written:
            return self._written[path]
        if self._track and path not in self.asked and len(self.asked) < _MOST_FILES:
            self.asked.append(path)
        return self._scripts.get(path)

    def text(self, path: str) -> str | None:
        """Return the text of a file that is run, ``None`` where it is not known."""
        if path in self._written:
            return self._written[path]
        if UNKNOWN in path or len(self.asked) >= _MOST_FILES:
            return None
        self.asked.append(path)
        self.started.append(path)
        if path in self._scripts:
            return self._scripts[path]
        content = self._read(path) if self._read is not None else None
        if content is None or len(content) > MOST_SCRIPT or b"\0" in content:
            return None
        return content.decode("utf-8", "replace")

    def write(self, path: str, text: str | None, *, append: bool = False) -> None:
        """Remember what a file holds from now on; ``None`` for what is not known."""
        if UNKNOWN in path or path.startswith("/dev/"):
            return
        if append and text is not None:
            text = (self.written(path) or "") + text
        if text is not None and len(text) > MOST_SCRIPT:
            text = None
        if path in self._written or len(self._written) < 16 * _MOST_FILES:
            self._written[path] = text

    def copy(self, source: str, target: str) -> None:
        """Let a file hold what another holds, where that was written here."""
        known = self.written(source)
        if known is not None or target in self._written:
            self.write(target, known)
