"""Loops: turn by turn where the values are few and known, else once for any turn."""

import re
from collections.abc import Callable

from tree_sitter import Node

from pointsman.shell.arithmetic import evaluate
from pointsman.shell.builtins import assign
from pointsman.shell.effects import ENDLESS, UNKNOWN, Invocation
from pointsman.shell.loops import is_endless, multiplies, turns
from pointsman.shell.stage import Walks

_MOST_TURNS = 16
"""Values for which a loop's body is walked one by one."""


class Turning:
    """The loops of one walker."""

    def __init__(self, walker: Walks) -> None:
        self._walker = walker
        self.state = walker.state
        self._turning = 0

    def each_value(self, node: Node) -> None:
        """Walk a loop's body for each of its values, up to a cap; then once for any other."""
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        if variable is None or body is None:
            return
        values: list[str] = []
        given = [child for child in node.named_children if child not in (variable, body)]
        for child in given:
            values += self._walker.expander.words(child)
        if not given and not any(child.type == "in" for child in node.children):
            arguments = self.state.arguments()
            values = [UNKNOWN] if arguments is None else list(arguments)
        name = self._walker.text(variable)
        self._turning += 1
        most = _MOST_TURNS if self._turning == 1 else 4
        leaves = re.search(rb"\b(break|continue|return|exit)\b", body.text or b"") is not None
        mark = self.state.mark()
        ends = []
        for value in values[:most]:
            if UNKNOWN in value:
                # It may be no word at all, or several.
                self._any_turn(lambda: self._turn(name, body))
            else:
                self._turn(name, body, value)
            if leaves:
                ends.append(self.state.since(mark))
        if leaves:
            self.state.back(mark)
            self.state.merge([*ends, {}])
        if len(values) > most or (given and not values):
            self._any_turn(lambda: self._turn(name, body))
        self._turning -= 1

    def _turn(self, name: str, body: Node, value: str = UNKNOWN) -> None:
        assign(self.state, name, value)
        self._walker.visit(body)

    def _any_turn(self, turn: Callable[[], object]) -> None:
        """Carry a turn of a loop out, and once more with what it changes unknown."""
        mark, start = self.state.mark(), len(self._walker.run.sink)
        turn()
        changed = self.state.back(mark)
        if changed and self._turning <= 2:
            for key, value in changed.items():
                self.state.put(key, turns(value))
            turn()
            again = self.state.back(mark)
            changed = {**changed, **{key: turns(value) for key, value in again.items()}}
        self.state.merge([{key: turns(value) for key, value in changed.items()}, {}])
        if len(self._walker.run.sink) > start and "".join(self._walker.run.sink[start:]):
            self._walker.run.sink[start:] = [UNKNOWN]

    def until_done(self, node: Node) -> None:
        """Walk a loop's parts; one that starts work for ever and never waits is said so."""
        body = node.child_by_field_name("body")
        nodes = [child for child in node.children if child.is_named]
        self._turning += 1
        lines = self._read_by(node)
        for _ in range(lines):
            self._walker.sequence(nodes)
        if lines:
            # Once more to find the end, which leaves the variables empty.
            self._walker.sequence([child for child in nodes if child != body])
        if not lines:
            self._any_turn(lambda: self._walker.sequence(nodes))
        self._turning -= 1
        if body is not None and is_endless(node, self._walker.source) and multiplies(body):
            self._walker.run.keep(
                Invocation((ENDLESS,), self.state.cwd, text=self._walker.text(node)[:400])
            )

    def _read_by(self, node: Node) -> int:
        """Return how many lines ``while read`` has to read, 0 where that is not known or many."""
        condition = node.child_by_field_name("condition")
        text = self._walker.run.feed.rest
        words = self._walker.text(condition).split() if condition is not None else []
        reads = "read" in words[:2] and "=" not in words[0].replace("IFS=", "")
        if not reads or text is None or self._turning > 1 or "-d" in words or "-u" in words:
            return 0
        lines = text.count("\n") + (not text.endswith("\n"))
        return lines if lines <= _MOST_TURNS else 0

    def counted(self, node: Node) -> None:
        """``for ((i=0; i<3; i++))``, turn by turn where its numbers are known and few."""
        head = re.match(rb"for\s*\(\((.*?);(.*?);(.*?)\)\)", node.text or b"", re.DOTALL)
        body = node.child_by_field_name("body")
        if head is None or body is None:
            self.until_done(node)
            return
        begin, test, step = (part.decode("utf-8", "replace") for part in head.groups())
        self._evaluate(begin)
        self._turning += 1
        left = _MOST_TURNS if self._turning == 1 else 4
        while left and (value := evaluate(test.strip() or "1", self.state.get, self.state.set)):
            self._walker.visit(body)
            self._evaluate(step)
            left -= 1
        self._turning -= 1
        if not left or value is None:
            self._walker.forget(f"{begin};{step}")
            self.until_done(node)

    def _evaluate(self, text: str) -> None:
        if evaluate(text, self.state.get, self.state.set) is None:
            self._walker.forget(text)
