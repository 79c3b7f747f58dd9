"""The key that signs checkpoints: one file, closed to others, made when it is first needed."""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError

# Imported where it is used: it costs more than the start of everything else, and only the daemon
# and the commands that verify need it.


@dataclass(frozen=True, slots=True)
class Signer:
    """An Ed25519 key (RFC 8032): its public half, and what signs with the other."""

    public: bytes
    sign: Callable[[bytes], bytes]


class Keys:
    """The key of a ledger at its place; read or made at the first use, and kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._signer: Signer | None = None
        self._secret = b""

    def signer(self) -> Signer:
        """Return what signs; the key is made where there is none.

        Raises:
            LedgerError: it cannot be read or made, or is open to other users.
        """
        if self._signer is None:
            with _told(self.path):
                if not os.path.lexists(self.path):
                    _write_new(self.path, _new_secret())
                self._secret = _read(self.path)
            self._signer = _signer(self._secret, self.path)
            self._publish()
        return self._signer

    def prepared(self) -> tuple[bytes, Signer]:
        """Return a new key that does not sign yet: its secret, and what signs with it."""
        secret = _new_secret()
        return secret, _signer(secret, self.path)

    def replace(self, secret: bytes, signer: Signer) -> None:
        """Sign with another key from now on; the one before is gone from its place for good.

        Raises:
            LedgerError: it cannot be written; the one before goes on.
        """
        with _told(self.path):
            _write_over(self.path, secret)
        self._secret, self._signer = secret, signer
        self._publish()

    def put_back(self) -> bool:
        """Write the key to its place again where somebody has taken it away; say whether so.

        Raises:
            LedgerError: it cannot be written.
        """
        if not self._secret or os.path.lexists(self.path):
            return False
        with _told(self.path):
            _write_new(self.path, self._secret)
        self._publish()
        return True

    def _publish(self) -> None:
        """Write the public half beside it, for those who must not read the other."""
        if self._signer is None:
            return
        text = self._signer.public.hex() + "\n"
        beside = public_file(self.path)
        with contextlib.suppress(OSError):
            if not beside.exists() or beside.read_text(encoding="ascii") != text:
                beside.write_text(text, encoding="ascii")


def public_file(path: Path) -> Path:
    """Return where the public half of a key stands."""
    return path.with_name(path.stem.removesuffix("-private-key") + ".pub")


def public_key(path: Path) -> bytes | None:
    """Return the public half of the key at this place, or ``None`` where there is none.

    Raises:
        LedgerError: what stands there is no key.
    """
    for file in (public_file(path), path):
        try:
            with _told(file):
                if file == path:
                    return _signer(_read(path), path).public if path.exists() else None
                if file.exists():
                    return parse_public(file.read_text(encoding="ascii", errors="replace"))
        except LedgerError:
            if file == path:
                raise
    return None


def parse_public(text: str) -> bytes:
    """Return a public key that is written as 64 hexadecimal digits.

    Raises:
        LedgerError: it is none.
    """
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        shown = text.strip()[:80]
        raise LedgerError(f"{shown!r} is no public key: 64 hex digits", fix="pointsman ledger key")
    return key


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the holder of this key has signed these bytes."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signer(secret: bytes, path: Path) -> Signer:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    key: Any = None
    with contextlib.suppress(ValueError, TypeError):
        key = form.load_pem_private_key(secret, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise LedgerError(
            f"{path} holds no Ed25519 key in PEM", fix=f"mv {path} {path}.aside; pointsman up"
        )
    raw = key.public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    return Signer(raw, key.sign)


def _new_secret() -> bytes:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    key = Ed25519PrivateKey.generate()
    return key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )  # fmt: skip


def _write_new(path: Path, secret: bytes) -> None:
    """Write a key that was not there; one that another process has made meanwhile stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A link, unlike a rename, replaces nothing.
    with _written(path, secret) as temporary, contextlib.suppress(FileExistsError):
        os.link(temporary, path)


def _write_over(path: Path, secret: bytes) -> None:
    """Write a key in the place of the one that is there."""
    with _written(path, secret) as temporary:
        temporary.replace(path)


@contextlib.contextmanager
def _written(path: Path, secret: bytes) -> Iterator[Path]:
    """Give a file beside its place with these bytes, on the disk; what is left of it goes."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, secret)
        os.fsync(descriptor)
        yield temporary
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > 16 * 1024:
            raise OSError(errno.EINVAL, "it is no key file")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise LedgerError(
                f"the key {path} can be read by others, who could sign", fix=f"chmod 600 {path}"
            )
        return os.read(descriptor, 16 * 1024)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told(path: Path) -> Any:
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise LedgerError(
            f"the ledger's key {path} cannot be used: {what}", fix="pointsman doctor"
        ) from error
