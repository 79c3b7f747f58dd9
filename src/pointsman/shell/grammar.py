"""The grammar of the shell, and a parse that ends."""

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


def parse(source: bytes) -> Tree | None:
    """Return the syntax tree, or ``None`` where it would take too long."""
    source = source.translate(_AS_LETTERS)
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


def near(root: Node) -> str:
    """Return the text around the first thing that the grammar could not place."""
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == "ERROR" or node.is_missing:
            return (node.text or b"").decode("utf-8", "replace")[:40]
        todo += reversed([child for child in node.children if child.has_error])
    return ""
