"""Lists and pipes: which of their members are run, in which shell, on what."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tree_sitter import Node

from pointsman.shell.arguments import names
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.filters import PASSING
from pointsman.shell.hanging import Hung, above_list, last_of, pipe_parts
from pointsman.shell.stage import Walks
from pointsman.shell.state import MOST_TEXT, Feed

_SURE = names("""
    : true cd pushd popd echo printf export declare local typeset readonly set shopt alias mkdir
    read source . pwd eval unset
""")
"""Commands that are taken to succeed: what follows ``&&`` is run."""


class Lists:
    """The lists and pipes of one walker, and what the grammar hangs on them that is deeper."""

    def __init__(self, walker: Walks) -> None:
        self._walker = walker
        self._run = walker.run
        self._state = walker.state
        self._hung: dict[int, Hung] = {}

    def taken(self, node: Node) -> Hung | None:
        """Return what belongs to a node and hangs higher; it is asked for once."""
        hung = self._hung.pop(node.id, None) if self._hung else None
        if hung is not None:
            hung.taken = True
        return hung

    @contextmanager
    def hang(self, hung: Hung, node: Node) -> Iterator[None]:
        """Have a node that is visited in here take what belongs to it."""
        before = self._hung.get(node.id)
        self._hung[node.id] = hung
        try:
            yield
        finally:
            self._hung.pop(node.id, None)
            if before is not None:
                self._hung[node.id] = before
        if not hung.taken:
            self._run.unclear("a redirection in it belongs to a command that was not reached")

    def carry(self, redirected: Callable[[Node, Hung], None], hung: Hung, node: Node) -> None:
        """Carry a node out with what belongs to it and hangs higher."""
        if hung.feed is not None:
            mark = self._state.mark()
            with self._run.fed(hung.feed):
                self._walker.visit(node)
            self._state.back(mark)
        elif hung.parts:
            with self.hang(Hung(hung.redirects, end=hung.end), node):
                self._pipe([node, *hung.parts])
        else:
            redirected(node, hung)

    def members(self, node: Node) -> None:
        """``a && b``, ``a || b``: what follows may not be run, unless what stands before is sure.

        The grammar hangs a long list on its left, redirected or piped in between or not: it is
        taken apart in a loop.
        """
        parts: list[Node] = []
        piped: set[int] = set()
        with ExitStack() as hanging:
            while True:
                below = above_list(node)
                if below is not None:
                    node, hung = below
                    hanging.enter_context(self.hang(hung, last_of(node)))
                    if hung.parts:
                        piped.add(node.children[-1].id)
                elif node.type == "list":
                    parts.append(node)
                    node = node.children[0]
                else:
                    break
            self._each(node, parts, piped)

    def _each(self, left: Node, parts: list[Node], piped: set[int]) -> None:
        """Carry the members of a list out; ``piped`` are those that only begin a pipe."""
        start = self._state.mark()
        self._walker.visit(left)
        for each in reversed(parts):
            operator, right = each.children[1].type, each.children[-1]
            turned, member = _negated(left)
            sure = left.id not in piped and self._is_sure(member)
            if sure and (operator == "||") != turned:
                self._instead(right, start)
            else:
                start = self._state.mark()
                if sure:
                    self._walker.visit(right)
                else:
                    self._either(right)
            left = right

    def _instead(self, node: Node, start: int) -> None:
        """Carry out what is run when something fails: where the shell was before it did."""
        changed = self._state.back(start)
        self._run.steps.take(len(changed))
        mark = self._state.mark()
        with self._run.printing():
            self._walker.visit(node)
        other = self._state.back(mark)
        self._state.merge([changed])
        self._state.merge([other, {}])

    def _either(self, node: Node) -> None:
        """Carry out what may be run or not."""
        mark = self._state.mark()
        with self._run.printing() as sink:
            self._walker.visit(node)
        self._state.merge([self._state.back(mark), {}])
        if sink:
            self._run.sink.append(UNKNOWN)

    def _is_sure(self, node: Node) -> bool:
        if node.type == "command":
            name = node.child_by_field_name("name")
            word = self._walker.text(name) if name is not None else ""
            finds = word in {"which", "command", "type"}
            return finds or (word in _SURE and not self._state.table.get(f"function {word}"))
        return node.type in {"variable_assignment", "variable_assignments", "declaration_command"}

    def pipeline(self, node: Node) -> None:
        """Carry the parts of a pipe out, each in a shell of its own, fed by the one before."""
        if above_list(node) is not None:
            self.members(node)
        else:
            self._pipe(pipe_parts(node))

    def _pipe(self, parts: list[Node]) -> None:
        """Carry out the parts of a pipe, each fed by the one before."""
        feed = self._run.feed
        for index, child in enumerate(parts):
            mark, start = self._state.mark(), len(self._run.found)
            with self._run.printing() as sink, self._run.fed(feed):
                self._walker.visit(child)
            self._state.back(mark)
            text = joined(sink)
            if index == len(parts) - 1:
                self._run.sink.append(text)
            feed = self._fed_by(start, feed, text)

    def _fed_by(self, start: int, before: Feed, text: str) -> Feed:
        last = self._run.found[-1] if len(self._run.found) > start else Invocation((), "")
        by = before.by if last.program in PASSING and before.by else last.argv
        return Feed(by, None if UNKNOWN in text else text)


def _negated(node: Node) -> tuple[bool, Node]:
    """Return whether there is a ``!`` before a member, and the command of it."""
    if node.type == "redirected_statement":
        node = node.child_by_field_name("body") or node
    if node.type == "negated_command":
        return True, node.named_children[-1]
    return False, node


def joined(sink: list[str]) -> str:
    """Return what was printed as one text; ``UNKNOWN`` alone where any of it is not known."""
    text = "".join(sink)
    if len(text) > MOST_TEXT:
        return UNKNOWN
    return UNKNOWN if UNKNOWN in sink else text
