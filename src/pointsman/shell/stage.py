"""What the parts of one analysis ask of one another: the run, the walk through a text."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from tree_sitter import Node

from pointsman.shell.effects import Invocation, Redirect
from pointsman.shell.files import Files
from pointsman.shell.hanging import Hung
from pointsman.shell.state import Feed, State, Steps
from pointsman.shell.words import Expander


@dataclass(frozen=True, slots=True)
class Redirection:
    """One redirection: which descriptor, how, to which file, text or program."""

    operator: str
    descriptor: str
    target: str = ""
    feed: Feed | None = None
    into: Node | None = None
    """The ``>(…)`` that reads what is written."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it stands before it is run."""

    argv: tuple[str, ...]
    redirects: tuple[Redirect, ...] = ()
    assigned: dict[str, str] = field(default_factory=dict)
    feed: Feed = field(default_factory=Feed)
    text: str = ""


class Runs(Protocol):
    """What was found so far, and what the shell knows, reads and prints at this point."""

    state: State
    steps: Steps
    files: Files
    found: list[Invocation]
    sink: list[str]
    feed: Feed
    level: int
    opened: dict[str, Redirection]
    read_on: dict[str, list[str]]

    def unclear(self, why: str) -> None:
        """Say why this is not all that the command does."""
        ...

    def deeper(self) -> bool:
        """Go one level deeper; whoever is told so comes back up by ``level``."""
        ...

    def printing(self) -> AbstractContextManager[list[str]]:
        """Collect what is printed in here."""
        ...

    def fed(self, feed: Feed) -> AbstractContextManager[None]:
        """Feed what is run in here."""
        ...

    def local(self, name: str) -> bool:
        """Let a variable be a function's own until it returns; ``False`` outside of one."""
        ...

    def note(self, path: str, cwd: str) -> None:
        """Note a path whose ``..`` may lead elsewhere than the text says."""
        ...

    def keep(self, each: Invocation) -> None:
        """Keep an invocation as found."""
        ...

    def placed(self, each: Invocation) -> Invocation:
        """Return an invocation with the carriers it is found in, and the machine it runs on."""
        ...

    def redirect(self, start: int, redirects: tuple[Redirect, ...], text: str) -> None:
        """Add the redirections of a block to what was found in it."""
        ...

    def script(
        self, text: str, *, same: bool = False, arguments: tuple[str, ...] | None = None
    ) -> None:
        """Carry a text out, in this shell or in one of its own."""
        ...

    def calls_traps(self) -> None:
        """Carry out what a shell was told to do at its end."""
        ...

    def call(self, call: Call) -> None:
        """Run a command that has been put together."""
        ...


class Walks(Protocol):
    """The walk through one text."""

    run: Runs
    state: State
    source: bytes
    expander: Expander

    def whole(self) -> None:
        """Walk the whole text."""
        ...

    def visit(self, node: Node) -> None:
        """Carry one node out."""
        ...

    def hang(self, hung: Hung, node: Node) -> AbstractContextManager[None]:
        """Have a node that is visited in here take what belongs to it."""
        ...

    def sequence(self, nodes: list[Node]) -> None:
        """Carry nodes out one after the other."""
        ...

    def substitute(self, node: Node) -> str:
        """Return what a command substitution prints, or ``UNKNOWN``."""
        ...

    def output(self, text: str) -> str:
        """Return what a text prints that stands in backquotes."""
        ...

    def assign(self, node: Node) -> None:
        """Give a variable what stands behind its name."""
        ...

    def forget(self, text: str) -> None:
        """Forget what arithmetic that is not known may have changed."""
        ...

    def text(self, node: Node) -> str:
        """Return the source of a node."""
        ...
