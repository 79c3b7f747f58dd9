"""Our hooks in the text of Claude Code's settings: put in, taken out, recognised.

The text is edited, never written anew: whatever is the user's stays byte for byte.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from pointsman.agents import claude_code, claude_seam, claude_telemetry, json_splice
from pointsman.agents.json_splice import Element, New, Style, Value
from pointsman.agents.settings_write import MOST_BYTES
from pointsman.model.errors import HostError
from pointsman.model.events import HOST_EVENTS

SCOPES = ("project", "local", "user", "managed")

EVERY_CALL = (None, "", "*")
"""The matchers of a group whose hooks are asked about every call of the event."""

_MANAGED = {"darwin": Path("/Library/Application Support/ClaudeCode")}
_MANAGED_ELSEWHERE = Path("/etc/claude-code")
_EMPTY = b"{}\n"
_NATIVE_CLIENT = "pointsman-hook"
_PYTHON_CLIENT = ("client", "hook.py")
_FIXES = {
    json_splice.COMMENT: "take the comment out",
    json_splice.TRAILING_COMMA: "take the comma out",
}


def settings_file(
    scope: str,
    repository: Path,
    environ: Mapping[str, str],
    home: Path,
    platform: str = sys.platform,
) -> Path:
    """Return the settings file of a scope, one of ``SCOPES``; it need not exist.

    Raises:
        HostError: there is no such scope.
    """
    own = environ.get("CLAUDE_CONFIG_DIR", "")
    files = {
        "project": repository / ".claude/settings.json",
        "local": repository / ".claude/settings.local.json",
        "user": (Path(own) if own.startswith("/") else home / ".claude") / "settings.json",
        "managed": _MANAGED.get(platform, _MANAGED_ELSEWHERE) / "managed-settings.json",
    }
    if scope not in files:
        raise HostError(f"scope = {scope!r} is none of {', '.join(SCOPES)}")
    return files[scope]


def is_ours(entry: object) -> bool:
    """Whether this is a hook entry of ours, wherever the client program lies."""
    return event_of(entry) is not None


def event_of(entry: object) -> str | None:
    """Return the event that an entry of ours delivers, ``None`` for somebody else's."""
    if not isinstance(entry, Mapping) or entry.get("type") != "command":
        return None
    words = (entry.get("command"), *_listed(entry.get("args")))
    if not all(isinstance(word, str) for word in words) or claude_code.NAME not in words:
        return None
    at = words.index(claude_code.NAME)
    program, behind = words[:at], words[at + 1 :]
    # The event, and the directories of a pinned client or nothing.
    # Any name will do for the event: a later version of ours may have registered more of them.
    if len(behind) not in {1, 3} or not behind[0].isidentifier():
        return None
    return behind[0] if any(map(_is_client, program)) else None


def _is_client(word: str) -> bool:
    parts = tuple(word.split("/"))
    # Many a hook.py is somebody's own; only one in a directory `client` is taken for ours.
    return parts[-1] == _NATIVE_CLIENT or parts[-2:] == _PYTHON_CLIENT


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def our_events(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the events that parsed settings deliver to us, for every call of the event."""
    hooks = settings.get("hooks")
    if not isinstance(hooks, Mapping):
        return frozenset()
    return frozenset(
        event
        for event, groups in hooks.items()
        for group in _listed(groups)
        if isinstance(group, Mapping) and group.get("matcher") in EVERY_CALL
        for entry in _listed(group.get("hooks"))
        if event_of(entry) == event
    )


def install(
    text: bytes | None,
    registration: Mapping[str, Any],
    name: str = "the settings",
    prefix: str = "",
    telemetry: Mapping[str, str] | None = None,
) -> bytes:
    """Return the settings with exactly this registration of ours in them.

    ``prefix`` is what is to stand before every shell command (``claude_seam``), empty for nothing;
    ``telemetry`` the variables that have the client's own sent to us, ``None`` to leave them be.

    ``text`` is ``None`` where there is no file yet; ``name`` stands in messages. Running it again
    changes nothing; an older registration of ours is replaced in its place.

    Raises:
        HostError: the text is not settings that can be edited without a guess.
    """
    given = _decoded(_EMPTY if text is None else text, name)
    # Two passes, because the second needs the places as the first has left them.
    kept = _without(given, name, lambda hook: _out_of_place(hook, registration))
    settings = _read(kept, name)
    made = json_splice.apply(kept, _additions(kept, settings, registration))
    made = claude_seam.put(made, prefix) if prefix else claude_seam.take(made)
    return _encoded(claude_telemetry.put(made, telemetry) if telemetry else made, name)


def uninstall(text: bytes, name: str = "the settings") -> bytes:
    """Return the settings without anything of ours, containers that we opened included.

    Raises:
        HostError: the text is not settings that can be edited without a guess.
    """
    given = _decoded(text, name)
    # It says where the text is no settings; what follows takes that for granted.
    _read(given, name)
    # In the reverse order of putting it in, so that each finds what it left.
    rest = claude_seam.take(claude_telemetry.take(given))
    return _encoded(_without(rest, name, lambda _hook: True), name)


@dataclass(frozen=True, slots=True)
class _Group:
    """One group of an event: its value, its list of entries, which of them are ours."""

    value: Value
    entries: Value
    ours: frozenset[int]

    @property
    def all_ours(self) -> bool:
        return bool(self.ours) and len(self.ours) == len(self.entries.elements)


@dataclass(frozen=True, slots=True)
class _Hook:
    """One entry of ours, and where it was found; ``first`` of ours in its event."""

    event: str
    group: _Group
    entry: Any
    first: bool


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings with the hooks laid open; ``hooks`` is ``None`` where there are none."""

    root: Value
    style: Style
    hooks: Value | None
    events: Mapping[str, tuple[_Group, ...]]


def _out_of_place(hook: _Hook, registration: Mapping[str, Any]) -> bool:
    """Whether an entry of ours cannot stay, or be replaced, where it is."""
    wanted = registration.get(hook.event)
    if wanted is None or not hook.first:
        return True
    # Alone in its group it can be replaced whole. In a group of the user's it stays only if
    # nothing about it has to change.
    if hook.group.all_ours and len(hook.group.ours) == 1:
        return False
    as_wanted = hook.entry == wanted[0]["hooks"][0]
    return not as_wanted or hook.group.value.data.get("matcher") not in EVERY_CALL


def _additions(
    text: str, settings: _Settings, registration: Mapping[str, Any]
) -> Iterable[json_splice.Edit]:
    root, style, hooks = settings.root, settings.style, settings.hooks
    if hooks is None:
        new = New("hooks", dict(registration), opened=2)
        yield json_splice.insertion(text, root, [new], style, outermost=True)
        return
    missing = []
    for event, groups in registration.items():
        member = hooks.member(event)
        if member is None:
            missing.append(New(event, groups, opened=1))
            continue
        ours = next((group for group in settings.events[event] if group.ours), None)
        if ours is None:
            news = [New(None, group) for group in groups]
            yield json_splice.insertion(text, member.value, news, style)
        # A shared group is left as it is: _out_of_place has let only a sound entry stay in it.
        elif ours.all_ours and ours.value.data != groups[0]:
            yield json_splice.replacement(text, ours.value, groups[0], style)
    if missing:
        yield json_splice.insertion(text, hooks, missing, style)


def _without(text: str, name: str, doomed: Callable[[_Hook], bool]) -> str:
    """Take out those entries of ours that ``doomed`` says yes to."""
    settings = _read(text, name)
    hooks = settings.hooks
    if hooks is None:
        return text
    edits: list[json_splice.Edit] = []
    gone = set()
    for index, member in enumerate(hooks.elements):
        groups = settings.events.get(str(member.key), ())
        inner, whole = _event_edits(text, member, groups, doomed)
        edits += inner
        if whole:
            gone.add(index)
    if len(gone) < len(hooks.elements) or not gone:
        cut = json_splice.removal(text, hooks, frozenset(gone)) if gone else []
        return json_splice.apply(text, [*edits, *cut])
    # Every event goes whole, so no edits inside are left. The user's own `hooks` stays, empty;
    # one that we opened goes with the last of ours.
    if json_splice.hugs(text, hooks):
        return json_splice.apply(text, json_splice.removal(text, hooks, frozenset(gone)))
    place = [one.key for one in settings.root.elements].index("hooks")
    cut = json_splice.removal(text, settings.root, frozenset({place}), outermost=True)
    return json_splice.apply(text, cut)


def _event_edits(
    text: str, member: Element, groups: tuple[_Group, ...], doomed: Callable[[_Hook], bool]
) -> tuple[list[json_splice.Edit], bool]:
    """Return the edits inside one event, and whether the event goes as a whole instead."""
    edits: list[json_splice.Edit] = []
    gone = set()
    first = True
    for index, group in enumerate(groups):
        out = set()
        # Sorted, as the first in the file is the one that may stay.
        for place in sorted(group.ours):
            entry = group.entries.elements[place].value.data
            if doomed(_Hook(str(member.key), group, entry, first)):
                out.add(place)
            first = False
        if out and len(out) == len(group.entries.elements):
            gone.add(index)
        elif out:
            edits += json_splice.removal(text, group.entries, frozenset(out))
    # A list that the user opened is emptied and stays.
    if gone and len(gone) == len(groups) and not json_splice.hugs(text, member.value):
        return [], True
    if gone:
        edits += json_splice.removal(text, member.value, frozenset(gone))
    return edits, False


def _read(text: str, name: str) -> _Settings:
    try:
        root = json_splice.parse(text)
    except JSONDecodeError as error:
        what = f"{name}:{error.lineno}: not JSON: {error.msg}"
        raise HostError(what, fix=_FIXES.get(error.msg, f"correct that line of {name}")) from None
    shape = _Shape(text, name)
    shape.of(root, dict, "the top level")
    found = root.member("hooks")
    hooks = shape.of(found.value, dict, "hooks") if found else None
    events = {
        str(member.key): tuple(shape.groups(member))
        for member in (hooks.elements if hooks else ())
        if member.key in HOST_EVENTS or shape.is_known(member)
    }
    return _Settings(root, json_splice.style_of(text, root), hooks, events)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Insists on the shape of hooks that we know, and says where it is another one."""

    text: str
    name: str

    def of(self, value: Value, kind: type, what: str) -> Value:
        """Return the value, if it is of this kind and has no key twice."""
        if not isinstance(value.data, kind):
            wanted = "an object" if kind is dict else "a list"
            self._refuse(value.start, f"{what} is not {wanted}")
        # Of a key that stands there twice, editing either would be a guess at which is meant.
        twice = value.repeated()
        if twice is not None:
            self._refuse(twice.start, f"{what} has the key {twice.key!r} twice")
        return value

    def is_known(self, member: Element) -> bool:
        """Whether an event that we have no name for holds hooks all the same.

        A later version of ours may have put hooks there. Where the shape is another one, the
        client does not look at it, and neither do we.
        """
        try:
            return bool(tuple(self.groups(member)))
        except HostError:
            return False

    def groups(self, member: Element) -> Iterable[_Group]:
        """Return the groups of one event."""
        for element in self.of(member.value, list, f"hooks.{member.key}").elements:
            group = self.of(element.value, dict, f"a group of hooks.{member.key}")
            entries = group.member("hooks")
            if entries is None:
                self._refuse(group.start, f"a group of hooks.{member.key} has no list 'hooks'")
            else:
                yield self._group(group, entries.value, str(member.key))

    def _group(self, group: Value, entries: Value, event: str) -> _Group:
        self.of(entries, list, f"'hooks' of a group of hooks.{event}")
        for element in entries.elements:
            self.of(element.value, dict, f"a hook of hooks.{event}")
        ours = (n for n, one in enumerate(entries.elements) if is_ours(one.value.data))
        return _Group(group, entries, frozenset(ours))

    def _refuse(self, at: int, what: str) -> None:
        line = self.text.count("\n", 0, at) + 1
        raise HostError(
            f"{self.name}:{line}: {what}",
            fix=f"correct that line of {self.name}; nothing was written",
        )


def _decoded(text: bytes, name: str) -> str:
    if len(text) > MOST_BYTES:
        raise HostError(
            f"{name}: larger than the {MOST_BYTES} bytes that settings may have",
            fix="look at what is in that file",
        )
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise HostError(
            f"{name}:{line}: not UTF-8: {error.reason}", fix=f"save {name} as UTF-8"
        ) from None


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise HostError(
            f"{name}: the path of the client program cannot be written as UTF-8",
            fix=f"install Pointsman under another path than {os.fsencode(sys.prefix)!r}",
        ) from None
