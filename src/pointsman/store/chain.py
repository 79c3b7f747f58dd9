"""Each thing on record as one entry of a chain: its bytes, its digest, its hash.

The bytes of an entry are the JSON array of its columns in the order of their table, without their
number, with no space and nothing escaped but what JSON must (docs/ledger.md, "The chain"). The
payload is not in it but by a salted digest: it can be removed, and the entry still verifies.
"""

import json
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pointsman.store.merkle import Frontier

FORMAT = 1
"""What this module writes; another set of bytes would be another number."""
EVENT, RUNS, NOTE, ACT = 1, 2, 3, 4
"""The kinds of entries; ``ref`` is the number of an event, of their event, a note, or its own."""
START = bytes(32)
"""What stands in the place of the hash before the first entry."""
PURGED = b""
"""The salt of a body that is gone, or is another one by now."""

EVENT_COLUMNS = (
    "received_ns, host, event, session, agent_id, agent_type, parent, prompt_id, tool_use_id,"
    " tool, path, cwd, repository, permission_mode, decision, rule, reason, hook, cause, context,"
    " duration_ns, exit_code, transport, client, client_version, problems, derived_from"
)
RUN_COLUMNS = (
    "n, hook, role, event, started_ns, duration_ns, outcome, budget_ms, reason, decision, rule,"
    " lines"
)
INSERT = "INSERT INTO chain VALUES (?,?,?,?,?,?,?,?)"

_HEAD = struct.Struct(">4q")
_encoder = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), allow_nan=False
)
_SALT = 16


def event_digest(
    columns: Sequence[Any], body: bytes | None, runs: Sequence[Sequence[Any]]
) -> bytes:
    """Return the digest of an event: its columns, its body's digest, the runs of its hooks."""
    return _digest((*columns, body.hex() if body else None, [run[1:] for run in runs]))


def runs_digest(runs: Sequence[Sequence[Any]]) -> bytes:
    """Return the digest of hook runs that ended after the answer was out."""
    return _digest([run[1:] for run in runs])


def row_digest(columns: Sequence[Any]) -> bytes:
    """Return the digest of a note or an act: of its columns without its number."""
    return _digest(columns)


def body_digest(salt: bytes, payload: bytes, stdout: bytes, stderr: bytes) -> bytes:
    """Return the digest of what the host sent and was told."""
    sizes = b"%d,%d,%d;" % (len(payload), len(stdout), len(stderr))
    return sha256(b"".join((salt, sizes, payload, stdout, stderr))).digest()


def link(previous: bytes, kind: int, ref: int, span: Sequence[int], digest: bytes) -> bytes:
    """Return the hash of an entry, which is its leaf hash in the sense of RFC 6962 as well.

    ``span`` are the numbers of hook runs that may be in it: from the first to below the second.
    """
    return sha256(b"\x00" + previous + _HEAD.pack(kind, ref, *span) + digest).digest()


def _digest(value: Sequence[Any]) -> bytes:
    # A lone surrogate cannot come out of SQLite, and is escaped before it goes in.
    return sha256(_text(value).encode()).digest()


def _json() -> Callable[[Any], str]:
    """Return what writes JSON: the encoder's own C part, which it would make anew each time."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _encoder.encode
    parts = make(None, None, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(parts(value, 0))


_text = _json()


@dataclass(frozen=True, slots=True)
class Tip:
    """Where the chain ends: how many entries there are, the last hash, the tree over them."""

    head: bytes = START
    tree: Frontier = field(default_factory=Frontier)
    event: int = 0
    """The highest number of an event in it."""
    number: int = 0
    """The number of the next entry: the size of the tree, where nobody has taken any out."""


class Growth:
    """Entries that are about to be added, as rows; the tip that they lead to."""

    def __init__(self, tip: Tip) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self._tip = tip
        self._head = tip.head
        self._number = tip.number
        self._event = tip.event
        self._salts = b""

    def event(
        self,
        seq: int,
        columns: Sequence[Any],
        body: tuple[bytes, bytes, bytes] | None,
        runs: Sequence[Sequence[Any]],
    ) -> None:
        """Add an event of which these are all columns but its number."""
        salt = self._salt() if body else None
        digest = event_digest(columns, body_digest(salt, *body) if salt and body else None, runs)
        self._add(EVENT, seq, (0, runs[-1][1] + 1 if runs else 0), digest, salt)
        self._event = max(self._event, seq)

    def runs(self, seq: int, first: int, runs: Sequence[Sequence[Any]]) -> None:
        """Add hook runs that follow on an event, numbered from ``first``."""
        self._add(RUNS, seq, (first, first + len(runs)), runs_digest(runs))

    def note(self, number: int, columns: Sequence[Any]) -> None:
        """Add a note."""
        self._add(NOTE, number, (0, 0), row_digest(columns))

    def act(self, columns: Sequence[Any]) -> int:
        """Add an act; return its number, which is that of its entry."""
        self._add(ACT, self._number, (0, 0), row_digest(columns))
        return self._number - 1

    def _salt(self) -> bytes:
        if not self._salts:  # Asked for together: each time is a call of the system.
            self._salts = os.urandom(64 * _SALT)
        salt, self._salts = self._salts[:_SALT], self._salts[_SALT:]
        return salt

    def _add(
        self, kind: int, ref: int, span: tuple[int, int], digest: bytes, salt: bytes | None = None
    ) -> None:
        self._head = link(self._head, kind, ref, span, digest)
        self.rows.append((self._number, kind, ref, *span, digest, self._head, salt))
        self._number += 1

    def tip(self) -> Tip:
        """Return where the chain ends with these."""
        if not self.rows:
            return self._tip
        tree = self._tip.tree.grown(row[6] for row in self.rows)
        return Tip(self._head, tree, self._event, self._number)
