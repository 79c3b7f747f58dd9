"""Checkpoints: how far the record has come, signed, in the file and wherever they are sent.

A checkpoint is one line of JSON: what is signed are the bytes of that object without its
``signature``, keys sorted, with no space, behind a line that says what it is.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pointsman.model.errors import LedgerError
from pointsman.store.chain import FORMAT
from pointsman.store.merkle import HASH
from pointsman.store.signing import Signer, is_signed

FIRST = bytes(HASH)
"""What the first checkpoint names as the one before it."""
COLUMNS = "seq, log, tree_size, root, previous, ns, last, key, signature, frontier"
INSERT = "INSERT INTO checkpoints VALUES (?,?,?,?,?,?,?,?,?,?)"

_DOMAIN = b"pointsman checkpoint\n"
_MOST_LINE = 4096
_BYTES = ("root", "previous", "key", "signature")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is vouched for: the first ``tree_size`` entries of the chain ``log`` have this root.

    ``previous`` is the hash of the checkpoint before it, ``ns`` the time in ns since the epoch,
    ``last`` the highest number of an event among the entries, ``key`` the public key.
    """

    seq: int
    log: str
    tree_size: int
    root: bytes
    previous: bytes
    ns: int
    last: int
    key: bytes = b""
    signature: bytes = b""
    frontier: bytes = field(default=b"", compare=False)
    """What the ledger keeps of the tree beside it, which the root is held against; not signed."""

    def signed(self, signer: Signer) -> "Checkpoint":
        """Return it with a signature."""
        given = replace(self, key=signer.public)
        return replace(given, signature=signer.sign(given.body()))

    def is_sound(self) -> bool:
        """Whether the signature is that of the key which it names."""
        return is_signed(self.key, self.signature, self.body())

    def body(self) -> bytes:
        """Return the bytes that are signed."""
        return _DOMAIN + _dumps(self._fields()).encode()

    @property
    def hash(self) -> bytes:
        """What the next one names it by."""
        return sha256(self.body()).digest()

    def line(self) -> str:
        """Return it as it is sent and exported, without the end of the line."""
        return _dumps({**self._fields(), "signature": self.signature.hex()})

    def row(self, frontier: bytes) -> tuple[Any, ...]:
        """Return the row of ``checkpoints``."""
        return (
            self.seq, self.log, self.tree_size, self.root, self.previous, self.ns, self.last,
            self.key, self.signature, frontier,
        )  # fmt: skip

    def _fields(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "seq": self.seq,
            "log": self.log,
            "tree_size": self.tree_size,
            "root": self.root.hex(),
            "previous": self.previous.hex(),
            "time_ns": self.ns,
            "last": self.last,
            "key": self.key.hex(),
        }


def parse_line(line: str) -> Checkpoint | None:
    """Return the checkpoint that a line is, or ``None``."""
    try:
        found = json.loads(line)
        given = Checkpoint(
            seq=found["seq"], log=found["log"], tree_size=found["tree_size"], ns=found["time_ns"],
            last=found["last"], **{name: bytes.fromhex(found[name]) for name in _BYTES},
        )  # fmt: skip
        numbers = (given.seq, given.tree_size, given.ns, given.last)
        sound = found["format"] == FORMAT and isinstance(given.log, str)
        return given if sound and all(type(each) is int for each in numbers) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def read_lines(file: Path) -> Iterator[Checkpoint]:
    """Yield the checkpoints of a file, one a line; a last line that was cut off is left out.

    Lines may begin with what a system log puts before them.

    Raises:
        LedgerError: it cannot be read, or a whole line is no checkpoint.
    """
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_MOST_LINE), ""), 1):
                found = parse_line(line[max(line.find("{"), 0) :])
                if found is not None:
                    yield found
                elif line.strip() and line.endswith("\n"):
                    raise LedgerError(
                        f"line {number} of {file} is no checkpoint: {line.strip()[:80]!r}",
                        fix="name a file that the sinks of checkpoints have written",
                    )
    except OSError as error:
        raise LedgerError(
            f"the checkpoints {file} cannot be read: {error.strerror}", fix=f"ls -l {file}"
        ) from error


def of_row(row: sqlite3.Row | tuple[Any, ...]) -> Checkpoint:
    """Return the checkpoint of a row with ``COLUMNS``."""
    return Checkpoint(*row[:10])


def stored(connection: sqlite3.Connection, after: int = -1) -> Iterator[Checkpoint]:
    """Yield what the ledger has, in order, from behind a number."""
    sql = f"SELECT {COLUMNS} FROM checkpoints WHERE seq > ? ORDER BY seq"  # noqa: S608 - ours
    for row in connection.execute(sql, (after,)):
        yield of_row(row)


def newest_of(file: Path) -> Checkpoint | None:
    """Return the last whole line of a file of checkpoints, or ``None``."""
    try:
        with file.open("rb") as lines:
            size = lines.seek(0, 2)
            lines.seek(max(size - 2 * _MOST_LINE, 0))
            found = lines.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    for line in reversed(found):
        given = parse_line(line)
        if given is not None:
            return given
    return None


def _dumps(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
