"""Assignments and declarations: what variables and lists are from here on."""

import re

from tree_sitter import Node

from pointsman.shell.arguments import names
from pointsman.shell.arithmetic import evaluate
from pointsman.shell.builtins import assign, export, follow, put_list
from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.stage import Walks

HEEDED = names("HISTFILE HISTSIZE HISTFILESIZE HISTCONTROL HISTIGNORE BASH_ENV ENV PROMPT_COMMAND")
"""Variables that the shell itself heeds: one that is merely set is told as if declared."""
_OWN = frozenset({"local", "declare", "typeset"})
"""What makes a variable a function's own."""


class Assigning:
    """The assignments of one walker."""

    def __init__(self, walker: Walks) -> None:
        self._walker = walker
        self.state = walker.state

    def assign(self, node: Node, *, exported: bool = False, known: str | None = None) -> None:
        """Give a variable what stands behind its name."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        key = self._walker.text(name)
        if key.endswith("]") and ("$(" in key or "`" in key):
            self._walker.expander.text(name)
        if key.endswith("]") and "$" in key:
            base, _, index = key.partition("[")
            found = self.state.get(index.strip("$]{}\"'"))
            key = f"{base}[{UNKNOWN if found is None else found}]"
        adds = b"+=" in self._walker.source[name.end_byte : name.end_byte + 2]
        if value is not None and value.type == "array":
            self._array(key, value, adds=adds)
            return
        text = known
        if text is None:
            text = self._walker.expander.text(value) if value is not None else ""
        if adds:
            text = (self.state.get(key) or "") + text
        self._walker.run.steps.take(1 + len(text) // 64)
        if key in HEEDED and known is None:
            self._say(node, ("declare", f"{key}={text[:400]}"))
        assign(self.state, key, text if len(text) <= 65536 else UNKNOWN, exported=exported)

    def _array(self, key: str, value: Node, *, adds: bool) -> None:
        items = dict(self.state.array(key) or {}) if adds else {}
        for child in value.named_children:
            found = re.fullmatch(r"\[([^\]]*)\]=(.*)", self._walker.text(child), re.DOTALL)
            if found is not None and len(items) < 512:
                text = "".join(self._walker.expander.words(child))
                index, _, item = text.partition("]=")
                items[index.removeprefix("[")] = item
                continue
            for word in self._walker.expander.words(child)[: 512 - len(items)]:
                numbers = [int(each) for each in items if each.isdigit()]
                items[str(max(numbers, default=-1) + 1)] = word
        self._walker.run.steps.take(1 + len(items))
        put_list(self.state, key, items)

    def declaration(self, node: Node) -> None:
        """``declare``, ``export``, ``local`` … with their assignments."""
        flags = "".join(
            self._walker.text(child) for child in node.named_children if child.type == "word"
        )
        command = self._walker.text(node.children[0]) if node.children else ""
        exported = command == "export" or "x" in flags
        # All words are expanded before the first of them is assigned.
        texts = {child.id: self._value(child) for child in node.named_children}
        self._say(node, (command, *(self._word(child, texts) for child in node.named_children)))
        for child in node.named_children:
            name = child.child_by_field_name("name") if child.type.endswith("assignment") else child
            if command in _OWN and name is not None and child.type != "word":
                key = self._walker.text(name).partition("[")[0]
                own = self._walker.run.local(key)
                if command == "local" and not own:
                    continue  # outside of a function it is an error, and nothing is assigned
                if own and child.type == "variable_name":
                    self.state.unset(key)
            if child.type == "variable_assignment":
                self.assign(child, exported=exported, known=texts[child.id])
                self._refer(child, flags)
            elif exported and child.type == "variable_name":
                export(self.state, self._walker.text(child))
            elif child.type not in {"word", "variable_name"}:
                words = self._walker.expander.words(child)
                follow((command, *words), self.state, self._walker.run.feed)

    def _say(self, node: Node, argv: tuple[str, ...]) -> None:
        """Let the rules see what the shell is told about its variables."""
        run, text = self._walker.run, self._walker.text(node)[:400]
        run.keep(run.placed(Invocation(argv, self.state.cwd, text=text)))
        if argv[0] != "unset" and all(word.startswith("-") for word in argv[1:]):
            run.sink.append(UNKNOWN)  # with no name it prints them all

    def _word(self, node: Node, texts: dict[int, str | None]) -> str:
        name = node.child_by_field_name("name")
        value = texts.get(node.id)
        if name is None or value is None:
            return self._walker.text(node)[:400]
        return f"{self._walker.text(name)}={value}"

    def _value(self, node: Node) -> str | None:
        value = node.child_by_field_name("value")
        if node.type != "variable_assignment" or value is None or value.type == "array":
            return None
        return self._walker.expander.text(value)

    def _refer(self, node: Node, flags: str) -> None:
        """Let ``declare -n`` name another variable, ``-i`` work its value out."""
        name = node.child_by_field_name("name")
        key = self._walker.text(name) if name is not None else ""
        value = self.state.get(key)
        if "n" in flags and value:
            self.state.put(f"ref {key}", value)
            self.state.refers = True
        elif "i" in flags and value:
            number = evaluate(value, self.state.get, self.state.set)
            self.state.set(key, UNKNOWN if number is None else str(number))
        elif "l" in flags or "u" in flags:
            self.state.set(key, (value or "").lower() if "l" in flags else (value or "").upper())

    def unset(self, node: Node) -> None:
        """``unset`` takes variables, items of lists or functions away."""
        words = [
            word for child in node.named_children for word in self._walker.expander.words(child)
        ]
        self._say(node, ("unset", *words))
        follow(("unset", *words), self.state, self._walker.run.feed)
