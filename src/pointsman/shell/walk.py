"""One walk over the syntax tree: the shell's structure, in the order in which it is carried out."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

from tree_sitter import Node

from pointsman.shell.arithmetic import evaluate
from pointsman.shell.assigning import Assigning
from pointsman.shell.calls import Calls
from pointsman.shell.effects import UNKNOWN
from pointsman.shell.grammar import is_coproc, near, parse
from pointsman.shell.hanging import Hung
from pointsman.shell.lists import Lists, joined
from pointsman.shell.parameters import parameter
from pointsman.shell.stage import Runs
from pointsman.shell.state import MOST_TEXT, Choice, Entry, Function
from pointsman.shell.turning import Turning
from pointsman.shell.words import Expander, Piece

_MOST_PICKS = 8
"""Ways in which the values of several names are put together for one command."""
_CHOOSING = frozenset({
    "command", "variable_assignment", "variable_assignments", "declaration_command",
    "redirected_statement",
})  # fmt: skip


class Walker:
    """Walks one text; what it runs is told to the run that it is part of."""

    def __init__(self, run: Runs, source: bytes) -> None:
        self.run = run
        self.state = run.state
        self.source = source
        self.expander = Expander(source, run.state, self)
        self.lists = Lists(self)
        self._calls = Calls(self)
        self._turning: Turning = Turning(self)
        self._assigning: Assigning = Assigning(self)

    def whole(self) -> None:
        """Walk the whole text."""
        if len(self.source) > MOST_TEXT:
            self.run.unclear(f"it is longer than {MOST_TEXT} bytes")
            return
        # A text that is parsed costs, too: one that carries another as text is paid for twice.
        self.run.steps.take(1 + len(self.source) // 64)
        tree = parse(self.source)
        if tree is None:
            self.run.unclear("it cannot be parsed in the time that there is")
            return
        if tree.root_node.has_error:
            place = near(tree.root_node)
            if place is not None:
                self.run.unclear(f"it is no well-formed shell text near {place!r}")
        self.visit(tree.root_node)

    def visit(self, node: Node) -> None:
        """Carry one node out."""
        hung = self.lists.taken(node)
        self.run.steps.take()
        if not self.run.deeper():
            return
        carry: Callable[[Node], None] = partial(_HANDLERS.get(node.type, Walker._children), self)
        end = node.end_byte
        if hung is not None:
            carry, end = partial(self.lists.carry, self._calls.redirected, hung), hung.end or end
        picks = []
        if self.state.choices and node.type in _CHOOSING and not _is_block(node):
            picks = self.state.open_choices(self.source[node.start_byte : end])
        if picks:
            self._each_choice(node, picks, carry)
        else:
            carry(node)
        self.run.level -= 1

    def hang(self, hung: Hung, node: Node) -> AbstractContextManager[None]:
        """Have a node that is visited in here take what belongs to it."""
        return self.lists.hang(hung, node)

    def _each_choice(
        self, node: Node, picks: list[tuple[str, Choice]], carry: Callable[[Node], None]
    ) -> None:
        """Carry a node out for each of the values that names in it may have."""
        ways: list[dict[str, str]] = [{}]
        for name, choice in picks:
            ways = [{**way, name: value} for way in ways for value in choice.values]
            if len(ways) > _MOST_PICKS:
                ways = [{name: UNKNOWN for name, _ in picks}]
                break
        branches = []
        for way in ways:
            mark = self.state.mark()
            for name, value in way.items():
                self.state.pick(name, value)
            carry(node)
            branches.append(self.state.back(mark))
        if len(ways) > 1:
            self.state.merge(branches)
        else:
            kept = {key: value for key, value in branches[0].items() if key not in ways[0]}
            self.state.merge([kept])

    def _children(self, node: Node) -> None:
        self.sequence(node.children)

    def sequence(self, nodes: list[Node]) -> None:
        """Carry nodes out one after the other; what is sent to the background in its own shell."""
        for index, node in enumerate(nodes):
            if not node.is_named:
                continue
            if self._is_apart(node, nodes[index + 1] if index + 1 < len(nodes) else None):
                mark = self.state.mark()
                self.visit(node)
                self.state.back(mark)
            else:
                self.visit(node)

    def _is_apart(self, node: Node, following: Node | None) -> bool:
        """Whether it runs beside this shell, which it cannot change."""
        if following is not None and following.type == "&":
            return True
        return is_coproc(self.source, node.start_byte)

    # -- structure ------------------------------------------------------------------------------

    def _subshell(self, node: Node) -> None:
        mark = self.state.mark()
        self._children(node)
        self.run.calls_traps()
        self.state.back(mark)

    def substitute(self, node: Node) -> str:
        """Return what a command substitution prints, or ``UNKNOWN``."""
        with self.run.printing() as sink, self.run.fed(self.run.feed):
            self._subshell(node)
        return joined(sink)

    def _expanded(self, node: Node) -> None:
        """Expand what stands where no command is, as in a test: it may run something."""
        self.expander.text(node)

    def output(self, text: str) -> str:
        """Return what a text prints that stands in backquotes."""
        mark = self.state.mark()
        with self.run.printing() as sink, self.run.fed(self.run.feed):
            self.run.script(text.replace("\\`", "`"), same=True)
        self.state.back(mark)
        return joined(sink).rstrip("\n")

    def parameter(self, expander: Expander, node: Node) -> Iterator[Piece]:
        """Return the pieces of a ``${…}``."""
        self.run.steps.take(1 + (node.end_byte - node.start_byte) // 64)
        return parameter(expander, node)

    def number(self, expander: Expander, node: Node) -> str:
        """Return the value of a ``$((…))``."""
        inner = node.start_byte + 3 - (self.source[node.start_byte : node.start_byte + 2] == b"$[")
        end = node.end_byte - (1 if self.source[node.end_byte - 2 : node.end_byte] != b"))" else 2)
        pieces = expander.between(node, inner, end)
        text = "".join(text for text, _ in pieces)
        value = evaluate(text, self.state.get, self.state.set)
        if value is None:
            self.forget(text)
        return UNKNOWN if value is None else str(value)

    def forget(self, text: str) -> None:
        """Forget what arithmetic that is not known may have changed."""
        for name in re.findall(r"([A-Za-z_]\w*)\s*(?:[-+*/%&|^]?=(?!=)|\+\+|--)", text):
            self.state.set(name, UNKNOWN)

    def _compound(self, node: Node) -> None:
        text = self.text(node)
        if text.startswith("(("):
            if evaluate(text[2:-2], self.state.get, self.state.set) is None:
                self.forget(text)
                self._children(node)
            return
        self._children(node)

    def _list(self, node: Node) -> None:
        self.lists.members(node)

    def _pipeline(self, node: Node) -> None:
        self.lists.pipeline(node)

    def _if(self, node: Node) -> None:
        """Carry out what stands under every condition; afterwards any of it may have been."""
        parts: list[Node] = []
        sections: list[list[Node]] = [[]]
        for child in node.children:
            if child.type in {"elif_clause", "else_clause"}:
                parts.append(child)
            else:
                sections[0].append(child)
        sections += [list(part.children) for part in parts]
        has_else = bool(parts) and parts[-1].type == "else_clause"
        with self.run.printing() as sink:
            branches = [self._section(section) for section in sections]
        self.state.merge(branches if has_else else [*branches, {}])
        if "".join(sink):
            self.run.sink.append(UNKNOWN)

    def _section(self, nodes: list[Node]) -> dict[str, Entry]:
        cut = next((at for at, child in enumerate(nodes) if child.type == "then"), 0)
        self.sequence(nodes[:cut])
        mark = self.state.mark()
        self.sequence(nodes[cut:])
        return self.state.back(mark)

    def _case(self, node: Node) -> None:
        branches: list[dict[str, Entry]] = [{}]
        value = node.child_by_field_name("value")
        if value is not None:
            self.expander.words(value)
        with self.run.printing() as sink:
            for item in node.named_children:
                if item.type == "case_item":
                    mark = self.state.mark()
                    self._item(item)
                    branches.append(self.state.back(mark))
                    if any(child.type in {";&", ";;&"} for child in item.children):
                        self.state.merge([branches[-1], {}])
        self.state.merge(branches)
        if "".join(sink):
            self.run.sink.append(UNKNOWN)

    def _item(self, node: Node) -> None:
        values = node.children_by_field_name("value")
        for each in values:
            self.expander.words(each)
        self.sequence([child for child in node.children if child not in values])

    def _function(self, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self.state.put(f"function {self.text(name)}", Function(body, self.source))

    def _for(self, node: Node) -> None:
        self._turning.each_value(node)

    def _loop(self, node: Node) -> None:
        self._turning.until_done(node)

    def _c_style(self, node: Node) -> None:
        self._turning.counted(node)

    def _declaration(self, node: Node) -> None:
        self._assigning.declaration(node)

    def _unset(self, node: Node) -> None:
        self._assigning.unset(node)

    # -- commands -------------------------------------------------------------------------------

    def _redirected(self, node: Node) -> None:
        self._calls.redirected(node)

    def _command(self, node: Node) -> None:
        self._calls.command(node)

    def assign(self, node: Node) -> None:
        """Give a variable what stands behind its name."""
        self._assigning.assign(node)

    def text(self, node: Node) -> str:
        """Return the source of a node."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _is_block(node: Node) -> bool:
    """Whether it is a redirection of something larger than a command."""
    body = node.child_by_field_name("body") if node.type == "redirected_statement" else None
    return body is not None and body.type != "command"


_HANDLERS: dict[str, Callable[[Walker, Node], None]] = {
    "subshell": Walker._subshell,
    "command_substitution": Walker._expanded,
    "process_substitution": Walker._subshell,
    "compound_statement": Walker._compound,
    "list": Walker._list,
    "pipeline": Walker._pipeline,
    "if_statement": Walker._if,
    "case_statement": Walker._case,
    "function_definition": Walker._function,
    "for_statement": Walker._for,
    "while_statement": Walker._loop,
    "c_style_for_statement": Walker._c_style,
    "variable_assignment": Walker.assign,
    "declaration_command": Walker._declaration,
    "unset_command": Walker._unset,
    "redirected_statement": Walker._redirected,
    "file_redirect": Walker._redirected,
    "command": Walker._command,
    "expansion": Walker._expanded,
    "arithmetic_expansion": Walker._expanded,
}
