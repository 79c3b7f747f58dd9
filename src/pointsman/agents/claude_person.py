"""Whether somebody sits at a session of Claude Code, to be asked.

Measured with client 2.1.330: its hooks get ``CLAUDE_CODE_ENTRYPOINT``, which is ``cli`` with a
terminal and ``sdk-cli`` under ``-p``, whatever is inherited or stands in ``env`` of the settings;
an SDK says ``sdk-py`` or ``sdk-ts``. ``--permission-prompt-tool`` names a tool that answers in a
person's stead: with it a question under ``-p`` is put to that tool, also in ``bypassPermissions``.
Without it the call is refused.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

_HEADLESS = frozenset({"sdk-cli", "mcp", "claude-code-github-action"})
_SDK = "sdk-"
_PROMPTER = "--permission-prompt-tool"
_PRINTS = frozenset({"-p", "--print"})
_MOST_WORDS = 128 * 1024


def command_line(pid: int) -> tuple[str, ...]:
    """Return the words that a process was started with; empty where that cannot be known."""
    try:
        with Path(f"/proc/{pid}/cmdline").open("rb") as file:
            words = file.read(_MOST_WORDS)
    except OSError:
        return ()
    return tuple(word.decode("utf-8", "replace") for word in words.rstrip(b"\0").split(b"\0"))


def is_attended(
    entrypoint: str, pid: int, read: Callable[[int], Sequence[str]] = command_line
) -> bool:
    """Whether the host can put a question to somebody.

    Where it cannot be known it counts as yes: the host then asks, or refuses for want of anybody,
    and in no case lets the call pass.
    """
    if not entrypoint:
        return True
    words = read(pid) if pid > 0 else ()
    own = words[: words.index("--")] if "--" in words else words
    if any(word == _PROMPTER or word.startswith(f"{_PROMPTER}=") for word in own):
        return True
    if entrypoint in _HEADLESS:
        return False
    # An SDK that takes questions says so on the command line, which has to be known for that.
    return not own or not (entrypoint.startswith(_SDK) or _PRINTS & set(own))
