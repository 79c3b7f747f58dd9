"""The right edge of a Merkle tree: enough to add leaves and to tell the root.

The tree is that of RFC 6962 section 2.1: a leaf is hashed behind a zero byte, a node behind a one
byte, and the left of two subtrees is the largest power of two. What is given here are leaf hashes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

HASH = 32
"""Bytes of a hash."""
EMPTY = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962 section 2.1)."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """The roots of the whole subtrees that ``size`` leaves make, the largest first."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    def grown(self, leaves: Iterable[bytes]) -> "Frontier":
        """Return the frontier with these leaf hashes behind those that are there."""
        nodes = list(self.nodes)
        size = self.size
        for leaf in leaves:
            node, carry = leaf, size
            # Each one at the end of the number is a subtree as large as what is being added.
            while carry & 1:
                node = sha256(b"\x01" + nodes.pop() + node).digest()
                carry >>= 1
            nodes.append(node)
            size += 1
        return Frontier(size, tuple(nodes))

    @property
    def root(self) -> bytes:
        """The root of the tree of all leaves so far."""
        if not self.nodes:
            return EMPTY
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = sha256(b"\x01" + node + root).digest()
        return root

    def packed(self) -> bytes:
        """Return the nodes as bytes; the size says how many there are."""
        return b"".join(self.nodes)

    @classmethod
    def unpacked(cls, size: int, data: bytes) -> "Frontier | None":
        """Return the frontier of these bytes, or ``None`` where they are not of that size."""
        if len(data) != HASH * size.bit_count():
            return None
        return cls(size, tuple(data[at : at + HASH] for at in range(0, len(data), HASH)))
