"""Words of a shell command, expanded as far as that is possible without running anything."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from tree_sitter import Node

from pointsman.shell.braces import braces
from pointsman.shell.effects import UNKNOWN
from pointsman.shell.escapes import unescape
from pointsman.shell.state import State

_LONGEST = 64 * 1024
"""Characters that a word may grow to; past that it is unknown."""
MOST_WORDS = 512
"""Words that braces, or the splitting of one word, may make."""
LITERAL, QUOTED, SPLIT, BREAK = range(4)
"""Sorts of a piece: bare text, text in quotes, what is split at ``IFS``, the end of a word."""
Piece = tuple[str, int]
_BACKQUOTE = re.compile(r"(?<!\\)`")
_ASSIGNS = re.compile(r"\w+=(?=~)")
"""What makes a word look like an assignment, behind which the shell looks for a home."""
_HELD = 0xF0000
"""Code points of a private plane stand for pieces while braces are expanded."""

_QUOTED_GLOB = {
    "*": "\x01",
    "?": "\x02",
    "[": "\x03",
    "{": "\x04",
    "}": "\x05",
    ",": "\x06",
    "~": "\x07",
}
_UNMARKS = str.maketrans({mark: char for char, mark in _QUOTED_GLOB.items()})
_MARKS = str.maketrans(_QUOTED_GLOB)
_BRACE_MARKS = str.maketrans({char: _QUOTED_GLOB[char] for char in "{},"})
"""A home that comes out of a variable is none to the shell; it is taken for one all the same: a
text that would be carried out elsewhere (``eval``) looks just so."""
_GLOBS = str.maketrans({"\x01": "\\*", "\x02": "\\?", "\x03": "\\["})


class Runner(Protocol):
    """What the walker does for words: it runs what stands in them."""

    def substitute(self, node: Node) -> str:
        """Return what a command substitution prints, or ``UNKNOWN``."""
        ...

    def output(self, text: str) -> str:
        """Return what a text prints that stands in backquotes."""
        ...

    def parameter(self, expander: "Expander", node: Node) -> Iterable[Piece]:
        """Return the pieces of a ``${…}``."""
        ...

    def number(self, expander: "Expander", node: Node) -> str:
        """Return the value of a ``$((…))``."""
        ...


class Expander:
    """Expands word nodes of one text against what a state knows."""

    def __init__(self, source: bytes, state: State, runner: Runner) -> None:
        self.source = source
        self.state = state
        self._runner = runner

    def words(self, node: Node) -> list[str]:
        """Return the words that a node becomes: none, one, or several."""
        if node.type == "word":
            raw = self.raw(node)
            if raw.isalnum():
                return [raw]
        pieces = list(self.pieces(node))
        out: list[str] = []
        for each in self._braced(pieces):
            out += self._fields(each)
            if len(out) > MOST_WORDS:
                break
        return [self._finish(word) for word in out[:MOST_WORDS]]

    @staticmethod
    def _braced(pieces: list[Piece]) -> Iterator[list[Piece]]:
        """Expand braces that stand bare in a word; everything else in it is kept together."""
        text = "".join(
            text if kind == LITERAL else chr(_HELD + at)
            for at, (text, kind) in enumerate(pieces[:4096])
        )
        if "{" not in text or len(pieces) > 4096:
            yield pieces
            return
        for word in braces(text):
            out: list[Piece] = []
            bare: list[str] = []
            for char in word:
                if ord(char) >= _HELD and ord(char) - _HELD < len(pieces):
                    out += [("".join(bare), LITERAL), pieces[ord(char) - _HELD]]
                    bare = []
                else:
                    bare.append(char)
            out.append(("".join(bare), LITERAL))
            yield out

    def _fields(self, pieces: list[Piece]) -> list[str]:
        """Split pieces into words where ``IFS`` says."""
        fields: list[list[str]] = [[]]
        kept = [False]
        pending = False

        def start() -> None:
            fields.append([])
            kept.append(False)

        for text, kind in pieces:
            if kind == BREAK:
                start()
                continue
            if kind == SPLIT:
                parts, before, after = self._split(text)
                if (before or pending) and (kept[-1] or any(fields[-1])) and parts:
                    start()
                    pending = False
                for index, part in enumerate(parts):
                    if index:
                        start()
                    fields[-1].append(part)
                    kept[-1] |= index < len(parts) - 1
                pending = pending or after or (before and not parts)
                continue
            if pending and (text or kind == QUOTED):
                if kept[-1] or any(fields[-1]):
                    start()
                pending = False
            fields[-1].append(text)
            kept[-1] |= kind == QUOTED
        joined = ("".join(parts) for parts in fields)
        return [text for text, keep in zip(joined, kept, strict=True) if text or keep]

    def _split(self, text: str) -> tuple[list[str], bool, bool]:
        """Return the parts of a text, and whether a new word begins before and after them."""
        marks = self.state.get("IFS")
        if marks in {None, " \t\n"} or UNKNOWN in (marks or ""):
            parts = text.split(None)
            return parts, text[:1] in {" ", "\t", "\n"}, text[-1:] in {" ", "\t", "\n"}
        if not marks:
            return [text], False, False
        marks = marks.translate(_BRACE_MARKS)
        space = re.escape("".join(mark for mark in marks if mark in " \t\n"))
        others = re.escape("".join(mark for mark in marks if mark not in " \t\n"))
        gap = f"[{space}]*[{others}][{space}]*|[{space}]+" if space else f"[{others}]"
        if not others:
            gap = f"[{space}]+"
        stripped = text.lstrip("".join(mark for mark in marks if mark in " \t\n"))
        parts = re.split(gap, stripped) if stripped else []
        after = len(parts) > 1 and not parts[-1]
        return parts[:-1] if after else parts, len(stripped) < len(text), after

    def text(self, node: Node) -> str:
        """Return what a node is as one word, as in an assignment: nothing is split."""
        joined = "".join(" " if kind == BREAK else text for text, kind in self.pieces(node))
        if ":~" in joined:
            head, *rest = joined.split(":")
            joined = ":".join([head, *(self._home_of(part) for part in rest)])
        return self._finish(joined)

    def pattern(self, node: Node) -> str:
        """Return a node as a pattern, in which what is quoted stands for itself."""
        return self.plain_pattern("".join(text for text, _ in self.pieces(node)))

    @staticmethod
    def plain_pattern(text: str) -> str:
        """Return pieces as a pattern: what was quoted in them stands for itself."""
        return text.translate(_GLOBS).translate(_UNMARKS)

    @staticmethod
    def unmarked(text: str) -> str:
        """Return pieces as the text that they are."""
        return text.translate(_UNMARKS)

    def _finish(self, word: str) -> str:
        if word.startswith("~"):
            word = self._home_of(word)
        elif "=~" in word and (found := _ASSIGNS.match(word)) is not None:
            word = found[0] + self._home_of(word[found.end() :])
        return word.translate(_UNMARKS) if len(word) <= _LONGEST else UNKNOWN

    def _home_of(self, word: str) -> str:
        if not word.startswith("~"):
            return word
        name, slash, rest = word[1:].partition("/")
        if name in {"+", "-"}:
            home = self.state.cwd if name == "+" else self.state.get("OLDPWD") or UNKNOWN
        elif not name:
            home = self.state.get("HOME") or self.state.home
        elif re.fullmatch(r"[\w.-]+", name):
            # Where another user's would stand beside it.
            home = f"{self.state.home.rpartition('/')[0]}/{name}"
        else:
            return word
        return f"{home}{slash}{rest}"

    # -- pieces ---------------------------------------------------------------------------------

    def pieces(self, node: Node) -> Iterator[Piece]:
        """Yield pieces of text, and of which sort each is."""
        reader = _READERS.get(node.type)
        if reader is not None:
            yield from reader(self, node)
        elif node.named_child_count:
            yield from self.between(node, node.start_byte, node.end_byte)
        else:
            yield _unescaped(self.raw(node)), LITERAL

    def between(self, node: Node, start: int, end: int) -> Iterator[Piece]:
        """Yield a stretch of a node: its children, and what the grammar leaves between them."""
        for child in node.children:
            if child.start_byte < start or child.end_byte > end:
                continue
            if child.start_byte > start:
                yield _unescaped(self.cut(start, child.start_byte)), LITERAL
            if child.is_named:
                yield from self.pieces(child)
            else:
                yield self.raw(child), LITERAL
            start = child.end_byte
        if start < end:
            yield _unescaped(self.cut(start, end)), LITERAL

    def raw(self, node: Node) -> str:
        """Return the source of a node."""
        return self.cut(node.start_byte, node.end_byte)

    def cut(self, start: int, end: int) -> str:
        """Return a stretch of the source."""
        return self.source[start:end].decode("utf-8", "replace")

    def _word(self, node: Node) -> Iterator[Piece]:
        text = self.raw(node)
        # Where a word stands in an expansion, the grammar leaves the backquotes in it.
        for index, part in enumerate(_BACKQUOTE.split(text) if "`" in text else [text]):
            if index % 2:
                yield self._runner.output(part).translate(_BRACE_MARKS), SPLIT
            else:
                yield _unescaped(part), LITERAL

    def _string(self, node: Node) -> Iterator[Piece]:
        """Yield a quoted text; a list in it is as many words as it has items."""
        end = node.start_byte + 1
        listed = any(child.type in {"expansion", "simple_expansion"} for child in node.children)
        if not listed or self.cut(node.start_byte, node.end_byte) not in {'"$@"', '"${@}"'}:
            yield "", QUOTED
        for child in node.named_children:
            if child.start_byte > end:
                yield _in_quotes(self.cut(end, child.start_byte)).translate(_MARKS), QUOTED
            if child.type == "string_content":
                yield _in_quotes(self.raw(child)).translate(_MARKS), QUOTED
            else:
                for text, kind in self.pieces(child):
                    yield text.translate(_MARKS), BREAK if kind == BREAK else QUOTED
            end = child.end_byte
        if node.end_byte - 1 > end:
            yield _in_quotes(self.cut(end, node.end_byte - 1)).translate(_MARKS), QUOTED

    def _raw_string(self, node: Node) -> Iterator[Piece]:
        yield self.raw(node)[1:-1].translate(_MARKS), QUOTED

    def _ansi_string(self, node: Node) -> Iterator[Piece]:
        yield unescape(self.raw(node)[2:-1]).translate(_MARKS), QUOTED

    def _translated(self, node: Node) -> Iterator[Piece]:
        for child in node.named_children:
            yield from self.pieces(child)

    def _variable(self, node: Node) -> Iterator[Piece]:
        name = self.raw(node).lstrip("$").strip("{}")
        yield from self.value_of(name, quoted=_is_quoted(node))

    def value_of(self, name: str, *, quoted: bool = False) -> Iterator[Piece]:
        """Yield the value of a variable, or of a special parameter."""
        if name in {"@", "*"}:
            yield from listed(self.state.arguments(), one=quoted and name == "*")
            return
        if name.isdigit():
            given = self.state.arguments()
            at = int(name[:6]) - 1
            known = UNKNOWN if given is None else given[at] if at < len(given) else ""
            yield ("bash" if at < 0 else known).translate(_BRACE_MARKS), SPLIT
            return
        if name == "#":
            given = self.state.arguments()
            yield UNKNOWN if given is None else str(len(given)), SPLIT
            return
        value = self.state.get(name)
        yield (UNKNOWN if value is None else value).translate(_BRACE_MARKS), SPLIT

    def _expansion(self, node: Node) -> Iterator[Piece]:
        for text, kind in self._runner.parameter(self, node):
            yield text.translate(_BRACE_MARKS) if kind == SPLIT else text, kind

    def _command(self, node: Node) -> Iterator[Piece]:
        text = self._runner.substitute(node).rstrip("\n")
        yield text.translate(_BRACE_MARKS), SPLIT

    def _arithmetic(self, node: Node) -> Iterator[Piece]:
        yield self._runner.number(self, node), SPLIT

    def _opaque(self, _node: Node) -> Iterator[Piece]:
        yield UNKNOWN, LITERAL


def listed(items: Iterable[str] | None, *, one: bool = False) -> Iterator[Piece]:
    """Yield the items of a list, each a word of its own unless they are to be one."""
    if items is None:
        yield UNKNOWN, SPLIT
        return
    for index, item in enumerate(items):
        if index:
            yield (" ", LITERAL) if one else ("", BREAK)
        yield item.translate(_BRACE_MARKS), SPLIT


def _is_quoted(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "string"


_READERS: dict[str, Callable[[Expander, Node], Iterator[Piece]]] = {
    "word": Expander._word,
    "brace_expression": Expander._word,
    "string": Expander._string,
    "raw_string": Expander._raw_string,
    "ansi_c_string": Expander._ansi_string,
    "translated_string": Expander._translated,
    "simple_expansion": Expander._variable,
    "expansion": Expander._expansion,
    "command_substitution": Expander._command,
    "process_substitution": Expander._opaque,
    "arithmetic_expansion": Expander._arithmetic,
}


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\(\n|.)", _escape, text, flags=re.DOTALL)


def _escape(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1].translate(_MARKS)


def _in_quotes(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r'\\([$`"\\\n])', lambda found: found[1].strip("\n"), text)
