"""Simple commands put together from their parts: words, assignments, redirections, texts fed."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from pointsman.shell.builtins import assign
from pointsman.shell.effects import UNKNOWN, Redirect
from pointsman.shell.grammar import is_herestring
from pointsman.shell.hanging import (
    Hung,
    first_of,
    holds_list,
    is_ending,
    last_of,
    pipe_parts,
    split,
)
from pointsman.shell.stage import Call, Redirection, Walks
from pointsman.shell.state import Feed, resolve

_BOTH = frozenset({"&>", "&>>", ">&"})
_WRITES = frozenset({">", ">>", ">|", "<>"}) | _BOTH
_VARIABLE_FD = re.compile(r"\{(\w+)\}\Z")


class Calls:
    """Reads simple commands and redirections for one walker."""

    def __init__(self, walker: Walks) -> None:
        self._walker = walker
        self._run = walker.run
        self._state = walker.state
        self._more: list[str] = []
        self._substituted: Feed | None = None
        self._into: list[Node] = []

    def redirected(self, node: Node, hung: Hung | None = None) -> None:
        """Carry out a statement with its redirections, and with those that hang higher."""
        body, redirects = split(node)
        end = node.end_byte
        if hung is not None:
            redirects, end = [*redirects, *hung.redirects], hung.end or end
        if body is not None and is_ending(body):
            below = Hung(redirects, end=end)
            with self._walker.hang(below, last_of(body)):
                self._walker.visit(body)
            rest = below.rest
        else:
            text = self._walker.source[node.start_byte : end].decode("utf-8", "replace")
            rest = self._with(redirects, body, text)
        # `cmd <<EOF | next`: the grammar hangs the rest of the line on the here-document.
        if hung is None:
            self._go_on(rest)
        else:
            # A plain pipe is of this command; what follows `&&` is of the whole line.
            now = [each for each in rest if each[1] is not None and not holds_list(each[0])]
            self._go_on(now)
            hung.rest += [each for each in rest if each not in now]

    def _with(
        self, redirects: list[Node], body: Node | None, text: str
    ) -> list[tuple[Node, Feed | None]]:
        """Carry out what is redirected; return what the line goes on with, and what it reads."""
        redirections: list[Redirection] = []
        rest: list[Node] = []
        for each in redirects:
            redirections += self._redirection(each, rest)
        start = len(self._run.found)
        if body is not None and body.type == "command":
            self.command(body, redirections, text)
        else:
            self._block(body, redirections, text)
        if not rest:
            return []
        last = self._run.found[-1] if len(self._run.found) > start else None
        piped = rest[0].type == "pipeline"
        printed = self._run.sink.pop() if piped and self._run.sink else UNKNOWN
        feed = Feed(last.argv if last is not None else (), None if UNKNOWN in printed else printed)
        return [(each, feed if each.type == "pipeline" else None) for each in rest]

    def _go_on(self, rest: list[tuple[Node, Feed | None]]) -> None:
        """Carry out what a line goes on with behind the start of a here-document."""
        for node, feed in rest:
            first = first_of(pipe_parts(node)[0]) if feed is not None else node
            if feed is None:
                self._walker.visit(node)
            elif first in pipe_parts(node):
                with self._run.fed(feed):
                    self._walker.visit(node)
            else:
                # Only the first of `| a && b` is piped into.
                with self._walker.hang(Hung(feed=feed), first):
                    self._walker.visit(node)

    def _block(self, body: Node | None, redirections: list[Redirection], text: str) -> None:
        """Carry out what is more than a command, redirected as a whole."""
        feed = self._feed(redirections)
        start = len(self._run.found)
        with self._run.printing() as sink, self._run.fed(feed):
            if body is not None:
                self._walker.visit(body)
        shown = self._shown(redirections)
        if shown:
            self._run.redirect(start, shown, text)
        self._print(redirections, sink)

    def command(
        self, node: Node, redirections: list[Redirection] | None = None, text: str = ""
    ) -> None:
        """Put a command together and have it run."""
        given = list(redirections or ())
        assigned: dict[str, str] = {}
        # What stood behind a redirection in the middle of a command is a word of it.
        words: list[str] = []
        outer = self._into
        self._into = []
        self._substituted = None
        more, self._more = self._more, []
        for child in node.children:
            self._run.steps.take()
            if assigned and self._begins(child):
                for name, value in assigned.items():
                    assign(self._state, name, value)
                assigned = {}
            if child.type == "variable_assignment":
                self._assign(child, assigned)
            elif child.type in {"file_redirect", "herestring_redirect", "heredoc_redirect"}:
                given += self._redirection(child, [])
            elif child.is_named:
                inner = child
                if child.type == "command_name" and child.named_child_count:
                    inner = child.named_children[0]
                words += self._words(inner)
        words += [*more, *self._more]
        self._more = []
        self._named_descriptor(words, given)
        feed = self._feed(given)
        if self._substituted is not None and feed is self._run.feed:
            feed = self._substituted
        text = text or self._walker.text(node)
        call = Call(
            tuple(words), self._shown(given), assigned, feed,
            text if len(text) < 400 else text[:399] + "…",
        )  # fmt: skip
        into, self._into = self._into, outer
        with self._run.printing() as sink:
            self._run.call(call)
        if words[:1] == ["exec"] and len(words) == 1:
            self._keep_open(given)
        self._print(given, sink, into)

    def _begins(self, node: Node) -> bool:
        """Whether a line begins here: the grammar takes `A=b` and a command below it for one."""
        before = node.prev_sibling
        gap = self._walker.source[before.end_byte : node.start_byte] if before is not None else b""
        return b"\n" in gap.replace(b"\\\n", b"")

    def _words(self, node: Node) -> list[str]:
        if node.type == "process_substitution":
            self._substitution(node)
            return [UNKNOWN]
        words = self._walker.expander.words(node)
        if UNKNOWN in "".join(words):
            for child in node.named_children:
                if child.type == "process_substitution":
                    self._substitution(child)
        return words

    def _substitution(self, node: Node) -> None:
        """``<(…)`` is read from, ``>(…)`` is written to."""
        if node.children[0].type == ">(":
            self._into.append(node)
            return
        start = len(self._run.found)
        text = self._walker.substitute(node)
        found = self._run.found[start:]
        feed = Feed(found[-1].argv if found else (), None if UNKNOWN in text else text)
        self._substituted = self._substituted or feed

    def _assign(self, node: Node, assigned: dict[str, str]) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None:
            return
        if value is not None and value.type == "array":
            self._walker.assign(node)
            return
        key = self._walker.text(name)
        text = self._walker.expander.text(value) if value is not None else ""
        if b"+=" in self._walker.source[name.end_byte : name.end_byte + 2]:
            text = (self._state.get(key) or "") + text
        assigned[key] = text

    # -- redirections ---------------------------------------------------------------------------

    def _redirection(self, node: Node, rest: list[Node]) -> list[Redirection]:
        if node.type == "file_redirect":
            return self._file(node)
        if node.type == "herestring_redirect":
            return [self._herestring(self._number(node), node.named_children)]
        return self._heredoc(node, rest) if node.type == "heredoc_redirect" else []

    def _herestring(self, number: str, nodes: list[Node]) -> Redirection:
        text = "".join(self._walker.expander.text(node) for node in nodes)
        known = None if UNKNOWN in text and not text.strip(UNKNOWN) else f"{text}\n"
        return Redirection("<<<", number, feed=Feed((), known))

    def _number(self, node: Node) -> str:
        """Return the descriptor that a text is given to."""
        found = next((child for child in node.children if child.type == "file_descriptor"), None)
        return self._walker.text(found) if found is not None else "0"

    def _file(self, node: Node) -> list[Redirection]:
        operator = next((child.type for child in node.children if not child.is_named), ">")
        descriptor = node.child_by_field_name("descriptor")
        number = self._walker.text(descriptor) if descriptor is not None else ""
        number = number or ("0" if operator.startswith("<") else "1")
        targets = node.children_by_field_name("destination")
        if not targets:
            return []
        for each in targets[1:]:
            self._more += self._walker.expander.words(each)
        target = targets[0]
        if operator == "<" and is_herestring(self._walker.source, node.start_byte):
            return [self._herestring("0", [target])]
        if target.type == "process_substitution":
            if target.children[0].type == ">(":
                return [Redirection(operator, number, into=target)]
            before, self._substituted = self._substituted, None
            self._substitution(target)
            feed, self._substituted = self._substituted, before
            return [Redirection(operator, number, feed=feed)]
        words = self._walker.expander.words(target)
        if operator in {">&", "<&", ">&-", "<&-"} and re.fullmatch(r"\d+-?|-", "".join(words)):
            return [self._duplicate(operator, number, "".join(words))]
        if len(words) > 1:
            # More than one is an error to bash; a plainer shell takes the text as it stands.
            words = [*words, self._walker.text(target)]
        placed = [self._place(word) for word in words]
        if operator == "<":
            self._run.read_on.setdefault(number, []).extend(placed)
        return [Redirection(operator, number, place) for place in placed]

    def _place(self, word: str) -> str:
        self._run.note(word, self._state.cwd)
        return resolve(word, self._state.cwd)

    def _duplicate(self, operator: str, number: str, of: str) -> Redirection:
        """``2>&1``, or the file, text or program that another descriptor was opened on."""
        opened = self._run.opened.get(self._opened(of))
        if opened is None:
            return Redirection("dup", number, of)
        return Redirection(operator, number, opened.target, opened.feed, opened.into)

    def _opened(self, number: str) -> str:
        found = self._state.table.get(f"fd {number.rstrip('-')}")
        return found if isinstance(found, str) else ""

    def _named_descriptor(self, words: list[str], given: list[Redirection]) -> None:
        """``exec {fd}>file``: the descriptor's number goes into a variable."""
        found = _VARIABLE_FD.match(words[-1]) if words and given else None
        if found is not None and words[0] == "exec":
            words.pop()
            number = str(10 + len(self._run.opened))
            assign(self._state, found[1], number)
            last = given.pop()
            if last.operator == "<":
                self._run.read_on.setdefault(number, []).append(last.target)
            given.append(Redirection(last.operator, number, last.target, last.feed, last.into))

    def _keep_open(self, given: list[Redirection]) -> None:
        """``exec 3<file``: what follows may read and write it by its number."""
        for each in given:
            key = str(len(self._run.opened))
            self._run.opened[key] = each
            self._state.put(f"fd {each.descriptor}", key)

    def _heredoc(self, node: Node, rest: list[Node]) -> list[Redirection]:
        out: list[Redirection] = []
        text = start = ""
        for child in node.named_children:
            if child.type == "heredoc_start":
                start = self._walker.text(child)
            elif child.type == "heredoc_body":
                text = self._document(child, start)
            elif child.type in {"file_redirect", "herestring_redirect"}:
                out += self._redirection(child, rest)
            elif child.type != "heredoc_end":
                if child.type in {"word", "string", "raw_string", "concatenation", "number"}:
                    self._more += self._walker.expander.words(child)
                else:
                    rest.append(child)
        if self._walker.text(node).startswith("<<-"):
            text = re.sub(r"(?m)^\t+", "", text)
        return [Redirection("<<", self._number(node), feed=Feed((), text)), *out]

    def _document(self, node: Node, start: str) -> str:
        """Return the text of a here-document, expanded unless its end was quoted."""
        if re.search(r"[\\'\"]", start):
            return self._walker.text(node)
        out: list[str] = []
        end = node.start_byte
        for child in [each for each in node.named_children if each.type != "heredoc_content"]:
            out += [*self._content(end, child.start_byte), self._walker.expander.text(child)]
            end = child.end_byte
        return "".join([*out, *self._content(end, node.end_byte)])

    def _content(self, start: int, end: int) -> Iterator[str]:
        """Yield text of a here-document, with the backquotes in it, which the grammar leaves."""
        text = self._walker.expander.cut(start, end)
        for index, part in enumerate(re.split(r"(?<!\\)`", text)):
            if index % 2:
                yield self._walker.output(part)
            else:
                yield re.sub(r"\\([$`\\\n])", lambda found: found[1].strip("\n"), part)

    # -- what goes in, what comes out -----------------------------------------------------------

    def _feed(self, given: list[Redirection]) -> Feed:
        """Return what a command reads: the last redirection of its stdin, or what is there."""
        for each in reversed(given):
            if each.descriptor != "0" or each.into is not None:
                continue
            if each.feed is not None:
                return each.feed
            if each.operator == "<" and each.target:
                return Feed((), self._run.files.written(each.target))
        return self._run.feed

    @staticmethod
    def _shown(given: list[Redirection]) -> tuple[Redirect, ...]:
        return tuple(
            Redirect(each.operator, each.target) for each in given if each.target
            and each.operator != "dup"
        )  # fmt: skip

    def _print(
        self, given: list[Redirection], sink: list[str], into: list[Node] | None = None
    ) -> None:
        """Put what was printed where the redirections say: into files, programs, or on."""
        text: str = "" if not sink else "".join(sink)
        known = None if UNKNOWN in text else text
        passes = True
        for each in given:
            out = each.descriptor == "1" or each.operator in _BOTH
            if out and each.into is not None:
                self._feed_into(each.into, known)
                passes = False
            elif out and each.operator == "dup":
                passes = each.target in {"1", "-"} and passes
            elif each.target and each.operator in _WRITES:
                kept = known if out else None
                self._run.files.write(each.target, kept, append=">>" in each.operator)
                passes = passes and not out
        for node in into or ():
            self._feed_into(node, known)
        if passes and text:
            self._run.sink.append(text)

    def _feed_into(self, node: Node, text: str | None) -> None:
        last = self._run.found[-1].argv if self._run.found else ()
        with self._run.printing(), self._run.fed(Feed(last, text)):
            self._walker.visit(node)
