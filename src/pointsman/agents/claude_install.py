"""Claude Code's hooks in, and out again: the whole way from a scope to what to tell about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pointsman.agents import claude_events, claude_seam, claude_settings, settings_write
from pointsman.agents.claude_events import Version, version_text
from pointsman.agents.claude_findings import findings
from pointsman.agents.claude_settings import SCOPES, settings_file
from pointsman.agents.settings_write import Note, Notes, digest
from pointsman.model.errors import HostError
from pointsman.model.places import Places
from pointsman.model.policy import Problem


@dataclass(frozen=True, slots=True)
class Where:
    """Which settings: the scope, and everything that their places depend on."""

    scope: str
    repository: Path
    environ: Mapping[str, str]
    home: Path
    places: Places

    @property
    def file(self) -> Path:
        """The settings file of this scope."""
        return self.file_of(self.scope)

    @property
    def pinned(self) -> tuple[str, ...]:
        """The directories that stand in the hooks, in settings that are one user's alone.

        There a repository's own settings, which may set any variable for a session, must not
        lead the client to another daemon.
        """
        own = self.scope in {"user", "local"}
        return (str(self.places.state), str(self.places.config)) if own else ()

    def file_of(self, scope: str) -> Path:
        """Return the settings file of any scope."""
        return settings_file(scope, self.repository, self.environ, self.home)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of a settings file, or with ``dry_run`` would have.

    ``before`` and ``after`` are its bytes, ``None`` where there is no file. ``backup`` is the
    file that holds the bytes from before, where one was kept; ``restored`` says that these came
    back byte for byte.
    """

    file: Path
    scope: str
    before: bytes | None
    after: bytes | None
    backup: Path | None = None
    restored: bool = False

    @property
    def changed(self) -> bool:
        """Whether the file is another one than before."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A registration, and how far it holds on this client."""

    change: Change
    version: Version | None
    guards: tuple[str, ...]
    waiting: tuple[str, ...]
    asynchronous: tuple[str, ...]
    left_out: Mapping[str, str]
    fails_open: tuple[str, ...]
    problems: tuple[Problem, ...]
    prefix: str = ""
    """What stands before every shell command now, ours or somebody else's; empty for nothing."""
    gated: bool = False
    """Whether that is ours: every shell command passes the second gate."""


def install_host(
    where: Where,
    client_argv: tuple[str, ...],
    version: Version | None,
    *,
    dry_run: bool = False,
    exec_argv: tuple[str, ...] = (),
    telemetry: Mapping[str, str] | None = None,
) -> Installed:
    """Register our client with Claude Code in one scope; a second time changes nothing.

    ``exec_argv`` starts the program that stands before every shell command; without it none does.
    ``telemetry`` are the variables of ``claude_telemetry``; without them those there stay.
    A value of the user's own stays, and is told.

    Raises:
        HostError: the settings cannot be read, understood or written, or the client is too old
            to be guarded; they are as they were.
    """
    if version is not None and version < claude_events.OLDEST:
        raise HostError(
            f"Claude Code {version_text(version)} cannot be guarded: before "
            f"{version_text(claude_events.OLDEST)} it ignores hooks as we register them, and "
            "every call would pass unchecked; nothing was written",
            fix="claude update",
        )
    rows = claude_events.EVENTS.values()
    wanted = claude_events.registration(client_argv, version, where.pinned)
    seam = claude_seam.prefix_value(exec_argv, where.pinned)
    change = _install(where, (wanted, seam, telemetry), dry_run=dry_run)
    prefix = claude_seam.value_in(json.loads(change.after or b"{}"))
    return Installed(
        change=change,
        version=version,
        guards=claude_events.GUARDS,
        waiting=tuple(row.event for row in rows if row.waits),
        asynchronous=tuple(row.event for row in rows if not row.waits),
        left_out=claude_events.NOT_REGISTERED,
        fails_open=claude_events.fails_open(version),
        problems=findings(settings_texts(where) | _own_text(where, change), version),
        prefix=str(prefix or ""),
        gated=claude_seam.argv_of(prefix) is not None,
    )


def uninstall_host(where: Where, *, dry_run: bool = False) -> Change:
    """Take our hooks out of one scope's settings.

    A file that nobody has touched since ``install_host`` gets its old bytes back; one that did
    not exist before is deleted; from any other our entries are cut out.

    Raises:
        HostError: the settings cannot be read, understood or written; they are as they were.
    """
    file, notes = where.file, Notes(where.places)
    # No lock for a dry run: taking it would make the state directory.
    if dry_run:
        return _removal(where, notes.of(file))
    with notes.locked():
        note = notes.of(file)
        change = _removal(where, note)
        if change.before is not None and change.changed:
            _carry_out(file, change.before, change.after)
        # Last: where the file could not be written, note and backup are still the way back.
        if note is not None:
            notes.put(file, None)
            _forget_backup(file, note)
        return change


def settings_texts(where: Where) -> dict[str, tuple[str, bytes | None]]:
    """Return name and bytes of the settings of every scope, as ``findings`` takes them."""
    files = {scope: where.file_of(scope) for scope in SCOPES}
    return {scope: (str(file), _read_if_we_may(file)) for scope, file in files.items()}


def _read_if_we_may(file: Path) -> bytes | None:
    # What we cannot read, the client of the same user cannot read either.
    try:
        return settings_write.read(file)
    except HostError:
        return None


def _own_text(where: Where, change: Change) -> dict[str, tuple[str, bytes | None]]:
    """Return what a dry run would have written, so that the findings speak of that."""
    return {where.scope: (str(change.file), change.after)}


_Wanted = tuple[Mapping[str, object], str, Mapping[str, str] | None]


def _install(where: Where, wanted: _Wanted, *, dry_run: bool) -> Change:
    file, notes = where.file, Notes(where.places)
    registration, prefix, telemetry = wanted
    if dry_run:
        before = settings_write.read(file)
        after = claude_settings.install(before, registration, str(file), prefix, telemetry)
        return Change(file=file, scope=where.scope, before=before, after=after)
    with notes.locked():
        before = settings_write.read(file)
        after = claude_settings.install(before, registration, str(file), prefix, telemetry)
        # Not simply `before`: from the second time on our own entries are in that.
        kept = _original(file, before, notes.of(file))
        backup = settings_write.backup_of(file)
        if before != after:
            if kept is not None:
                settings_write.keep_backup(file, kept)
            # The note comes first: where the next step fails it fits no file, and is ignored.
            notes.put(file, _note(kept, after, notes.of(file)))
            settings_write.replace(file, before, after)
        held = backup if backup.exists() else None
        return Change(file=file, scope=where.scope, before=before, after=after, backup=held)


def _original(file: Path, before: bytes | None, note: Note | None) -> bytes | None:
    """Return the file as it would be without us: what the backup holds, or what is cut out."""
    if before is None:
        return None
    held = _restorable(file, before, note)
    return held if held is not None else claude_settings.uninstall(before, str(file))


def _note(kept: bytes | None, after: bytes, old: Note | None) -> Note:
    # A file that we once made stays ours to delete, however often it is installed again.
    created = kept is None or (old is not None and old.created)
    value = claude_seam.value_in(json.loads(after))
    return Note(digest(kept or b""), digest(after), created, claude_seam.argv_of(value) is not None)


def _restorable(file: Path, now: bytes, note: Note | None) -> bytes | None:
    """Return the backup, if the file is what we left and the backup what was there before."""
    if note is None or digest(now) != note.after:
        return None
    held = settings_write.read(settings_write.backup_of(file))
    return held if held is not None and digest(held) == note.before else None


def _removal(where: Where, note: Note | None) -> Change:
    file = where.file
    now = settings_write.read(file)
    if now is None:
        return Change(file=file, scope=where.scope, before=None, after=None)
    held = _restorable(file, now, note)
    after = held if held is not None else claude_settings.uninstall(now, str(file))
    # `{}` that had nothing of ours in it was written by somebody since, and stays.
    gone = note is not None and note.created and after != now and after.strip() == b"{}"
    return Change(
        file=file,
        scope=where.scope,
        before=now,
        after=None if gone else after,
        restored=held is not None or gone,
    )


def _carry_out(file: Path, before: bytes, after: bytes | None) -> None:
    if after is None:
        settings_write.remove(file, before)
    else:
        settings_write.replace(file, before, after)


def _forget_backup(file: Path, note: Note) -> None:
    """Delete our backup; one that somebody has changed stays."""
    backup = settings_write.backup_of(file)
    held = settings_write.read(backup)
    if held is not None and digest(held) == note.before:
        settings_write.remove(backup, held)
