"""What settings files said when they last checked out, kept over a restart of the daemon.

Without it, a file that is broken while the daemon starts anew would leave the defaults in force,
which may be weaker than what a person has chosen.
"""

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.config.settings import MOST_BYTES, Settings, parse_settings
from pointsman.paths.content import read_regular

_MOST_FILES = 256


@dataclass(slots=True)
class LastGood:
    """Texts of settings files, by path; in memory, and in the state directory if there is one."""

    path: Path
    _texts: dict[str, str] = field(default_factory=dict)
    _read: bool = False

    def of(self, file: str) -> Settings | None:
        """Return what a file said when it last checked out, or ``None`` where nobody knows."""
        text = self._known().get(file)
        # Checked anew: it may be from a version with other rules.
        settings = parse_settings(file, text.encode()) if text is not None else None
        return settings if settings is not None and not settings.problems else None

    def note(self, settings: Settings) -> None:
        """Remember a file that checks out; one that is gone is forgotten."""
        texts = self._known()
        if settings.exists and texts.get(settings.file) != settings.text:
            # Out and in again, to the end: of too many the oldest goes.
            texts.pop(settings.file, None)
            texts[settings.file] = settings.text
        elif not settings.exists and settings.file in texts:
            del texts[settings.file]
        else:
            return
        while len(texts) > _MOST_FILES:
            del texts[next(iter(texts))]
        self._save()

    def _known(self) -> dict[str, str]:
        if not self._read:
            self._read = True
            with contextlib.suppress(OSError, ValueError, RecursionError):
                value = json.loads(read_regular(str(self.path), 2 * _MOST_FILES * MOST_BYTES))
                if isinstance(value, dict):
                    self._texts |= {str(k): v for k, v in value.items() if isinstance(v, str)}
        return self._texts

    def _save(self) -> None:
        """Write it down; a state directory that cannot be written costs only the memory."""
        # Whoever needs the state directory makes it, with mode 0700; a look at settings makes none.
        if not self.path.parent.is_dir():
            return
        with contextlib.suppress(OSError):
            descriptor, name = tempfile.mkstemp(dir=self.path.parent)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(self._texts, file)
            # Whoever reads meets the old text or the new one.
            Path(name).rename(self.path)
