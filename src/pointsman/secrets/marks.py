"""What stands in a secret's place: its kind, and a keyed hash that tells two secrets apart."""

import contextlib
import hashlib
import hmac
import os
import re
from functools import lru_cache
from pathlib import Path

_KEY_BYTES = 32
_DIGITS = 8
# Ten would be enough to be taken for a secret again, behind a word such as "key".
_UNFIT = re.compile(r"[^a-z0-9-]+")


class Marks:
    """Makes marks with a key that lies in the state directory and nowhere else."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self._key = b""
        self.of = lru_cache(maxsize=1024)(self._of)
        """Return the mark of a value of some kind: ``[redacted:github-pat:1f2e3d4c]``."""

    def _of(self, value: str, kind: str) -> str:
        self._key = self._key or self._read()
        data = value.encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, data, hashlib.sha256).hexdigest()[:_DIGITS]
        return f"[redacted:{_UNFIT.sub('-', kind.lower())}:{digest}]"

    def _read(self) -> bytes:
        """Return the key, made with the first need; without a place for it, one of this process."""
        fresh = os.urandom(_KEY_BYTES)
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            temporary.write_bytes(b"")
            temporary.chmod(0o600)
            temporary.write_bytes(fresh)
            with contextlib.suppress(FileExistsError):
                # Linked, not renamed: of two that come at once, both go on with the first one's.
                os.link(temporary, self._file)
        temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            key = self._file.read_bytes()
            if len(key) == _KEY_BYTES:
                return key
        return fresh
