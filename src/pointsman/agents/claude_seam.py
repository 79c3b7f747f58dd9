"""``CLAUDE_CODE_SHELL_PREFIX`` in the text of Claude Code's settings: in, out, and recognised.

The client puts this value before every text that it gives to a shell (measured with 2.1.330, for
its Bash and Monitor tools, for what a person types with ``!``, for hooks written as a shell line
and for the status line). Set in ``env`` it holds for the session, whatever becomes of the file.
"""

import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pointsman.agents import json_splice
from pointsman.agents.json_splice import Edit, New, Value

VARIABLE = "CLAUDE_CODE_SHELL_PREFIX"
PINNED = "--pinned"
"""Before the directories of state and configuration, where the environment has no say in them."""
_PROGRAMS = ("pointsman-exec", "exec.py")


def prefix_value(argv: tuple[str, ...], pinned: tuple[str, ...] = ()) -> str:
    """Return the variable's value that starts our program; empty for no program.

    The client takes what stands before the last `` -`` for the program's path, as it is, and
    gives the rest to a shell: so only the first word behind the program may begin like that.
    """
    if not argv:
        return ""
    words = (*argv[1:], PINNED, *pinned) if pinned else argv[1:]
    quoted = " ".join(shlex.quote(word) for word in words)
    rest = quoted[:1] + quoted[1:].replace(" -", " ''-")
    return f"{argv[0]} {rest}" if rest else argv[0]


def argv_of(value: object) -> tuple[str, ...] | None:
    """Return the words that the client starts for a value of ours, ``None`` for another's."""
    if not isinstance(value, str):
        return None
    program, dash, rest = value.rpartition(" -")
    try:
        words = (program, *shlex.split(f"-{rest}")) if dash else (value,)
    except ValueError:
        return None
    # The interpreter of the twin stands before the file.
    known = any(PurePosixPath(word).name in _PROGRAMS for word in words)
    return words if known else None


def value_in(settings: Mapping[str, Any]) -> object:
    """Return the value in parsed settings, ``None`` where there is none."""
    env = settings.get("env")
    return env.get(VARIABLE) if isinstance(env, Mapping) else None


def put(text: str, value: str) -> str:
    """Return the settings with this value, unless somebody else's stands there."""
    root = json_splice.parse(text)
    style = json_splice.style_of(text, root)
    env = root.member("env")
    if env is None:
        new = New("env", {VARIABLE: value}, opened=1)
        return json_splice.apply(
            text, [json_splice.insertion(text, root, [new], style, outermost=True)]
        )
    if not isinstance(env.value.data, dict):
        return text  # The client ignores such a file as a whole, which `findings` says.
    there = env.value.member(VARIABLE)
    if there is None:
        edit = json_splice.insertion(text, env.value, [New(VARIABLE, value)], style)
    elif argv_of(there.value.data) is None or there.value.data == value:
        return text
    else:
        edit = json_splice.replacement(text, there.value, value, style)
    return json_splice.apply(text, [edit])


def take(text: str) -> str:
    """Return the settings without a value of ours, and without an ``env`` that we opened for it."""
    root = json_splice.parse(text)
    env = root.member("env")
    if env is None or not isinstance(env.value.data, dict):
        return text
    doomed = frozenset(
        place
        for place, member in enumerate(env.value.elements)
        if member.key == VARIABLE and argv_of(member.value.data) is not None
    )
    if not doomed:
        return text
    alone = len(doomed) == len(env.value.elements)
    if alone and not json_splice.hugs(text, env.value):
        place = frozenset({root.elements.index(env)})
        return json_splice.apply(text, json_splice.removal(text, root, place, outermost=True))
    if alone:
        lines = json_splice.style_of(text, root).lines
        return json_splice.apply(text, [_emptying(text, env.value, lines=lines)])
    return json_splice.apply(text, json_splice.removal(text, env.value, doomed))


def _emptying(text: str, env: Value, *, lines: bool) -> Edit:
    """Take our one member out of an object that the user had left empty, and its line with it."""
    first = env.elements[0]
    start = text.rfind("\n", env.start, first.start) if lines else first.start
    if start < 0:
        start = first.start
    elif lines and text[start - 1] == "\r":
        start -= 1
    return Edit(start, first.end)
