"""One walk over the syntax tree: every simple command as it would be run, in order."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from tree_sitter import Node

from pointsman.shell.batches import listed
from pointsman.shell.carried import RUN_BY_OTHERS
from pointsman.shell.effects import ENDLESS, UNKNOWN, Invocation, Redirect
from pointsman.shell.grammar import near, parse
from pointsman.shell.loops import is_endless, multiplies, starts_work
from pointsman.shell.printed import feeding, printed
from pointsman.shell.state import MOST_DEPTH, MOST_TEXT, State, Steps, resolve
from pointsman.shell.words import Expander

_MOST_TURNS = 16
"""Values for which a loop's body is walked one by one."""


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
        self._turning = 0
        self._extra: list[str] = []
        self._substituted: tuple[tuple[str, ...], str | None] | None = None

    def run(self) -> None:
        """Walk the whole text."""
        if len(self._source) > MOST_TEXT:
            self.unverified.append(f"it is longer than {MOST_TEXT} bytes")
            return
        # A text that is parsed costs, too: one that carries another as text is paid for twice.
        self._steps.take(1 + len(self._source) // 64)
        tree = parse(self._source)
        if tree is None:
            self.unverified.append("it cannot be parsed in the time that there is")
            return
        if tree.root_node.has_error:
            self.unverified.append(f"it is no well-formed shell text near {near(tree.root_node)!r}")
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
        """Walk a loop's body for each of its values, up to a cap; then once for any other."""
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        expander = self._expander(level)
        values: list[str] = []
        for child in node.named_children:
            if child not in (variable, body):
                values += expander.words(child)
        if variable is None or body is None:
            return
        name = self._raw(variable)
        most = _MOST_TURNS if self._turning == 0 else 4
        self._turning += 1
        for value in values[:most]:
            self._state.variables[name] = value
            self._visit(body, level + 1)
        if len(values) > most or not values:
            self._state.variables[name] = UNKNOWN
            self._visit(body, level + 1)
        self._turning -= 1

    def _loop(self, node: Node, level: int) -> None:
        """Walk a loop's parts; one that starts work for ever and never waits is said so."""
        for child in node.named_children:
            self._visit(child, level + 1)
        body = node.child_by_field_name("body")
        if body is not None and is_endless(node, self._source) and multiplies(body):
            self._emit((ENDLESS,), (), node)

    def _assignment(self, node: Node, level: int) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        key = self._raw(name)
        if value is not None and value.type == "array":
            self._array(key, value, level)
            return
        text = self._expander(level).text(value) if value is not None else ""
        if b"+=" in self._source[name.end_byte : name.end_byte + 2]:
            text = self._state.variables.get(key, "") + text
        self._steps.take(1 + len(text) // 64)
        self._state.variables[key] = text if len(text) <= 65536 else UNKNOWN

    def _array(self, key: str, value: Node, level: int) -> None:
        expander = self._expander(level)
        items = [word for child in value.named_children for word in expander.words(child)][:512]
        self._state.variables[key] = items[0] if items else ""
        self._state.variables[f"{key}[@]"] = " ".join(items)
        for index, item in enumerate(items):
            self._state.variables[f"{key}[{index}]"] = item

    def _unset(self, node: Node, _level: int) -> None:
        for child in node.named_children:
            self._state.variables.pop(self._raw(child), None)

    # -- commands -------------------------------------------------------------------------------

    def _redirected(self, node: Node, level: int) -> None:
        redirects, stdin, rest = [], None, []
        fed: tuple[tuple[str, ...], str | None] | None = None
        for child in node.named_children:
            if child.type == "file_redirect":
                redirects += self._file_redirect(child, level)
                if child.child_count and self._substituted is not None:
                    fed, self._substituted = self._substituted, None
            elif child.type == "heredoc_redirect":
                stdin, more, inner = self._heredoc(child, level)
                redirects += more
                rest += inner
            elif child.type == "herestring_redirect":
                stdin = self._herestring(child, level)
        start = len(self.found)
        before = self._fed
        if stdin is not None or fed is not None:
            self._fed = ((), stdin) if fed is None else fed
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

    def _bare(self, node: Node, level: int) -> None:
        """A redirection without a command, as in ``$(< file)``."""
        self._emit((), tuple(self._file_redirect(node, level)), node)

    def _command(self, node: Node, level: int) -> None:
        expander = self._expander(level)
        assigned: dict[str, str] = {}
        words: list[str] = []
        redirects: list[Redirect] = []
        # What stood behind a redirection in the middle of a command is a word of it.
        extra, self._extra = self._extra, []
        fed = self._fed
        for child in node.children:
            self._steps.take()
            if child.type == "variable_assignment":
                self._assign_for(child, assigned, expander)
            elif child.type == "file_redirect":
                redirects += self._file_redirect(child, level)
            elif child.type == "herestring_redirect":
                fed = ((), self._herestring(child, level))
            elif child.type == "command_name":
                inner = child.named_children[0] if child.named_child_count else child
                words += expander.words(inner)
            elif child.is_named:
                words += expander.words(child)
                self._process_substitutions(child, level)
            if self._substituted is not None:
                fed, self._substituted = self._substituted, None
        words += [*extra, *self._extra]
        self._extra = []
        before, self._fed = self._fed, fed
        self._emit(tuple(words), tuple(redirects), node)
        self._run_by_others(assigned, words, node)
        if not words:
            self._state.variables.update(assigned)
        self._follow(tuple(words), level, node)
        self._fed = before

    def _assign_for(self, node: Node, assigned: dict[str, str], expander: Expander) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is not None and value is not None and value.type == "array":
            self._array(self._raw(name), value, 0)
        elif name is not None:
            assigned[self._raw(name)] = expander.text(value) if value is not None else ""

    def _run_by_others(self, assigned: Mapping[str, str], words: list[str], node: Node) -> None:
        """Emit what an alias stands for, and what the program runs that is started here."""
        texts = [value for name, value in assigned.items() if name in RUN_BY_OTHERS and words]
        alias = self._state.variables.get(f"alias {words[0]}") if words else None
        # The shell does not expand an alias in its own text again: `alias ls='ls -l'`.
        if alias is not None and alias.split()[:1] != words[:1]:
            texts.append(" ".join([alias, *words[1:]]))
        for text in texts:
            self._emit(("eval", text), (), node)

    def _process_substitutions(self, node: Node, level: int) -> None:
        if node.type == "process_substitution":
            start = len(self.found)
            self._subshell(node, level)
            self._substituted = feeding(self.found[start:])

    def _declaration(self, node: Node, level: int) -> None:
        refers = any(self._raw(child) == "-n" for child in node.named_children)
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._assignment(child, level)
                name = child.child_by_field_name("name")
                if refers and name is not None:
                    key = self._raw(name)
                    target = self._state.variables.get(key, "")
                    self._state.variables[key] = self._state.variables.get(target, UNKNOWN)

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

    def _follow(self, words: tuple[str, ...], level: int, node: Node) -> None:
        """Let a command change what the shell knows: ``cd``, a function, ``alias``, ``read``."""
        if not words:
            return
        if words[0] in {"cd", "pushd"}:
            self._change_directory(words)
        elif words[0] == "alias":
            for word in words[1:]:
                name, equals, text = word.partition("=")
                if equals:
                    self._state.variables[f"alias {name}"] = text
        elif words[0] == "set" and "--" in words:
            self._arguments(words[words.index("--") :])
        elif words[0] in {"read", "mapfile", "readarray"}:
            self._read(words)
        body = self._state.functions.get(words[0])
        if body is None:
            return
        if words[0] in self._calling:
            chain = self._calling[self._calling.index(words[0]) :]
            bodies = [self._state.functions[name] for name in chain]
            if any(starts_work(each) for each in bodies):
                self._emit((ENDLESS,), (), node)
            return
        self._calling.append(words[0])
        self._arguments(words)
        self._visit(body, level + 1)
        self._calling.pop()

    def _arguments(self, words: tuple[str, ...]) -> None:
        for number, word in enumerate(words[1:10], 1):
            self._state.variables[str(number)] = word
        self._state.variables["@"] = self._state.variables["*"] = " ".join(words[1:])

    def _read(self, words: tuple[str, ...]) -> None:
        """``read a b`` from what the command is fed, as far as that is known."""
        fed_by, stdin = self._fed
        names = [word for word in words[1:] if word.isidentifier()] or ["REPLY"]
        source = Invocation(words, self._state.cwd, stdin=stdin, fed_by=fed_by)
        text = " ".join(listed(source)) if stdin is None else stdin.strip("\n")
        parts = text.split(None, len(names) - 1) if len(names) > 1 else [text]
        for index, name in enumerate(names):
            self._state.variables[name] = parts[index] if index < len(parts) else ""

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
        targets = node.children_by_field_name("destination")
        target = targets[0] if targets else None
        if target is None or (operator in {">&", "<&"} and self._raw(target).isdigit()):
            return []
        self._process_substitutions(target, level)
        words = self._expander(level).words(target)
        for more in targets[1:]:
            self._extra += self._expander(level).words(more)
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


class _Variables(Mapping[str, str]):
    """The variables of a state, with those that every shell has; looked up, never copied."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._own = {"HOME": state.home, "PWD": state.cwd, "IFS": " \t\n"}

    def __getitem__(self, name: str) -> str:
        found = self._state.variables.get(name)
        return self._own[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        return iter(self._own | self._state.variables)

    def __len__(self) -> int:
        return len(self._own | self._state.variables)


_HANDLERS: dict[str, Callable[[Walker, Node, int], None]] = {
    "subshell": Walker._subshell,
    "command_substitution": Walker._subshell,
    "process_substitution": Walker._subshell,
    "pipeline": Walker._pipeline,
    "function_definition": Walker._function,
    "for_statement": Walker._for,
    "while_statement": Walker._loop,
    "c_style_for_statement": Walker._loop,
    "variable_assignment": Walker._assignment,
    "declaration_command": Walker._declaration,
    "unset_command": Walker._unset,
    "redirected_statement": Walker._redirected,
    "file_redirect": Walker._bare,
    "command": Walker._command,
}
