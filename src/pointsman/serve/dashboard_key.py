"""The key of the dashboard: what a link, a cookie and a script's token are checked by.

One file, mode 0600, whose name ends with ``.key``: the guards keep agents from reading such files.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from pointsman.model.errors import TransportError

LINK_S = 120
"""Seconds in which a link must be opened; it works once."""
COOKIE_S = 7 * 86_400
"""Seconds for which a browser stays let in."""
_BYTES = 32
_MOST = 200


def key_of(path: Path) -> str:
    """Return the key, made where there is none.

    Raises:
        TransportError: it cannot be read or made, or it is open to others.
    """
    try:
        with contextlib.suppress(FileExistsError):
            _make(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, encoding="ascii") as file:
            found = os.fstat(file.fileno())
            key = file.read(_MOST).strip()
    except (OSError, ValueError) as error:
        raise TransportError(
            f"the key of the dashboard {path} cannot be read: {error}", fix=f"rm {path}"
        ) from error
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise TransportError(f"the key of the dashboard {path} is open to others", fix=f"rm {path}")
    if len(key) < _BYTES:
        raise TransportError(f"the key of the dashboard {path} is too short", fix=f"rm {path}")
    return key


def revoke(path: Path) -> None:
    """Make a new key: every link, cookie and token of the old one is worth nothing any more."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    _make(temporary)
    temporary.replace(path)


def sign(key: str, purpose: str, now_s: float, seconds: int) -> str:
    """Return a value that is good for one purpose, for so many seconds from now."""
    body = f"{int(now_s) + seconds}.{secrets.token_urlsafe(12)}"
    return f"{body}.{_mac(key, purpose, body)}"


def holds(key: str, purpose: str, value: str, now_s: float) -> bool:
    """Whether a value was signed for this purpose and is still good."""
    if len(value) > _MOST or not value.isascii():
        return False
    body, _, mac = value.rpartition(".")
    expiry = body.partition(".")[0]
    signed = hmac.compare_digest(mac, _mac(key, purpose, body))
    return signed and expiry.isdecimal() and now_s < int(expiry)


def is_token(key: str, given: str) -> bool:
    """Whether a script has sent the key itself."""
    return hmac.compare_digest(given.encode(errors="replace"), key.encode())


def posting_token(key: str) -> str:
    """Return what a host's exporter posts with; it is good for nothing else."""
    return hmac.new(key.encode(), b"otlp", hashlib.sha256).hexdigest()


def _mac(key: str, purpose: str, body: str) -> str:
    return hmac.new(key.encode(), f"{purpose}\n{body}".encode(), hashlib.sha256).hexdigest()


def _make(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_BYTES) + "\n")
