"""Loops that multiply work without end."""

from collections.abc import Mapping

from tree_sitter import Node

from pointsman.shell.effects import UNKNOWN
from pointsman.shell.state import Choice, Entry, Variable

_ALWAYS = frozenset({"true", ":", "((1))", "[ true ]", "[ 1 ]", "[[ 1 ]]", "[[ true ]]", "test 1"})


def is_endless(node: Node, source: bytes) -> bool:
    """Whether a loop has no way to end by its own condition."""
    if node.type == "c_style_for_statement":
        return node.child_by_field_name("condition") is None
    condition = node.child_by_field_name("condition")
    if condition is None:
        return False
    text = source[condition.start_byte : condition.end_byte].decode("utf-8", "replace").strip("; ")
    return text in ({"false"} if node.children[0].type == "until" else _ALWAYS)


def multiplies(body: Node) -> bool:
    """Whether every turn leaves work in the background that nothing waits for."""
    waiting = False
    for child in reversed(body.children):
        if child.type == "&":
            return not waiting
        if child.type == "command" and (child.text or b"").split()[:1] == [b"wait"]:
            waiting = True
        elif starts_work(child):
            return True
    return False


def starts_work(node: Node) -> bool:
    """Whether something in it is started in the background."""
    todo = [node]
    while todo:
        current = todo.pop()
        if current.type == "&":
            return True
        todo += current.children
    return False


def turns(value: Entry) -> Entry:
    """Return what an entry is after some turns of a loop that changes it: not known."""
    if isinstance(value, Variable):
        return Variable(UNKNOWN, value.shell, value.exported)
    if isinstance(value, Mapping):
        return dict.fromkeys(value, UNKNOWN)
    if isinstance(value, tuple):
        return None
    return UNKNOWN if isinstance(value, (str, Choice)) else value
