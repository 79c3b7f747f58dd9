"""The texts that contracts stand in: YAML, JSON, TOML, and the frontmatter of Markdown."""

import json
import re
import tomllib
from collections.abc import Callable
from typing import Any

import yaml

_MOST_DEPTH = 64
_DESCRIPTION = re.compile(r"^(description:[ \t]+)([^\s\"'|>&*!\[{].*?)[ \t]*$", re.MULTILINE)
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _yaml(text: str) -> Any:
    """Parse YAML, having made sure of its depth: the C loader recurses without a limit."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise ValueError(f"it is nested more than {_MOST_DEPTH} deep")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - the safe loader, in C where there is one


def frontmatter_text(text: str) -> str | None:
    """Return what stands between the first two lines of dashes, ``None`` where there is none.

    Raises:
        ValueError: the second line of dashes is missing.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    for number, line in enumerate(lines[1:], 1):
        if line.strip() in {"---", "..."}:
            # The first line counts too, so that the parser's line numbers are the file's.
            return "\n" + "\n".join(lines[1:number])
    raise ValueError("its frontmatter has no closing line of dashes")


def _frontmatter(text: str) -> Any:
    found = frontmatter_text(text)
    if found is None:
        return None
    try:
        return _yaml(found)
    except yaml.YAMLError:
        # Hosts take a description with a colon in it, which is no YAML, and write such files
        # themselves. It binds nobody: quoted, the rest can be read.
        quoted = _DESCRIPTION.sub(lambda line: f"{line[1]}{json.dumps(line[2])}", found)
        if quoted == found:
            raise
        return _yaml(quoted)


READERS: dict[str, Callable[[str], Any]] = {
    ".md": _frontmatter,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".json": json.loads,
    ".toml": tomllib.loads,
}
"""What reads a file, by its suffix."""

UNREADABLE = (ValueError, yaml.YAMLError, RecursionError)
"""What a reader raises for a text that it cannot take."""


def line_of(error: Exception) -> int:
    """Return the line that a parser complains about, 0 where it names none."""
    mark = getattr(error, "problem_mark", None)
    return int(mark.line) + 1 if mark is not None else 0


def line_of_key(text: str, key: str) -> int:
    """Return the line on which a key such as ``produces.files.scope`` stands, 1 where it does not.

    The innermost part is looked for first: the parsers say nothing of lines once they are done.
    """
    lines = text.splitlines()
    for part in reversed(key.split(".")):
        found = re.compile(rf"""(^|[\s{{,"'-]){re.escape(part)}["']?\s*[:=\]]""")
        for number, line in enumerate(lines, 1):
            if part and found.search(line):
                return number
    return 1
