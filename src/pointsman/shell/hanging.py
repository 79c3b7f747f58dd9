"""What the grammar hangs on a whole list and the shell gives to the last command of it.

In ``cd a && b > f`` the redirection is of ``b`` alone, and found where ``cd a`` leads; the grammar
has ``cd a && b`` redirected as a whole. ``cd a && b 2>&1 | c`` is to it one pipe that begins with a
list. Neither is taken apart here: what hangs too high waits for the node that it belongs to.
"""

from dataclasses import dataclass, field

from tree_sitter import Node

from pointsman.shell.state import Feed

_ENDING = frozenset({"list", "pipeline", "negated_command"})
"""What is not redirected itself: its last command is."""
_MOST_PIPES = 64
"""Pipes that one begins with another: more are nested too deeply for the walk as well."""


@dataclass(slots=True)
class Hung:
    """What belongs to a node that stands deeper than it hangs."""

    redirects: list[Node] = field(default_factory=list)
    parts: list[Node] = field(default_factory=list)
    """The rest of the pipe that the node begins."""
    feed: Feed | None = None
    """What the node reads, in a shell of its own."""
    end: int = 0
    """The offset at which the last redirection ends."""
    rest: list[tuple[Node, Feed | None]] = field(default_factory=list)
    """What a here-document's line goes on with, and what is piped into it: left to who hung it."""
    taken: bool = False


def split(node: Node) -> tuple[Node | None, list[Node]]:
    """Return what is redirected by a statement, and its redirections."""
    if node.type == "file_redirect":
        return None, [node]
    if node.type != "redirected_statement":
        return node, []
    body = node.child_by_field_name("body")
    return body, [child for child in node.named_children if child != body]


def is_ending(body: Node | None) -> bool:
    """Whether a redirection of this is one of its last command."""
    return body is not None and body.type in _ENDING


def last_of(node: Node) -> Node:
    """Return the command that a list or a pipe ends with."""
    while node.type in _ENDING and node.named_children:
        node = node.named_children[-1]
    return node


def pipe_parts(node: Node) -> list[Node]:
    """Return the parts of a pipe."""
    return [child for child in node.named_children if child.type != "comment"]


def above_list(node: Node) -> tuple[Node, Hung] | None:
    """Return the list that a node wrongly takes in whole, and what belongs to its last command.

    What is returned may be another such node, with the list below it.
    """
    first, parts = node, []
    if node.type == "pipeline":
        first, *parts = pipe_parts(node) or [node]
    body, redirects = split(first)
    if body is None or body is node or not _begins_with_list(body) or _is_fed(redirects):
        return None
    return body, Hung(redirects, parts, end=first.end_byte)


def _begins_with_list(node: Node | None) -> bool:
    for _ in range(_MOST_PIPES):
        if node is None or node.type != "pipeline":
            return node is not None and node.type == "list"
        first = pipe_parts(node)[0]
        node, redirects = split(first)
        if _is_fed(redirects):
            return False
    return False


def _is_fed(redirects: list[Node]) -> bool:
    return any(each.type == "heredoc_redirect" for each in redirects)


def first_of(node: Node) -> Node:
    """Return what a list begins with."""
    while True:
        below = above_list(node)
        if below is not None:
            node = below[0]
        elif node.type == "list":
            node = node.children[0]
        else:
            return node


def holds_list(node: Node) -> bool:
    """Whether a pipe begins with a list, of which only the first is piped into."""
    first = pipe_parts(node)[0]
    return first_of(first) != first
