"""One walk over the syntax tree: every simple command as it would be run, in order."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from pointsman.shell.effects import UNKNOWN, Invocation, Redirect
from pointsman.shell.printed import feeding, printed
from pointsman.shell.words import Expander

MOST_TEXT = 256 * 1024
"""Bytes of a command that are analysed; a longer one cannot be verified."""
MOST_DEPTH = 64
_LANGUAGE = Language(tree_sitter_bash.language())


class Spent(Exception):
    """The analysis has used up its steps."""


@dataclass(slots=True)
class Steps:
    """How much work an analysis may do, in visited nodes."""

    left: int
    used: int = 0

    def take(self) -> None:
        """Use one step.

        Raises:
            Spent: none is left.
        """
        self.used += 1
        self.left -= 1
        if self.left < 0:
            raise Spent


@dataclass(slots=True)
class State:
    """What a shell knows at one point: its directory, variables, functions."""

    cwd: str
    home: str
    variables: dict[str, str]
    functions: dict[str, Node] = field(default_factory=dict)

    def copy(self) -> "State":
        """Return a state of its own, for a subshell."""
        return replace(self, variables=dict(self.variables), functions=dict(self.functions))


class Walker:
    """Walks one text. ``found`` collects commands, ``unverified`` what could not be read."""

    def __init__(self, text: str, state: State, steps: Steps, depth: int = 0) -> None:
        self.found: list[Invocation] = []
        self.unverified: list[str] = []
        self._source = text.encode("utf-8", "replace")
        self._state = state
        self._steps = steps
        self._depth = depth
        self._fed: tuple[tuple[str, ...], str | None] = ((), None)
        self._calling: list[str] = []

    def run(self) -> None:
        """Walk the whole text."""
        if len(self._source) > MOST_TEXT:
            self.unverified.append(f"it is longer than {MOST_TEXT} bytes")
            return
        tree = Parser(_LANGUAGE).parse(self._source)
        if tree.root_node.has_error:
            self.unverified.append(
                f"it is no well-formed shell text near {_near(tree.root_node)!r}"
            )
        self._visit(tree.root_node, 0)

    def _visit(self, node: Node, level: int) -> None:
        self._steps.take()
        if level > MOST_DEPTH:
            self.unverified.append("it is nested too deeply")
            return
        handler = _HANDLERS.get(node.type)
        if handler is not None:
            handler(self, node, level)
            return
        for child in node.named_children:
            self._visit(child, level + 1)

    # -- structure ------------------------------------------------------------------------------

    def _subshell(self, node: Node, level: int) -> None:
        before = self._state
        self._state = before.copy()
        for child in node.named_children:
            self._visit(child, level + 1)
        self._state = before

    def _pipeline(self, node: Node, level: int) -> None:
        before = self._fed
        for child in node.named_children:
            start = len(self.found)
            self._visit(child, level + 1)
            self._fed = feeding(self.found[start:])
        self._fed = before

    def _function(self, node: Node, _level: int) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self._state.functions[self._raw(name)] = body

    def _for(self, node: Node, level: int) -> None:
        """Walk a loop's body once, with the variable holding every value it would take."""
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        expander = self._expander(level)
        values: list[str] = []
        for child in node.named_children:
            if child not in (variable, body):
                values += expander.words(child)
        if variable is not None:
            known = values and not any(UNKNOWN in value for value in values)
            self._state.variables[self._raw(variable)] = " ".join(values) if known else UNKNOWN
        if body is not None:
            self._visit(body, level + 1)

    def _assignment(self, node: Node, level: int) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        text = self._expander(level).text(value) if value is not None else ""
        if b"+=" in self._source[name.end_byte : name.end_byte + 2]:
            text = self._state.variables.get(self._raw(name), "") + text
        self._state.variables[self._raw(name)] = text if len(text) <= 65536 else UNKNOWN

    def _unset(self, node: Node, _level: int) -> None:
        for child in node.named_children:
            self._state.variables.pop(self._raw(child), None)

    # -- commands -------------------------------------------------------------------------------

    def _redirected(self, node: Node, level: int) -> None:
        redirects, stdin, rest = [], None, []
        for child in node.named_children:
            if child.type == "file_redirect":
                redirects += self._file_redirect(child, level)
            elif child.type == "heredoc_redirect":
                stdin, more, inner = self._heredoc(child, level)
                redirects += more
                rest += inner
            elif child.type == "herestring_redirect":
                stdin = self._herestring(child, level)
        start = len(self.found)
        before = self._fed
        if stdin is not None:
            self._fed = ((), stdin)
        body = node.child_by_field_name("body")
        if body is not None:
            self._visit(body, level + 1)
        else:
            self._emit((), tuple(redirects), node)
        self._fed = before
        if len(self.found) == start:
            self._emit((), tuple(redirects), node)
        elif redirects:
            last = self.found[-1]
            self.found[-1] = replace(last, redirects=last.redirects + tuple(redirects))
        # `cmd <<EOF | next`: the grammar hangs the rest of the pipeline on the here-document.
        for child in rest:
            self._fed = feeding(self.found[start:])
            self._visit(child, level + 1)
        self._fed = before

    def _command(self, node: Node, level: int) -> None:
        expander = self._expander(level)
        assigned: dict[str, str] = {}
        words: list[str] = []
        redirects: list[Redirect] = []
        stdin = None
        for child in node.children:
            self._steps.take()
            if child.type == "variable_assignment":
                self._assign_for(child, assigned, expander)
            elif child.type == "file_redirect":
                redirects += self._file_redirect(child, level)
            elif child.type == "herestring_redirect":
                stdin = self._herestring(child, level)
            elif child.type == "command_name":
                inner = child.named_children[0] if child.named_child_count else child
                words += expander.words(inner)
            elif child.is_named:
                words += expander.words(child)
                self._process_substitutions(child, level)
        if stdin is not None:
            before, self._fed = self._fed, ((), stdin)
            self._emit(tuple(words), tuple(redirects), node)
            self._fed = before
        else:
            self._emit(tuple(words), tuple(redirects), node)
        if not words:
            self._state.variables.update(assigned)
        self._follow(tuple(words), level)

    def _assign_for(self, node: Node, assigned: dict[str, str], expander: Expander) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is not None:
            assigned[self._raw(name)] = expander.text(value) if value is not None else ""

    def _process_substitutions(self, node: Node, level: int) -> None:
        if node.type == "process_substitution":
            self._subshell(node, level)

    def _declaration(self, node: Node, level: int) -> None:
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._assignment(child, level)

    def _emit(self, argv: tuple[str, ...], redirects: tuple[Redirect, ...], node: Node) -> None:
        if not argv and not redirects:
            return
        fed_by, stdin = self._fed
        text = self._raw(node)
        self.found.append(
            Invocation(
                argv,
                self._state.cwd,
                redirects,
                stdin,
                fed_by,
                text if len(text) < 400 else text[:399] + "…",
            )
        )

    def _follow(self, words: tuple[str, ...], level: int) -> None:
        """Let a command change what the shell knows: ``cd``, a function, ``alias``."""
        if not words:
            return
        if words[0] in {"cd", "pushd"}:
            self._change_directory(words)
        body = self._state.functions.get(words[0])
        if body is not None and words[0] not in self._calling:
            self._calling.append(words[0])
            for number, word in enumerate(words[1:10], 1):
                self._state.variables[str(number)] = word
            self._state.variables["@"] = self._state.variables["*"] = " ".join(words[1:])
            self._visit(body, level + 1)
            self._calling.pop()

    def _change_directory(self, words: tuple[str, ...]) -> None:
        target = next((word for word in words[1:] if not word.startswith("-")), self._state.home)
        self._state.cwd = resolve(target, self._state.cwd) if "-" not in words else UNKNOWN

    # -- words ----------------------------------------------------------------------------------

    def _expander(self, level: int) -> Expander:
        def substitute(node: Node) -> str:
            start = len(self.found)
            self._subshell(node, level + 1)
            return printed(self.found[start:])

        variables: Mapping[str, str] = _Variables(self._state)
        return Expander(self._source, variables, self._state.home, substitute)

    def _file_redirect(self, node: Node, level: int) -> list[Redirect]:
        operator = next((child.type for child in node.children if not child.is_named), ">")
        target = node.child_by_field_name("destination")
        if target is None or (operator in {">&", "<&"} and self._raw(target).isdigit()):
            return []
        self._process_substitutions(target, level)
        words = self._expander(level).words(target)
        return [Redirect(operator, resolve(word, self._state.cwd)) for word in words]

    def _heredoc(self, node: Node, level: int) -> tuple[str, list[Redirect], list[Node]]:
        body, redirects, rest = "", [], []
        for child in node.named_children:
            if child.type == "heredoc_body":
                body = self._raw(child)
            elif child.type == "file_redirect":
                redirects += self._file_redirect(child, level)
            elif child.type not in {"heredoc_start", "heredoc_end"}:
                rest.append(child)
        return body, redirects, rest

    def _herestring(self, node: Node, level: int) -> str:
        expander = self._expander(level)
        return "".join(expander.text(child) for child in node.named_children)

    def _raw(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")


class _Variables(dict[str, str]):
    """The variables of a state, with those that every shell has."""

    def __init__(self, state: State) -> None:
        super().__init__({"HOME": state.home, "PWD": state.cwd, "IFS": " \t\n"} | state.variables)


_HANDLERS: dict[str, Callable[[Walker, Node, int], None]] = {
    "subshell": Walker._subshell,
    "command_substitution": Walker._subshell,
    "process_substitution": Walker._subshell,
    "pipeline": Walker._pipeline,
    "function_definition": Walker._function,
    "for_statement": Walker._for,
    "variable_assignment": Walker._assignment,
    "declaration_command": Walker._declaration,
    "unset_command": Walker._unset,
    "redirected_statement": Walker._redirected,
    "command": Walker._command,
}


def resolve(path: str, cwd: str) -> str:
    """Return a path from the shell's directory, textually; unknown stays unknown."""
    if path.startswith(("/", UNKNOWN)):
        return posixpath.normpath(path) if path.startswith("/") else path
    if cwd.startswith("/"):
        return posixpath.normpath(f"{cwd}/{path}")
    return f"{UNKNOWN}/{path}"


def _near(root: Node) -> str:
    """Return the text around the first thing that the grammar could not place."""
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == "ERROR" or node.is_missing:
            return (node.text or b"").decode("utf-8", "replace")[:40]
        todo += reversed([child for child in node.children if child.has_error])
    return ""
