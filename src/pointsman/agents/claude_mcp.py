"""Our server of questions about oneself (``pointsman mcp``) among Claude Code's MCP servers.

Measured with client 2.1.330: the repository's own servers stand in ``.mcp.json`` (a person at a
terminal is asked once whether they may be started, ``-p`` starts them), those of one user in
``.claude.json`` of the client's own directory, under ``mcpServers`` or, for one project, under
``projects.<directory>.mcpServers``. The machine's file shuts all other servers out, so that it is
left alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path, PurePosixPath
from typing import Any

from pointsman.agents import json_splice
from pointsman.agents.claude_install import Where
from pointsman.agents.installed_file import Change, Edited, put_in, take_out
from pointsman.agents.json_splice import Element, New, Value
from pointsman.agents.settings_write import MOST_BYTES
from pointsman.model.errors import HostError
from pointsman.model.places import Places

NAME = "pointsman"
"""The server's name: its tools are ``mcp__pointsman__…``."""
_SERVERS = "mcpServers"
_EMPTY = "{}\n"


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a scope's servers stand: the file, and the keys that lead to their table."""

    file: Path
    keys: tuple[str, ...]


def registration_of(where: Where) -> Registration | None:
    """Return where a scope has its servers, ``None`` where it is to have none of ours."""
    own = where.environ.get("CLAUDE_CONFIG_DIR", "")
    mine = (Path(own) if own.startswith("/") else where.home) / ".claude.json"
    found = {
        "project": Registration(where.repository / ".mcp.json", (_SERVERS,)),
        "local": Registration(mine, ("projects", str(where.repository), _SERVERS)),
        "user": Registration(mine, (_SERVERS,)),
    }
    return found.get(where.scope)


def entry_of(argv: tuple[str, ...], places: Places | None) -> dict[str, Any]:
    """Return what the client is told to start; ``places`` where they are one user's alone."""
    pinned = {} if places is None else {
        "POINTSMAN_STATE_DIR": str(places.state), "POINTSMAN_CONFIG_DIR": str(places.config),
    }  # fmt: skip
    return {"type": "stdio", "command": argv[0], "args": list(argv[1:]), "env": pinned}


def register(where: Where, argv: tuple[str, ...], *, dry_run: bool = False) -> Change | None:
    """Register our server in a scope; a second time changes nothing.

    Raises:
        HostError: the file cannot be read, understood or written, or has another server by our
            name; it is as it was.
    """
    at = registration_of(where)
    if at is None:
        return None
    entry = entry_of(argv, where.places if where.pinned else None)
    return put_in(_edited(where, at, entry), where.places, dry_run=dry_run)


def unregister(where: Where, *, dry_run: bool = False) -> Change | None:
    """Take our server out of a scope; everything else stays byte for byte.

    Raises:
        HostError: the file cannot be read, understood or written; it is as it was.
    """
    at = registration_of(where)
    if at is None:
        return None
    return take_out(_edited(where, at, {}), where.places, dry_run=dry_run)


def argv_of(entry: object) -> tuple[str, ...] | None:
    """Return the words that start a server of ours, ``None`` for another's."""
    if not isinstance(entry, Mapping):
        return None
    given = entry.get("args")
    words = (entry.get("command"), *(given if isinstance(given, list) else ()))
    if len(words) < 2 or not all(isinstance(word, str) for word in words) or words[-1] != "mcp":
        return None
    known = any(PurePosixPath(word).name == NAME for word in words)
    return words if known else None


def registered(where: Where, scope: str) -> Mapping[str, Any] | None:
    """Return the entry of ours in a scope, ``None`` where there is none or it cannot be read."""
    at = registration_of(Where(scope, where.repository, where.environ, where.home, where.places))
    try:
        found: Any = json.loads(at.file.read_bytes()) if at else None
    except (OSError, ValueError, RecursionError):
        return None
    for key in (*at.keys, NAME) if at else ():
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if argv_of(found) is not None else None


def _edited(where: Where, at: Registration, entry: Mapping[str, Any]) -> Edited:
    return Edited(
        where.scope,
        at.file,
        put=lambda text: _put(text, at, entry),
        cut=lambda text: _take(text, at),
        shared=where.scope != "project",
    )


def _put(given: bytes | None, at: Registration, entry: Mapping[str, Any]) -> bytes:
    text = _EMPTY if given is None else _text(given, at)
    root = _parsed(text, at)
    style = json_splice.style_of(text, root)
    path = list(_path(root, at))
    keys = (*at.keys, NAME)
    if len(path) == len(keys):
        there = path[-1].value
        if argv_of(there.data) is None:
            raise HostError(
                f"{at.file} has another server by the name {NAME!r}; it stays as it is",
                fix=f"rename it in {at.file}, then: pointsman init",
            )
        if there.data == entry:
            return text.encode()
        return json_splice.apply(
            text, [json_splice.replacement(text, there, dict(entry), style)]
        ).encode()
    holder = path[-1].value if path else root
    data: Any = dict(entry)
    for key in reversed(keys[len(path) + 1 :]):
        data = {key: data}
    new = New(keys[len(path)], data, opened=len(keys) - len(path) - 1)
    edit = json_splice.insertion(text, holder, [new], style, outermost=holder is root)
    return json_splice.apply(text, [edit]).encode()


def _take(given: bytes, at: Registration) -> bytes:
    text = _text(given, at)
    root = _parsed(text, at)
    path = list(_path(root, at))
    if len(path) != len(at.keys) + 1 or argv_of(path[-1].value.data) is None:
        return given
    holders = [root, *(each.value for each in path[:-1])]
    depth = len(path) - 1
    # A container that holds nothing but ours, and that we have opened, goes with it.
    while depth > 0 and _is_opened(text, holders[depth]):
        depth -= 1
    holder = holders[depth]
    place = frozenset({holder.elements.index(path[depth])})
    cut = json_splice.removal(text, holder, place, outermost=depth == 0)
    return json_splice.apply(text, cut).encode()


def _is_opened(text: str, holder: Value) -> bool:
    return len(holder.elements) == 1 and not json_splice.hugs(text, holder)


def _path(root: Value, at: Registration) -> Iterator[Element]:
    """Yield the members that the keys lead through, as far as they are there."""
    value = root
    for key in (*at.keys, NAME):
        if not isinstance(value.data, dict):
            raise HostError(
                f"{at.file}: what holds {key!r} is no object; nothing was written",
                fix=f"correct {at.file}",
            )
        member = value.member(key)
        if member is None:
            return
        yield member
        value = member.value


def _parsed(text: str, at: Registration) -> Value:
    try:
        root = json_splice.parse(text)
    except JSONDecodeError as error:
        raise HostError(
            f"{at.file}:{error.lineno}: not JSON: {error.msg}; nothing was written",
            fix=f"correct that line of {at.file}",
        ) from None
    if root.repeated() is not None or not isinstance(root.data, dict):
        raise HostError(f"{at.file}: no object, or a key of it stands twice", fix=f"see {at.file}")
    return root


def _text(data: bytes, at: Registration) -> str:
    if len(data) > MOST_BYTES:
        raise HostError(f"{at.file}: too large to be edited", fix=f"look into {at.file}")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise HostError(
            f"{at.file}: not UTF-8: {error.reason}", fix=f"save {at.file} as UTF-8"
        ) from None
