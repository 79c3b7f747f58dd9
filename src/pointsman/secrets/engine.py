"""The detector, betterleaks, called in this process through its C interface.

Its first pass is an automaton over the keywords of all its rules: a text without any costs some
20 µs and 8 ns a byte, which no filter in front of it can beat and none can get wrong. Behind that
pass its cost grows with the square of what it finds in one line (measured: 64 KiB of short
``key=…`` take 15 s), so that it is given pieces of 4 KiB and a limit of time.
"""

import contextlib
import ctypes
import importlib.util
import json
import mmap
import os
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PACKAGE = "betterleaks"
_LIBRARIES = ("libbetterleaks.so", "libbetterleaks.dylib")
_PIECE = 4096
_OVERLAP = 512
"""Characters that two pieces share: longer secrets are the business of ``patterns.py``."""
_WITHIN = 1.5
"""Seconds for one text; what is left then is searched by our own patterns alone."""
_SHORTEST = 8
_MOST_DEATHS = 2
_FORGOTTEN_AFTER = 3600.0
_FORM = struct.Struct("<BBQ")
"""Threads inside, deaths, and the time of the last one in seconds since the epoch."""
# A comment with one of these silences the detector for its line, and an agent can write one.
_ALLOW = ":allow"
_ALLOWED = (f"betterleaks{_ALLOW}", f"gitleaks{_ALLOW}")


@dataclass(frozen=True, slots=True)
class Hit:
    """A value that the detector takes for a secret."""

    value: str
    kind: str
    sure: bool


class Broken(Exception):
    """The detector is missing, or did not answer as it must; the text says how."""


class Marker:
    """A byte in a file that says "inside the detector", and how often somebody died there.

    Foreign code can take the process with it. The next daemon finds the byte, and after the second
    death within an hour it goes on without the detector: no payload can keep the daemon down.
    """

    def __init__(self, path: Path, now: float) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < _FORM.size:
                os.ftruncate(descriptor, _FORM.size)
            self._bytes = mmap.mmap(descriptor, _FORM.size)
        finally:
            os.close(descriptor)
        self._lock = threading.Lock()
        inside, self.deaths, last = _FORM.unpack(self._bytes)
        if now - last > _FORGOTTEN_AFTER:
            self.deaths = 0
        if inside:
            self.deaths, last = min(self.deaths + 1, 255), int(now)
        self._bytes[:] = _FORM.pack(0, self.deaths, last)

    def __enter__(self) -> None:
        """Say that the detector begins; several threads may be inside at a time."""
        with self._lock:
            self._bytes[0] += 1

    def __exit__(self, *_: object) -> None:
        """Say that it came back."""
        with self._lock:
            self._bytes[0] -= 1


class Engine:
    """The detector of this process, loaded when it is first needed."""

    def __init__(self, within: float = _WITHIN) -> None:
        self._marker: Marker | contextlib.nullcontext[None] = contextlib.nullcontext()
        self._within = within
        self._library: ctypes.CDLL | None = None
        self._fault = ""
        self._loading = threading.Lock()

    def load(self, marker: Path | None = None) -> str:
        """Load the library and have it read its rules (0.2 s); return what stands in the way.

        ``marker`` is the file of a ``Marker``, where there is to be one.
        """
        with self._loading:
            if self._library is None and not self._fault:
                try:
                    if marker is not None:
                        self._marker = _marked(marker)
                    library = _open()
                    _call(library, b"a key")
                    self._library = library
                except (Broken, OSError) as error:
                    self._fault = f"the detector cannot be used: {error}"
            return self._fault

    def scan(self, text: str) -> tuple[list[Hit], str]:
        """Return what the detector finds, and why that may not be all of it (or nothing).

        Values are parts of the text, but for characters that no file can hold.
        """
        if self._library is None:
            self.load()
        if self._library is None:
            return [], self._fault
        found: dict[str, Hit] = {}
        end = time.monotonic() + self._within
        for done, piece in _pieces(text):
            if done and time.monotonic() > end:
                return list(found.values()), f"only {done} of {len(text)} characters were scanned"
            try:
                self._scan(self._library, piece, found)
            except Broken as error:
                return list(found.values()), f"the detector failed: {error}"
        return list(found.values()), ""

    def _scan(self, library: ctypes.CDLL, piece: str, found: dict[str, Hit]) -> None:
        with self._marker:
            rows = _call(library, piece.encode())
        for row in rows:
            for hit in _hits(row):
                found.setdefault(hit.value, hit)


def _marked(file: Path) -> Marker:
    marker = Marker(file, time.time())
    if marker.deaths >= _MOST_DEATHS:
        raise Broken(
            f"the daemon ended inside it {marker.deaths} times within an hour; "
            f"to try again: rm {file} && pointsman up --restart"
        )
    return marker


def plain(text: str) -> str:
    """Return a text of the same length that the detector reads to its end.

    It takes a NUL for the end, cannot hold a lone surrogate, and heeds words that allow a line.
    """
    text = text.replace("\0", " ")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    for words in _ALLOWED if _ALLOW in text else ():
        text = text.replace(words, words.replace(":", "_"))
    return text


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield pieces of a text that overlap, each with where it begins; cut at a line if possible."""
    start = 0
    while True:
        end = start + _PIECE
        if end >= len(text):
            yield start, text[start:]
            return
        line = text.rfind("\n", start + _PIECE // 2, end)
        end = end if line < 0 else line + 1
        yield start, text[start:end]
        start = end - _OVERLAP


def _open() -> ctypes.CDLL:
    # Not by the package's own loader, which takes a path from a variable.
    spec = importlib.util.find_spec(_PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    file = next((folder / name for name in _LIBRARIES if folder and (folder / name).exists()), None)
    if file is None:
        raise Broken(f"the package {_PACKAGE} is not installed for this platform")
    library = ctypes.CDLL(str(file))
    library.ScanStringCGO.argtypes = [ctypes.c_char_p]
    library.ScanStringCGO.restype = ctypes.c_void_p
    library.FreeMemory.argtypes = [ctypes.c_void_p]
    library.FreeMemory.restype = None
    return library


def _call(library: ctypes.CDLL, text: bytes) -> list[dict[str, object]]:
    pointer = library.ScanStringCGO(text)
    if not pointer:
        raise Broken("it returned nothing")
    try:
        answer = json.loads(ctypes.string_at(pointer))
    except ValueError as error:
        raise Broken(f"its answer is no JSON: {error}") from error
    finally:
        library.FreeMemory(pointer)
    if not isinstance(answer, dict) or not answer.get("success"):
        # Its own words may quote the text.
        raise Broken("it reports an error")
    rows: list[dict[str, object]] = answer.get("data") or []
    return rows


def _hits(row: dict[str, object]) -> Iterator[Hit]:
    """Yield what a finding names: its own value, and those of the parts it was made of."""
    sure = row.get("confidence") != "low"
    yield from _hit(row, sure)
    sets = row.get("component_sets")
    for each in sets if isinstance(sets, list) else ():
        for part in each.get("components") or ():
            yield from _hit(part, sure)


def _hit(row: dict[str, object], sure: bool) -> Iterator[Hit]:
    match, kind = row.get("match"), str(row.get("rule_id"))
    value = match.get("value") if isinstance(match, dict) else None
    # A user's name is no secret, though a rule for a login is made of both.
    named = kind.endswith("-username")
    if isinstance(value, str) and len(value) >= _SHORTEST and not named:
        yield Hit(value, kind, sure and not kind.startswith("generic-"))
