"""One analysis as it goes on: carriers are unwrapped until only programs are left."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from pointsman.shell.arguments import names
from pointsman.shell.builtins import assign, follow
from pointsman.shell.carried import RUN_BY_OTHERS, Carried
from pointsman.shell.carriers import carried
from pointsman.shell.effects import ENDLESS, UNKNOWN, Effect, Invocation, Kind, Redirect
from pointsman.shell.files import Files
from pointsman.shell.git import GIT_PLACES
from pointsman.shell.interpreters import shell_texts
from pointsman.shell.keeping import keep_files
from pointsman.shell.loops import starts_work
from pointsman.shell.printed import prints
from pointsman.shell.stage import Call, Redirection, Runs, Walks
from pointsman.shell.started import Started, recipes, started
from pointsman.shell.state import (
    MOST_DEPTH,
    Entry,
    Feed,
    Function,
    Spent,
    State,
    Steps,
    resolve,
    walked,
)

MOST_INVOCATIONS = 20_000
_MOST_WALKED = 256
_STEPS_PER_BYTE = 2
"""Steps that a script brings along."""
Walk = Callable[[Runs, bytes], Walks]
"""Returns the walk through a text."""
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
_MOST_WORDS_SHOWN = 64
"""Words of a command that its carrier keeps beside its own."""
_SAME = names("""
    eval source . command builtin time exec ! then do
""")
"""Carriers that run what they carry in the shell itself."""


class Run:
    """What was found so far, and what the shell knows, reads and prints at this point."""

    def __init__(self, state: State, steps: Steps, files: Files, walk: Walk) -> None:
        self._walk = walk
        self._began = state.cwd
        self.state = state
        self.steps = steps
        self.files = files
        self.found: list[Invocation] = []
        self.effects: list[Effect] = []
        self.unverified: list[str] = []
        self.sink: list[str] = []
        self.feed = Feed()
        self.level = 0
        self.opened: dict[str, Redirection] = {}
        self.read_on: dict[str, list[str]] = {}
        self.walked: dict[str, dict[str, None]] = {}
        """Paths with ``..`` in them as the kernel walks them, by what the text says."""
        self._via: tuple[str, ...] = ()
        self._remote = ""
        self._calling: list[str] = []
        self._locals: list[dict[str, Entry]] = []
        self._started: list[str] = []
        self._quiet = 0

    # -- what the walker asks -------------------------------------------------------------------

    def unclear(self, why: str) -> None:
        """Say why this is not all that the command does."""
        if self._quiet:
            self.effects.append(Effect(Kind.OPAQUE, UNKNOWN, self._started[-1]))
        else:
            self.unverified.append(why)

    def deeper(self) -> bool:
        """Go one level deeper; whoever is told so comes back up by ``level``."""
        if self.level >= MOST_DEPTH:
            self.unclear("it is nested too deeply")
            return False
        self.level += 1
        return True

    @contextmanager
    def printing(self) -> Iterator[list[str]]:
        """Collect what is printed in here."""
        before, self.sink = self.sink, []
        try:
            yield self.sink
        finally:
            self.sink = before

    @contextmanager
    def fed(self, feed: Feed) -> Iterator[None]:
        """Feed what is run in here."""
        before, self.feed = self.feed, feed
        try:
            yield
        finally:
            self.feed = before

    def local(self, name: str) -> bool:
        """Let a variable be a function's own until it returns; ``False`` outside of one."""
        if self._locals:
            for key in (name, f"list {name}"):
                self._locals[-1].setdefault(key, self.state.table.get(key))
        return bool(self._locals)

    def note(self, path: str, cwd: str) -> None:
        """Note a path whose ``..`` may lead elsewhere than the text says."""
        raw = walked(path, cwd)
        if raw is not None and len(self.walked) < _MOST_WALKED:
            self.walked.setdefault(resolve(path, cwd), {})[raw] = None

    def keep(self, each: Invocation) -> None:
        """Keep an invocation as found."""
        for word in each.argv[1:]:
            if ".." in word:
                self.note(word, each.cwd)
                self.note(word.rpartition("=")[2], each.cwd)
        if len(self.found) >= MOST_INVOCATIONS:
            self.unclear("it runs too many commands")
            raise Spent
        # In a file that a command starts, words that are not known are no fault of the command's.
        if self._quiet and UNKNOWN in "".join(each.argv):
            self.effects.append(Effect(Kind.OPAQUE, UNKNOWN, self._started[-1]))
        else:
            self.found.append(each)

    def placed(self, each: Invocation) -> Invocation:
        """Return an invocation with the carriers it is found in, and the machine it runs on."""
        return replace(each, via=self._via, remote=self._remote)

    def redirect(self, start: int, redirects: tuple[Redirect, ...], text: str) -> None:
        """Add the redirections of a block to what was found in it."""
        if len(self.found) == start:
            each = Invocation((), self.state.cwd, redirects, text=text[:400])
            self.found.append(self.placed(each))
            return
        socket = any(each.target.startswith(("/dev/tcp/", "/dev/udp/")) for each in redirects)
        # A socket is every command's of the block; of a file it does not matter who writes it.
        for at in range(start if socket else len(self.found) - 1, len(self.found))[-8:]:
            last = self.found[at]
            self.found[at] = replace(last, redirects=last.redirects + redirects)

    # -- texts ----------------------------------------------------------------------------------

    def script(
        self, text: str, *, same: bool = False, arguments: tuple[str, ...] | None = None
    ) -> None:
        """Carry a text out, in this shell or in one of its own."""
        if not self.deeper():
            return
        mark = self.state.mark()
        if not same:
            self.state.shell += 1
            self.state.put("trap EXIT", None)
        if arguments is not None:
            self.state.put("arguments", arguments)
        try:
            self._walk(self, text.encode("utf-8", "replace")).whole()
            if not same:
                self.calls_traps()
        finally:
            if not same:
                self.state.shell -= 1
                self.state.back(mark)
        self.level -= 1

    def calls_traps(self) -> None:
        """Carry out what a shell was told to do at its end."""
        text = self.state.table.get("trap EXIT")
        if isinstance(text, str) and text:
            self.state.put("trap EXIT", None)
            self.script(text, same=True)

    # -- commands -------------------------------------------------------------------------------

    def call(self, call: Call) -> None:
        """Run a command that a walker has put together."""
        state = self.state
        if not call.argv:
            for name, text in call.assigned.items():
                assign(state, name, text)
            if call.redirects:
                self.keep(self._invocation(call))
            return
        before = {name: state.table.get(name) for name in call.assigned}
        for name, text in call.assigned.items():
            assign(state, name, text, exported=True)
        with self.fed(call.feed):
            for name, text in call.assigned.items():
                if name in RUN_BY_OTHERS:
                    self.command(replace(self._invocation(call), argv=("eval", text), redirects=()))
            self.simple(self._invocation(call))
        for name, entry in before.items():
            state.put(name, entry)

    def _invocation(self, call: Call) -> Invocation:
        return Invocation(
            call.argv, self.state.cwd, call.redirects, call.feed.rest, call.feed.by, call.text,
            self._via, self._remote,
        )  # fmt: skip

    def simple(self, each: Invocation) -> None:
        """Run words as the shell would: an alias, a function, a command of its own, a program."""
        name = each.argv[0]
        each = self._descriptors(each)
        alias = self.state.table.get(f"alias {name}")
        # The shell does not expand an alias in its own text again: `alias ls='ls -l'`.
        if isinstance(alias, str) and alias.split()[:1] != [name]:
            text = " ".join([alias, *each.argv[1:]])
            self.command(replace(each, argv=("eval", text), redirects=()))
        function = self.state.table.get(f"function {name}")
        if isinstance(function, Function):
            self.keep(each)
            self._function(name, function, each)
            return
        self.command(each)

    def _descriptors(self, each: Invocation) -> Invocation:
        """Let ``source /dev/fd/3`` read what the descriptor was opened on."""
        for at, word in enumerate(each.argv[1:3], 1):
            found = _DESCRIPTOR.fullmatch(word)
            key = self.state.table.get(f"fd {found[1]}") if found is not None else None
            opened = self.opened.get(key) if isinstance(key, str) else None
            if opened is not None and opened.feed is not None:
                argv = (*each.argv[:at], "/dev/stdin", *each.argv[at + 1 :])
                return replace(each, argv=argv, stdin=opened.feed.rest, fed_by=opened.feed.by)
        return each

    def _function(self, name: str, function: Function, each: Invocation) -> None:
        if name in self._calling:
            chain = self._calling[self._calling.index(name) :]
            bodies = [self.state.table.get(f"function {called}") for called in chain]
            if any(isinstance(body, Function) and starts_work(body.body) for body in bodies):
                self.keep(replace(each, argv=(ENDLESS,)))
            return
        if not self.deeper():
            return
        self._calling.append(name)
        self._locals.append({})
        arguments = self.state.table.get("arguments")
        self.state.put("arguments", each.argv[1:])
        self._walk(self, function.source).visit(function.body)
        self.state.put("arguments", arguments)
        for key, entry in self._locals.pop().items():
            self.state.put(key, entry)
        self._calling.pop()
        self.level -= 1

    def command(self, each: Invocation) -> None:
        """Keep an invocation, and run what it carries."""
        # Where it runs stands in each path that the rules are asked about.
        self.steps.take(1 + len(each.argv) // 16 + len(each.cwd) // 32)
        if not self.deeper():
            return
        if each.program == "git":
            told = self.state.exported(GIT_PLACES)
            each = replace(each, environment=told, began=self._began)
        inner = carried(each)
        self.keep(_shortened(each, inner))
        if each.argv and not each.argv[0].strip(UNKNOWN):
            self.unclear(f"the program of {each.text[:60]!r} is not known")
        runs = any(one.argv or one.script is not None for one in inner)
        if not runs:
            self.sink.append(prints(each, self.files.written))
        via, self._via = self._via, (*each.via, each.program)
        for one in inner:
            self._carried(one, each)
        self._code(each)
        self._start(each)
        self._via = via
        keep_files(each, self.files)
        follow(each.argv, self.state, self.feed)
        self.level -= 1

    def _carried(self, inner: Carried, outer: Invocation) -> None:
        if inner.unverified:
            self.unclear(inner.unverified)
            if outer.program in {"source", ".", "eval"}:
                self.steps.take(self.state.forget())
        # A trap runs later, but in this shell.
        same = outer.program in _SAME
        here = same or outer.program == "trap"
        mark = self.state.mark()
        remote = self._remote
        if inner.cwd:
            self.state.put("cwd", inner.cwd)
        if inner.remote:
            self._remote = inner.remote
        for name, text in inner.environment:
            assign(self.state, name, text, exported=True)
        feed = Feed(outer.fed_by, outer.stdin) if inner.fed else Feed()
        with self.fed(self.feed if same else feed):
            if inner.script is not None:
                self.script(inner.script, same=here, arguments=inner.arguments)
            if inner.argv:
                run = replace(
                    outer, argv=inner.argv, redirects=(), via=self._via, cwd=self.state.cwd,
                    remote=self._remote, stdin=self.feed.rest, fed_by=self.feed.by,
                )  # fmt: skip
                # Only the shell itself has functions and aliases; `command` goes past them.
                (self.simple if outer.program in {"time", "!", "then", "do"} else self.command)(run)
        self._remote = remote
        if not same:
            self.state.back(mark)

    def _code(self, each: Invocation) -> None:
        """Run the shell commands that stand in code of another language."""
        for text in shell_texts(each):
            if text == UNKNOWN:
                self.unclear(f"what code for {each.program} runs is not known")
            else:
                with self.printing():
                    self.script(text, arguments=())

    def _start(self, each: Invocation) -> None:
        """Run a script that is started: one that was written here, or that can be read."""
        if each.remote:
            return
        for text in recipes(each, self.files.written):
            self.script(text, arguments=())
        script = started(each, self.files)
        if script is None or script.path in self._started:
            return
        if script.text is None:
            self.effects.append(Effect(Kind.OPAQUE, UNKNOWN, f"{each.program} {script.path}"))
            if each.program in {"source", "."}:
                self.steps.take(self.state.forget())
            return
        self._run_script(script, each)

    def _run_script(self, script: Started, each: Invocation) -> None:
        """Run a script's text; one that was here before is no more than looked at.

        What cannot be known of such a one is opaque: nobody could say anything else of it, and
        a project's own build is no reason to ask.
        """
        quiet = not self.files.ours(script.path)
        text = script.text or ""
        before = (self.level, self._via, len(self._calling), len(self._locals), self._quiet)
        self._started.append(script.path)
        self._quiet += quiet
        budget = self.steps.left
        self.steps.left += _STEPS_PER_BYTE * len(text)
        try:
            self._text_of_script(script, each, text)
        except Spent:
            if not quiet or before[-1]:
                raise
            self.steps.left = budget
            self.effects.append(Effect(Kind.OPAQUE, UNKNOWN, script.path))
            self.level, self._via = before[:2]
            del self._calling[before[2] :]
            del self._locals[before[3] :]
            del self._started[self._started.index(script.path) + 1 :]
        self._quiet = before[-1]
        self._started.pop()

    def _text_of_script(self, script: Started, each: Invocation, text: str) -> None:
        if script.language:
            self.sink.append(UNKNOWN)
            code = (script.language, "-")
            self.command(replace(each, argv=code, stdin=text, redirects=(), via=self._via))
            return
        same = each.program in {"source", "."}
        arguments = self.state.table.get("arguments")
        given = script.arguments or (None if same else ())
        self.script(text, same=same, arguments=given)
        if same:
            self.state.put("arguments", arguments)


def _shortened(each: Invocation, inner: list[Carried]) -> Invocation:
    """Return a carrier without most words of what it carries, which are kept with that."""
    longest = max((len(one.argv) for one in inner), default=0)
    if longest <= _MOST_WORDS_SHOWN:
        return each
    own = max(len(each.argv) - longest, 1)
    return replace(each, argv=each.argv[: own + _MOST_WORDS_SHOWN])
