"""The bytes that are hashed are those that the page says, and the tree is that of RFC 6962."""

import json
import struct
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from pointsman.store import chain
from pointsman.store.chain import EVENT, Growth, Tip
from pointsman.store.merkle import EMPTY, Frontier

VALUES = st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(), max_size=30)


@given(VALUES)
def test_the_digest_is_of_plain_json(values: list[object]) -> None:
    wanted = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    assert chain.row_digest(values) == sha256(wanted.encode()).digest()


def test_strings_are_escaped_as_the_page_says() -> None:
    wanted = '["\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f/é\u2028😀",null,1700000000123456789]'
    given_ = ['"\\\n\r\t\b\f\0\x1f/é\u2028😀', None, 1700000000123456789]
    assert chain.row_digest(given_) == sha256(wanted.encode()).digest()


def test_nothing_is_another_value_than_the_word_for_it() -> None:
    assert chain.row_digest([None]) != chain.row_digest(["None"]) != chain.row_digest(["null"])
    assert chain.row_digest(["a", "b"]) != chain.row_digest(["a,b"])


def test_an_event_with_its_body_and_runs() -> None:
    growth = Growth(Tip())
    growth.event(7, ("a", None, 3), (b"in", b"out", b""), [(7, 0, "scope"), (7, 1, "proof")])
    ((number, kind, ref, low, high, digest, hash_, salt),) = growth.rows
    assert (number, kind, ref, low, high) == (0, EVENT, 7, 0, 2)
    assert len(salt) == 16
    body = sha256(salt + b"2,3,0;inout").hexdigest()
    text = f'["a",null,3,"{body}",[[0,"scope"],[1,"proof"]]]'
    assert digest == sha256(text.encode()).digest()
    assert hash_ == sha256(bytes(33) + struct.pack(">4q", 1, 7, 0, 2) + digest).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """Return the root as RFC 6962 section 2.1 defines it."""
    if len(leaves) == 1:
        return leaves[0]
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + root_of(leaves[:left]) + root_of(leaves[left:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.integers(0, 70))
def test_the_tree_grows_to_the_root_of_all_leaves(leaves: list[bytes], cut: int) -> None:
    tree = Frontier().grown(leaves[:cut]).grown(leaves[cut:])
    assert tree.size == len(leaves)
    assert tree.root == (root_of(leaves) if leaves else EMPTY)
    assert Frontier.unpacked(tree.size, tree.packed()) == tree
    assert Frontier.unpacked(tree.size + 1, tree.packed() + b"x") is None


def test_known_roots() -> None:
    """The tree of the leaf inputs of the test data that Certificate Transparency publishes."""
    inputs = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]  # fmt: skip
    leaves = [sha256(b"\x00" + bytes.fromhex(each)).digest() for each in inputs]
    roots = [Frontier().grown(leaves[:size]).root.hex() for size in (1, 2, 3, 8)]
    assert roots == [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
