"""The handing over of the key that signs: the old one and the new one both sign that it was.

It stands on the record as an act, under a checkpoint of the old key. Whoever trusts either of the
two follows it: the old one's word counts for what came before, the new one's from there on.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pointsman.store.signing import Signer, is_signed

HANDED_OVER = "key handed over"

_DOMAIN = b"pointsman key handover\n"
_ACTS = "SELECT data FROM acts WHERE what = ? ORDER BY n"


@dataclass(frozen=True, slots=True)
class Succession:
    """The keys whose word counts, in the order in which they had it: the place of each."""

    places: dict[bytes, int]

    def __contains__(self, key: bytes) -> bool:
        return key in self.places

    def is_late(self, key: bytes, newest: bytes | None) -> bool:
        """Whether a key signs after one that it was handed over to."""
        if newest is None:
            return False
        return self.places.get(key, 0) < self.places.get(newest, 0)


def made(log: str, ns: int, old: Signer, new: Signer) -> dict[str, Any]:
    """Return what the act of a handover says."""
    said = {"log": log, "time_ns": ns, "from": old.public.hex(), "to": new.public.hex()}
    body = _body(said)
    return {**said, "by_old": old.sign(body).hex(), "by_new": new.sign(body).hex()}


def succession(connection: sqlite3.Connection, log: str, keys: frozenset[bytes]) -> Succession:
    """Return the keys that these ones lead to by the handovers on record."""
    places = dict.fromkeys(keys, 0)
    handed = list(_read(connection, log))
    # Forwards as well as back: who knows the newest key alone can check what was before it.
    for old, new in reversed(handed):
        if new in places:
            places.setdefault(old, 0)
    for place, (old, new) in enumerate(handed, 1):
        if old in places:
            places[new] = place
    return Succession(places)


def _read(connection: sqlite3.Connection, log: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the old and the new key of each handover that both of them have signed."""
    for (text,) in connection.execute(_ACTS, (HANDED_OVER,)):
        try:
            given = json.loads(text)
            said = {name: given[name] for name in ("log", "time_ns", "from", "to")}
            old, new = bytes.fromhex(given["from"]), bytes.fromhex(given["to"])
            by = bytes.fromhex(given["by_old"]), bytes.fromhex(given["by_new"])
        except (ValueError, KeyError, TypeError):
            continue  # Whether it is what was recorded, the chain says.
        body = _body(said)
        if given["log"] == log and is_signed(old, by[0], body) and is_signed(new, by[1], body):
            yield old, new


def _body(said: dict[str, Any]) -> bytes:
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return _DOMAIN + text.encode()
