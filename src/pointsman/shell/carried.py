"""What a program that runs another carries, and how its own options are told from that."""

from dataclasses import dataclass

from pointsman.shell.arguments import names
from pointsman.shell.effects import UNKNOWN

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "rbash", "fish"})
_INTERPRETERS = names(
    "python python2 python3 py perl ruby node nodejs php lua deno bun r rscript pwsh"
    " powershell luajit tclsh wish expect osascript pypy ipython"
)


RUN_BY_OTHERS = frozenset({
    "GIT_SSH_COMMAND", "GIT_PAGER", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_EXTERNAL_DIFF",
    "GIT_ASKPASS", "GIT_SSH", "GIT_PROXY_COMMAND", "SSH_ASKPASS", "PAGER", "EDITOR", "VISUAL",
    "MANPAGER", "PROMPT_COMMAND", "RSYNC_RSH", "LESSOPEN", "BROWSER",
})  # fmt: skip
"""Variables whose value another program runs as a command."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a carrier runs: words (``argv``), shell text (``script``), or both unknown.

    ``unverified`` says why it cannot be known. ``arguments`` are the positional parameters of a
    script, ``environment`` variables that it is given, ``cwd`` where it runs if elsewhere,
    ``remote`` the host or container, ``fed`` whether it reads what its carrier reads.
    """

    argv: tuple[str, ...] = ()
    script: str | None = None
    unverified: str = ""
    arguments: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = ()
    cwd: str = ""
    remote: str = ""
    fed: bool = True


@dataclass(frozen=True, slots=True)
class Prefix:
    """A program whose command follows its own options.

    ``with_value`` are options that take the next word, ``pairs`` the next two; ``skip`` is the
    number of words of its own before the command (the duration of ``timeout``); ``assignments``
    says that words such as ``A=b`` may stand before it; ``first`` are the subcommands (apart by
    spaces) that alone run anything.
    """

    with_value: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    skip: int = 0
    assignments: bool = False
    first: str = ""


def these(*names: str) -> frozenset[str]:
    """Return names as a set."""
    return frozenset(names)


def after_options(words: list[str], prefix: Prefix) -> list[str]:
    """Return the words of the command that follows a program's own options."""
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            index += 1
            break
        if word.startswith("-") and len(word) > 1:
            index += 3 if word in prefix.pairs else 2 if _takes_next(word, prefix.with_value) else 1
        elif prefix.assignments and "=" in word and word.partition("=")[0].isidentifier():
            index += 1
        else:
            break
    # `timeout 5 -- rm x`: the words of its own may come before the `--`.
    rest = words[index + prefix.skip :]
    return rest[1:] if prefix.skip and rest[:1] == ["--"] else rest


def _takes_next(word: str, with_value: frozenset[str]) -> bool:
    """Whether the next word is this option's value; in ``-ds`` it is that of the last letter."""
    if word in with_value or word.startswith("--"):
        return word in with_value
    first = next((at for at, char in enumerate(word[1:], 1) if f"-{char}" in with_value), None)
    return first == len(word) - 1


def text_of(text: str, what: str) -> Carried:
    """Carry a shell text; ``what`` names it where it is not known."""
    if UNKNOWN in text and not text.strip(UNKNOWN + " ;&|\n"):
        return Carried(unverified=f"{what} is not known")
    # A word stands in for what is not known, so that the grammar reads the rest.
    return Carried(script=text.replace(UNKNOWN, "__unknown__"))


def is_interpreter(program: str) -> bool:
    """Whether this program runs code of a language that is no shell's."""
    return program in _INTERPRETERS or program.rstrip("0123456789.") in _INTERPRETERS
