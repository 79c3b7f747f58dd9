"""Claude Code's hooks in, and out again: the whole way from a scope to what to tell about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pointsman.agents import claude_events, claude_seam, claude_settings, settings_write
from pointsman.agents.claude_events import Version, version_text
from pointsman.agents.claude_findings import findings
from pointsman.agents.claude_settings import SCOPES, settings_file
from pointsman.agents.installed_file import Change, Edited, put_in, take_out
from pointsman.model.errors import HostError
from pointsman.model.places import Places
from pointsman.model.policy import Problem

__all__ = ["Change", "Installed", "Where", "install_host", "settings_texts", "uninstall_host"]


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
    change = put_in(_edited(where, wanted, seam, telemetry), where.places, dry_run=dry_run)
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
    return take_out(_edited(where), where.places, dry_run=dry_run)


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


def _edited(
    where: Where,
    registration: Mapping[str, object] | None = None,
    prefix: str = "",
    telemetry: Mapping[str, str] | None = None,
) -> Edited:
    name = str(where.file)
    return Edited(
        where.scope,
        where.file,
        put=lambda text: claude_settings.install(text, registration or {}, name, prefix, telemetry),
        cut=lambda text: claude_settings.uninstall(text, name),
        seam=_has_seam,
    )


def _has_seam(text: bytes) -> bool:
    return claude_seam.argv_of(claude_seam.value_in(json.loads(text))) is not None
