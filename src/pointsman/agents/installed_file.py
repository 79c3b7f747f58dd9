"""A file of a host with something of ours in it: put in, and out again as it was before us."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pointsman.agents import settings_write
from pointsman.agents.settings_write import Note, Notes, digest
from pointsman.model.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of a file, or with ``dry_run`` would have.

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


@dataclass(frozen=True, slots=True)
class Edited:
    """A file, and how its text is edited: what is ours put in (``None``: no file yet), cut out.

    ``seam`` says of a text whether something of ours stands before every shell command in it.
    ``shared`` is a file that the host itself writes all the time, and that several scopes share:
    nothing is restored there and no backup kept, what is ours is cut out.
    """

    scope: str
    file: Path
    put: Callable[[bytes | None], bytes]
    cut: Callable[[bytes], bytes]
    seam: Callable[[bytes], bool] = lambda _text: False
    shared: bool = False


def put_in(edited: Edited, places: Places, *, dry_run: bool) -> Change:
    """Put what is ours into a file; a second time changes nothing.

    Raises:
        HostError: it cannot be read, understood or written; it is as it was.
    """
    file, notes = edited.file, Notes(places)
    if dry_run:
        before = settings_write.read(file)
        return Change(file=file, scope=edited.scope, before=before, after=edited.put(before))
    with notes.locked():
        before = settings_write.read(file)
        after = edited.put(before)
        if edited.shared:
            if before != after:
                settings_write.replace(file, before, after)
            return Change(file=file, scope=edited.scope, before=before, after=after)
        # Not simply `before`: from the second time on our own entries are in that.
        kept = _original(edited, before, notes.of(file))
        backup = settings_write.backup_of(file)
        if before != after:
            if kept is not None:
                settings_write.keep_backup(file, kept)
            # The note comes first: where the next step fails it fits no file, and is ignored.
            notes.put(file, _note(edited, kept, after, notes.of(file)))
            settings_write.replace(file, before, after)
        held = backup if backup.exists() else None
        return Change(file=file, scope=edited.scope, before=before, after=after, backup=held)


def take_out(edited: Edited, places: Places, *, dry_run: bool) -> Change:
    """Take what is ours out of a file.

    One that nobody has touched since ``put_in`` gets its old bytes back; one that did not exist
    before is deleted; from any other what is ours is cut out.

    Raises:
        HostError: it cannot be read, understood or written; it is as it was.
    """
    file, notes = edited.file, Notes(places)
    # No lock for a dry run: taking it would make the state directory.
    if dry_run:
        return _removal(edited, notes.of(file))
    with notes.locked():
        note = notes.of(file)
        change = _removal(edited, note)
        if change.before is not None and change.changed:
            _carry_out(file, change.before, change.after)
        # Last: where the file could not be written, note and backup are still the way back.
        if note is not None:
            notes.put(file, None)
            _forget_backup(file, note)
        return change


def _original(edited: Edited, before: bytes | None, note: Note | None) -> bytes | None:
    """Return the file as it would be without us: what the backup holds, or what is cut out."""
    if before is None:
        return None
    held = _restorable(edited.file, before, note)
    return held if held is not None else edited.cut(before)


def _note(edited: Edited, kept: bytes | None, after: bytes, old: Note | None) -> Note:
    # A file that we once made stays ours to delete, however often it is installed again.
    created = kept is None or (old is not None and old.created)
    return Note(digest(kept or b""), digest(after), created, edited.seam(after))


def _restorable(file: Path, now: bytes, note: Note | None) -> bytes | None:
    """Return the backup, if the file is what we left and the backup what was there before."""
    if note is None or digest(now) != note.after:
        return None
    held = settings_write.read(settings_write.backup_of(file))
    return held if held is not None and digest(held) == note.before else None


def _removal(edited: Edited, note: Note | None) -> Change:
    file = edited.file
    now = settings_write.read(file)
    if now is None:
        return Change(file=file, scope=edited.scope, before=None, after=None)
    held = _restorable(file, now, note)
    after = held if held is not None else edited.cut(now)
    # `{}` that had nothing of ours in it was written by somebody since, and stays.
    gone = note is not None and note.created and after != now and after.strip() == b"{}"
    return Change(
        file=file,
        scope=edited.scope,
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
