"""The agent's versions of what was put back: kept in the state directory, so that nothing is lost.

``aside/<id>/files/<path>`` are the versions, ``aside/<id>/manifest.json`` says what they are of.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_KEPT = 256 * 1024 * 1024
"""Bytes of one call's versions that are kept; what is larger is left where it is."""
_MANIFEST = "manifest.json"
_PIECE = 1024 * 1024


class TooLarge(Exception):
    """More than is kept of one call."""


@dataclass(slots=True)
class Aside:
    """Where the versions of one call go."""

    directory: Path
    about: Mapping[str, str] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    _bytes: int = 0

    @property
    def id(self) -> str:
        """What a person names it by."""
        return self.directory.name

    def file(self, path: str) -> Path:
        """Return where the version of a path goes, with its directories made."""
        place = self.directory / "files" / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.path.lexists(place):
            # A second version of one call: the first is not written over.
            place = place.with_name(f"{place.name}.{time.time_ns()}")
        return place

    def keep_file(self, path: str, source: int, mode: int) -> tuple[str, str]:
        """Copy an open file; return where it is and the hash of what was copied.

        Raises:
            TooLarge: it is more than may be kept.
            OSError: the disk refused it.
        """
        size = os.fstat(source).st_size
        if self._bytes + size > MOST_KEPT:
            raise TooLarge(f"{self._bytes + size} bytes, of which {MOST_KEPT} are kept")
        self._bytes += size
        place = self.file(path)
        digest = hashlib.sha256()
        with place.open("xb") as out:
            while data := os.read(source, _PIECE):
                digest.update(data)
                out.write(data)
            out.flush()
            os.fsync(out.fileno())
        # For its owner alone, and not executable from here; the manifest has the mode.
        place.chmod(0o600)
        self.items.append({"path": path, "kind": "file", "mode": mode, "kept": str(place)})
        return str(place), digest.hexdigest()

    def keep_link(self, path: str, target: str) -> str:
        """Note a symbolic link; return where it is."""
        place = self.file(path)
        place.symlink_to(target)
        self.items.append({"path": path, "kind": "link", "target": target, "kept": str(place)})
        return str(place)

    def note(self, path: str, kind: str, mode: int) -> None:
        """Note what there is nothing to keep of: a directory, a pipe, a deletion."""
        self.items.append({"path": path, "kind": kind, "mode": mode, "kept": ""})

    def drop(self, path: str) -> None:
        """Take back what was kept last of a path: it was not put back after all."""
        for item in [each for each in self.items if each["path"] == path]:
            if item["kept"]:
                Path(item["kept"]).unlink(missing_ok=True)
            self.items.remove(item)

    def finish(self) -> None:
        """Write the manifest, whole or not at all; without items nothing is left behind."""
        if not self.items:
            shutil.rmtree(self.directory, ignore_errors=True)
            return
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps({**self.about, "at_ns": time.time_ns(), "items": self.items}, indent=1)
        new = self.directory / f"{_MANIFEST}.new"
        with new.open("w", encoding="utf-8", errors="surrogateescape") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        new.replace(self.directory / _MANIFEST)


def open_aside(state: Path, session: str, call: str, about: Mapping[str, str]) -> Aside:
    """Return a place of its own for the versions of one call."""
    base = f"{_name(session)[:8]}-{_name(call)}" if session or call else "unknown"
    place = directory_of(state) / base
    number = 1
    while place.exists():
        number += 1
        place = directory_of(state) / f"{base}.{number}"
    for each in (place.parent.parent, place.parent, place):
        # One by one: the mode is not that of the parents that are made along.
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Aside(place, about)


def directory_of(state: Path) -> Path:
    """Return the directory of all that is kept aside."""
    return state / "proof" / "aside"


def listed(state: Path) -> list[dict[str, Any]]:
    """Return every manifest, oldest first, each with its ``id``."""
    found = []
    for file in directory_of(state).glob(f"*/{_MANIFEST}"):
        try:
            manifest = json.loads(file.read_text(encoding="utf-8", errors="surrogateescape"))
        except (OSError, ValueError):
            manifest = {"items": [], "broken": True}
        found.append({**manifest, "id": file.parent.name})
    return sorted(found, key=lambda each: each.get("at_ns", 0))


def prune(state: Path, before_ns: int) -> int:
    """Drop what was put aside before that time; return how many calls that were."""
    old = [each["id"] for each in listed(state) if each.get("at_ns", before_ns) < before_ns]
    for name in old:
        shutil.rmtree(directory_of(state) / name, ignore_errors=True)
    return len(old)


def give_back(manifest: Mapping[str, Any], paths: tuple[str, ...] = ()) -> list[str]:
    """Write kept versions to their places in the repository, at a person's word.

    Returns the paths that were written, of ``paths`` or, without any, of all.

    Raises:
        OSError: one cannot be written.
    """
    done = []
    for item in manifest["items"]:
        if not item["kept"] or (paths and item["path"] not in paths):
            continue
        place = Path(manifest["root"]) / item["path"]
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(f".{place.name[:200]}.pointsman-new")
        new.unlink(missing_ok=True)
        if item["kind"] == "link":
            new.symlink_to(item["target"])
        else:
            shutil.copyfile(item["kept"], new)
            new.chmod(stat.S_IMODE(item["mode"]))
        new.replace(place)
        done.append(item["path"])
    return done


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[:80]
