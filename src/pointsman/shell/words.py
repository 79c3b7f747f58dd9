"""Words of a shell command, expanded as far as that is possible without running anything."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from tree_sitter import Node

from pointsman.shell.effects import UNKNOWN

_LONGEST = 64 * 1024
"""Characters that a word may grow to; past that it is unknown."""
_MOST_WORDS = 512
"""Words that braces of one word may expand to."""
_ANSI = re.compile(r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|[0-7]{1,3}|c.|.)", re.DOTALL)
_ANSI_NAMES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
}
_EVERY = re.compile(r'"\$(@|\{@\}|\{\w+\[@\]\})"')
"""A quoted text that is as many words as the list has."""
_RANGE = re.compile(r"(-?\d+|[a-zA-Z])\.\.(-?\d+|[a-zA-Z])(?:\.\.-?\d+)?")

Substitute = Callable[[Node], str]
"""Returns what a command substitution prints, or ``UNKNOWN``."""

_QUOTED_GLOB = {
    "*": "\x01",
    "?": "\x02",
    "[": "\x03",
    "{": "\x04",
    "}": "\x05",
    ",": "\x06",
    "~": "\x07",
}
_UNQUOTED_GLOB = {mark: char for char, mark in _QUOTED_GLOB.items()}
_MARKS = str.maketrans(_QUOTED_GLOB)
_UNMARKS = str.maketrans(_UNQUOTED_GLOB)


class Expander:
    """Expands word nodes against the variables that are known."""

    def __init__(
        self, source: bytes, variables: Mapping[str, str], home: str, substitute: Substitute
    ) -> None:
        self._source = source
        self._variables = variables
        self._home = home
        self._substitute = substitute

    def words(self, node: Node) -> list[str]:
        """Return the words that a node becomes: none, one, or several."""
        pieces = list(self._pieces(node))
        fields = [""]
        for text, splits in pieces:
            if not splits:
                fields[-1] += text
                continue
            self._split(text, fields)
        kept = [field for field in fields if field or not any(splits for _, splits in pieces)]
        out = [self._finish(word) for field in kept for word in _braces(field)]
        return out[:_MOST_WORDS]

    def _split(self, text: str, fields: list[str]) -> None:
        """Add a text to the fields, cut where ``IFS`` says."""
        marks = self._variables.get("IFS", " \t\n")
        if marks.strip() and UNKNOWN not in marks:
            text = text.translate({ord(mark): " " for mark in marks})
        if not text.strip():
            fields += [""] if text else []
            return
        parts = text.split()
        if text[0].isspace() and fields[-1]:
            fields.append("")
        fields[-1] += parts[0]
        fields.extend(parts[1:])
        if text[-1].isspace():
            fields.append("")

    def text(self, node: Node) -> str:
        """Return what a node is as one word, as in an assignment: nothing is split."""
        joined = "".join(text for text, _ in self._pieces(node))
        return self._finish(joined)

    def _finish(self, word: str) -> str:
        if word.startswith("~"):
            name, slash, rest = word[1:].partition("/")
            word = f"{self._of_user(name)}{slash}{rest}" if _is_user(name) else word
        return word.translate(_UNMARKS) if len(word) <= _LONGEST else UNKNOWN

    def _of_user(self, name: str) -> str:
        """Return a home: one's own, or where another user's would stand beside it."""
        return f"{self._home.rpartition('/')[0]}/{name}" if name else self._home

    def _pieces(self, node: Node) -> Iterator[tuple[str, bool]]:
        """Yield pieces of text, and whether the shell would split them at white space."""
        reader = _READERS.get(node.type)
        if reader is not None:
            yield from reader(self, node)
        elif node.named_child_count:
            for child in node.named_children:
                yield from self._pieces(child)
        else:
            yield self._raw(node), False

    def _raw(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _word(self, node: Node) -> Iterator[tuple[str, bool]]:
        yield _unescaped(self._raw(node)), False

    def _concatenation(self, node: Node) -> Iterator[tuple[str, bool]]:
        end = node.start_byte
        for child in node.children:
            # What the grammar leaves between its parts (a backquote, say) is text of the word.
            if child.start_byte > end:
                yield self._source[end : child.start_byte].decode("utf-8", "replace"), False
            yield from self._pieces(child)
            end = child.end_byte

    def _string(self, node: Node) -> Iterator[tuple[str, bool]]:
        if node.named_child_count == 1 and _EVERY.fullmatch(self._raw(node)):
            yield from self._pieces(node.named_children[0])
            return
        out, end = [], node.start_byte + 1
        for child in node.named_children:
            out.append(self._source[end : child.start_byte].decode("utf-8", "replace"))
            if child.type == "string_content":
                out.append(_unescaped_in_quotes(self._raw(child)))
            else:
                out += [text for text, _ in self._pieces(child)]
            end = child.end_byte
        out.append(self._source[end : node.end_byte - 1].decode("utf-8", "replace"))
        yield "".join(out).translate(_MARKS), False

    def _raw_string(self, node: Node) -> Iterator[tuple[str, bool]]:
        yield self._raw(node)[1:-1].translate(_MARKS), False

    def _ansi_string(self, node: Node) -> Iterator[tuple[str, bool]]:
        yield unescape(self._raw(node)[2:-1]).translate(_MARKS), False

    def _variable(self, node: Node) -> Iterator[tuple[str, bool]]:
        name = self._raw(node).lstrip("$").strip("{}")
        yield self._variables.get(name, UNKNOWN), True

    def _expansion(self, node: Node) -> Iterator[tuple[str, bool]]:
        """Expand ``${X}`` and the forms with a default; every other form is unknown."""
        text = self._raw(node)
        item = re.fullmatch(r"\$\{(\w+)\[([@*]|\d+)\]\}", text)
        if item is not None:
            index = "@" if item[2] in {"@", "*"} else item[2]
            yield self._variables.get(f"{item[1]}[{index}]", UNKNOWN), True
            return
        found = re.match(r"\$\{(\w+)(?:(:?[-=+])(.*))?\}$", text, re.DOTALL)
        if found is None:
            yield UNKNOWN, True
            return
        name, operator, _ = found.groups()
        value = self._variables.get(name)
        if operator is None:
            yield UNKNOWN if value is None else value, True
            return
        others = [child for child in node.named_children if child.type != "variable_name"]
        default = "".join(self.text(child) for child in others) if others else (found[3] or "")
        if operator.endswith("+"):
            yield default if value is None or value else "", True
        else:
            yield value or default, True

    def _command(self, node: Node) -> Iterator[tuple[str, bool]]:
        yield self._substitute(node).rstrip("\n"), True

    def _arithmetic(self, node: Node) -> Iterator[tuple[str, bool]]:
        todo = list(node.named_children)
        while todo:
            child = todo.pop()
            if child.type == "command_substitution":
                self._substitute(child)
            else:
                todo += child.named_children
        yield UNKNOWN, False

    def _opaque(self, _node: Node) -> Iterator[tuple[str, bool]]:
        yield UNKNOWN, False


_READERS: dict[str, Callable[[Expander, Node], Iterator[tuple[str, bool]]]] = {
    "word": Expander._word,
    "brace_expression": Expander._word,
    "string": Expander._string,
    "raw_string": Expander._raw_string,
    "ansi_c_string": Expander._ansi_string,
    "translated_string": Expander._opaque,
    "concatenation": Expander._concatenation,
    "simple_expansion": Expander._variable,
    "expansion": Expander._expansion,
    "command_substitution": Expander._command,
    "process_substitution": Expander._opaque,
    "arithmetic_expansion": Expander._arithmetic,
}


def _is_user(name: str) -> bool:
    return not name or re.fullmatch(r"[\w.-]+", name) is not None


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\(\n|.)", _escape, text, flags=re.DOTALL)


def _escape(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1].translate(_MARKS)


def _unescaped_in_quotes(text: str) -> str:
    return re.sub(r"\\\n", "", re.sub(r'\\([$`"\\])', r"\1", text))


def unescape(text: str) -> str:
    """Return text with the backslash sequences of ``$'…'`` and ``printf`` carried out."""
    return _ANSI.sub(_ansi, text)


def _ansi(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xu":
        return chr(int(code[1:], 16)) if len(code) > 1 else match[0]
    if code[0].isdigit():
        return chr(int(code, 8) & 0xFF)
    return _ANSI_NAMES.get(code, code)


def _braces(word: str) -> list[str]:
    """Expand ``{a,b}`` and ``{1..3}`` outside quotes, up to the cap."""
    done: list[str] = []
    todo = [word]
    while todo and len(done) + len(todo) <= _MOST_WORDS:
        current = todo.pop()
        found = _first_brace(current)
        if found is None:
            done.append(current)
            continue
        start, end, options = found
        todo += [current[:start] + option + current[end:] for option in reversed(options)]
    return done + todo


def _first_brace(word: str) -> tuple[int, int, list[str]] | None:
    """Find the first brace that expands; one pass with a stack."""
    stack: list[tuple[int, list[int]]] = []
    for index, char in enumerate(word):
        if char == "{":
            stack.append((index, []))
        elif char == "," and stack:
            stack[-1][1].append(index)
        elif char == "}" and stack:
            start, commas = stack.pop()
            options = _options(word, start, index, commas)
            if options is not None:
                return start, index + 1, options
    return None


def _options(word: str, start: int, end: int, commas: list[int]) -> list[str] | None:
    if commas:
        edges = [start, *commas, end]
        return [word[left + 1 : right] for left, right in pairwise(edges)]
    found = _RANGE.fullmatch(word[start + 1 : end])
    if found is None:
        return None
    first, last = found[1], found[2]
    if first.lstrip("-").isdigit() and last.lstrip("-").isdigit():
        low, high = int(first), int(last)
        step = 1 if high >= low else -1
        return [str(number) for number in range(low, high + step, step)[:_MOST_WORDS]]
    return [chr(code) for code in range(ord(first), ord(last) + 1)][:_MOST_WORDS]
