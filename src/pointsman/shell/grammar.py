"""The grammar of the shell, and a parse that ends."""

import re
import time

import tree_sitter_bash
from tree_sitter import Language, Node, Parser, Point, Tree

_LANGUAGE = Language(tree_sitter_bash.language())
_AS_LETTERS = bytes(code if code < 0x80 else ord("z") for code in range(256))
"""To the shell, what is beyond ASCII is a letter like any other; the grammar's scanner reads past
its tables where it meets some of it. Offsets stay those of the text."""
_SLICE = 16 * 1024
_SHORT = 4096
"""Bytes that are parsed in one go: at their worst they take a fraction of a second."""
_MOST_SECONDS = 0.5
"""Of this thread's processor time: what is well-formed takes a hundredth of it; the grammar's
way back from text that is not may take the square of its length."""


_COPROC = re.compile(
    rb"(?:\A|[;&|({\n]|\b(?:then|do|else)\b)[ \t]*(?P<own>coproc(?:[ \t]+[A-Za-z_]\w*)?)"
    rb"(?=[ \t]*(?:[({]|while\b|until\b|for\b|if\b|case\b))"
)
"""``coproc NAME`` before a compound command, which the grammar takes for a simple one."""


def parse(source: bytes) -> Tree | None:
    """Return the syntax tree, or ``None`` where it would take too long.

    Offsets are those of the text. What the grammar does not know is blank to it.
    """
    source = source.translate(_AS_LETTERS)
    if b"coproc" in source:
        source = _COPROC.sub(_blanked, source)
    parser = Parser(_LANGUAGE)
    if len(source) <= _SHORT:
        return parser.parse(source)
    limit = time.thread_time() + _MOST_SECONDS
    # Held until the parse is over: the binding is C, and reads from what it was handed.
    slices: list[bytes] = []

    def read(offset: int, _point: Point) -> bytes:
        slices.append(source[offset : offset + _SLICE])
        return slices[-1]

    def stop(_offset: int, _has_error: bool) -> bool:
        return time.thread_time() > limit

    try:
        return parser.parse(read, progress_callback=stop)
    except ValueError:
        return None


def _blanked(found: re.Match[bytes]) -> bytes:
    before = found.start("own") - found.start()
    return found[0][:before] + b" " * len(found["own"])


def is_coproc(source: bytes, start: int) -> bool:
    """Whether what begins at an offset is a coprocess: it runs in a shell of its own."""
    before = source[max(0, start - 80) : start]
    return b"coproc" in before and _COPROC_BEFORE.search(before) is not None


_COPROC_BEFORE = re.compile(rb"\bcoproc(?:[ \t]+\w+)?[ \t]*\Z")


def is_herestring(source: bytes, start: int) -> bool:
    """Whether a ``<`` is the end of a ``<<<`` behind another redirection: the grammar cuts it."""
    # Not asked of the tree: to find what stands before a node, it begins at its root.
    return start > 1 and source[start - 2 : start + 1] == b"<<<"


def _goes_on(node: Node) -> bool:
    after = node.next_sibling
    if after is None or after.type != "file_redirect":
        return False
    return after.start_byte == node.end_byte and (after.text or b"")[:1] == b"<"


def near(root: Node) -> str | None:
    """Return the text around the first thing that the grammar could not place, ``None`` if none."""
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == "ERROR" and node.text == b"<<" and _goes_on(node):
            continue
        if node.type == "ERROR" or node.is_missing:
            return (node.text or b"").decode("utf-8", "replace")[:40]
        todo += reversed([child for child in node.children if child.has_error])
    return None
