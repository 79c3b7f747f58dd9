"""Which of Claude Code's events we register for, which of them wait for us, and what fails open.

Measured with client 2.1.330; what an exit code 2 does is the client's own description of the
event (``/hooks``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.agents import claude_code
from pointsman.model.budget import HOST_TIMEOUT
from pointsman.model.events import HOST_EVENTS
from pointsman.model.guard_events import GUARD_EVENTS

Version = tuple[int, ...]

FAILURE_BLOCKS_SINCE: Version = (2, 1, 295)
"""The first version that knows ``onFailure``: a hook that fails stops what it guards."""

OLDEST: Version = (2, 1, 139)
"""The first version that can be guarded (measured). Those before it start a hook without its
``args``, or ignore the whole settings file because of an event that they do not know."""

GUARDS = tuple(name for name in HOST_EVENTS if name in GUARD_EVENTS)
"""The events that we guard: here, and only here, our failure must stop the action."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event: whether the host waits for us, and why (not)."""

    event: str
    waits: bool
    reason: str


_WAITS = True
_ASYNC = False

EVENTS = {
    row.event: row
    for row in (
        Row("PreToolUse", _WAITS, "exit code 2 stops the call; asks, rewrites, adds context"),
        Row("PostToolUse", _WAITS, "exit code 2 and context reach the model"),
        Row("PostToolUseFailure", _WAITS, "exit code 2 and context reach the model"),
        Row("PostToolBatch", _WAITS, "exit code 2 ends the loop; context reaches the model"),
        Row("Notification", _ASYNC, "the host ignores what we say"),
        Row("UserPromptSubmit", _WAITS, "exit code 2 refuses the prompt; context is added"),
        Row("UserPromptExpansion", _WAITS, "exit code 2 refuses the command or skill"),
        Row("SessionStart", _WAITS, "context reaches the model"),
        Row("SessionEnd", _ASYNC, "nothing can be stopped; the host lets it run to its end"),
        Row("Stop", _WAITS, "exit code 2 makes the agent go on"),
        Row(
            "StopFailure",
            _WAITS,
            "the host ignores what we say, but kills an asynchronous hook when it exits, and "
            "this is the last event of a headless run that failed: it would not be on record",
        ),
        Row("SubagentStart", _WAITS, "context reaches the subagent"),
        Row("SubagentStop", _WAITS, "exit code 2 makes the subagent go on"),
        Row("PreCompact", _WAITS, "exit code 2 stops the compaction"),
        Row("PostCompact", _ASYNC, "it is done; nothing reaches the model"),
        Row("PreModelSwitch", _WAITS, "exit code 2 stops the switch"),
        Row("PostModelSwitch", _ASYNC, "it is done; we have nothing to say to the model"),
        Row("PermissionRequest", _WAITS, "exit code 2 stops the call"),
        Row("PermissionDenied", _ASYNC, "it is denied; we never advise a retry"),
        Row("Setup", _WAITS, "the host may exit right behind it and would kill us"),
        Row("TeammateIdle", _WAITS, "exit code 2 makes the teammate go on"),
        Row("TaskCreated", _WAITS, "exit code 2 stops the creation"),
        Row("TaskCompleted", _WAITS, "exit code 2 stops the completion"),
        Row("Elicitation", _WAITS, "exit code 2 refuses the server's question"),
        Row("ElicitationResult", _WAITS, "exit code 2 withholds the answer from the server"),
        Row("ConfigChange", _WAITS, "exit code 2 keeps the old settings in force"),
        Row("WorktreeRemove", _ASYNC, "the host ignores what we say"),
        Row("InstructionsLoaded", _ASYNC, "the host ignores what we say"),
        Row("CwdChanged", _ASYNC, "it is done"),
        Row(
            "FileChanged",
            _ASYNC,
            "it is done; without a matcher, as here, the host watches no file for us, so that it "
            "fires only where something else has files watched",
        ),
        Row("DirectoryAdded", _ASYNC, "it is done"),
        Row("MessageDisplay", _ASYNC, "it is shown; in a terminal once for every line of text"),
    )
}
"""Every event that we register for. Without a terminal (``-p``) the host kills an asynchronous
hook when it exits, except on SessionEnd: what is asynchronous is on record at best."""

NOT_REGISTERED = {
    "WorktreeCreate": (
        "a hook on it replaces the host's own `git worktree add`: one that prints no path, "
        "asynchronous or not, makes every worktree fail"
    ),
}
"""Events that we stay away from, with what registering would break."""


def registration(
    client_argv: tuple[str, ...], version: Version | None, pinned: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the table of hooks that we want in the settings: event to list of groups.

    ``pinned`` are the directories of state and configuration, where the environment that the
    client hands to its hooks shall have no say in them.

    ``version`` is the client's; where it is known to be older than ``FAILURE_BLOCKS_SINCE``,
    ``onFailure`` is left out (see ``fails_open``): one that does not know it passes over it, so
    that an unknown version gets it. Timeouts are in seconds.
    """
    blocks = version is None or failure_blocks(version)
    return {
        # No matcher: a guard has to be asked about every call.
        name: [{"hooks": [_entry(client_argv, row, pinned, blocks=blocks)]}]
        for name, row in EVENTS.items()
    }


def failure_blocks(version: Version | None) -> bool:
    """Whether this client stops the action when a guard fails."""
    # Unknown counts as old where we tell what fails open, and as new where we write hooks.
    return version is not None and version >= FAILURE_BLOCKS_SINCE


def _entry(
    client_argv: tuple[str, ...], row: Row, pinned: tuple[str, ...], *, blocks: bool
) -> Mapping[str, Any]:
    entry: dict[str, Any] = {
        "type": "command",
        "command": client_argv[0],
        # With args the host starts the program itself, no shell in between.
        "args": [*client_argv[1:], claude_code.NAME, row.event, *pinned],
        # Never the host's default, which on some events is very short.
        "timeout": HOST_TIMEOUT,
    }
    if blocks and row.event in GUARDS:
        entry["onFailure"] = "block"
    if not row.waits:
        entry["async"] = True
    return entry


_OPEN_WITHOUT_ON_FAILURE = (
    "the client program is missing or cannot be started",
    "the client program is killed by a signal",
    "the client program ends with an exit code other than 0 and 2",
    f"no answer within the {HOST_TIMEOUT} seconds of the hook's timeout",
    "an answer that the host takes for invalid",
)

OPEN_ON_EVERY_VERSION = (
    "hooks are off: disableAllHooks in any settings file (not for managed settings)",
    "started with --bare, --safe-mode or --setting-sources (not for managed settings)",
    "a nearer settings file (local, then project, then user) repeats our hook as async",
    "a settings file with an error is ignored as a whole",
    "the client program is replaced by one that ends with 0 (doctor finds it)",
    "env in a settings file leads the client to another daemon or home (doctor finds it)",
    "a command that a person types with ! (no event; the second gate judges it)",
    "the folder is not trusted yet (interactive: no hook runs before the answer)",
)
"""What passes unchecked whatever the version; the settings' own part is in ``findings``."""


def fails_open(version: Version | None) -> tuple[str, ...]:
    """Return the failures after which this client goes on as if nothing had been said."""
    return () if failure_blocks(version) else _OPEN_WITHOUT_ON_FAILURE


def version_text(version: Version | None) -> str:
    """Return ``2.1.330``, or ``unknown``."""
    return ".".join(map(str, version)) if version else "unknown"
