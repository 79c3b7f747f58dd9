"""The catalogue: one dataclass per kind of event, named as Claude Code names them.

Fields and types are those of recorded payloads of client 2.1.330; another host's events are
normalised to the same classes. ``PreEdit`` and ``ErrorEscalation`` are no host's events: the
runtime derives them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pointsman.model.event import Event, ToolEvent

Object = Mapping[str, Any]
"""A JSON object as the host sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreToolUse(ToolEvent):
    """A tool call is about to run; the host waits for an answer."""

    KIND: ClassVar[str] = "PreToolUse"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostToolUse(ToolEvent):
    """A tool call ended well."""

    KIND: ClassVar[str] = "PostToolUse"
    tool_response: Any = None
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostToolUseFailure(ToolEvent):
    """A tool call ended with an error (a command's exit code other than 0 is one)."""

    KIND: ClassVar[str] = "PostToolUseFailure"
    error: str = ""
    is_interrupt: bool = False
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostToolBatch(Event):
    """All calls of one message have ended; the only word on a denied or malformed call."""

    KIND: ClassVar[str] = "PostToolBatch"
    tool_calls: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRequest(ToolEvent):
    """The host is about to ask its user; carries no id of the call."""

    KIND: ClassVar[str] = "PermissionRequest"
    permission_suggestions: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionDenied(ToolEvent):
    """The host itself refused a call (automatic mode only)."""

    KIND: ClassVar[str] = "PermissionDenied"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Event):
    """The host has told its user something."""

    KIND: ClassVar[str] = "Notification"
    message: str = ""
    notification_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPromptSubmit(Event):
    """A person (or the host on its own) sends a prompt."""

    KIND: ClassVar[str] = "UserPromptSubmit"
    prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPromptExpansion(Event):
    """A command or skill is expanded into a prompt."""

    KIND: ClassVar[str] = "UserPromptExpansion"
    expansion_type: str = ""
    command_name: str = ""
    command_args: str = ""
    command_source: str = ""
    prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStart(Event):
    """A session begins, is resumed, forked, cleared or compacted."""

    KIND: ClassVar[str] = "SessionStart"
    source: str = ""
    model: str = ""
    context_tokens: int = 0
    seconds_since_last_response: int = 0
    prompt_cache_likely_expired: bool = False
    estimated_cache_write_usd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd(Event):
    """A session ends."""

    KIND: ClassVar[str] = "SessionEnd"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Event):
    """The agent's turn is over; a refusal makes it go on."""

    KIND: ClassVar[str] = "Stop"
    stop_hook_active: bool = False
    last_assistant_message: str = ""
    background_tasks: tuple[Object, ...] = ()
    session_crons: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StopFailure(Event):
    """The agent's turn ended in an error of the model's service."""

    KIND: ClassVar[str] = "StopFailure"
    error: str = ""
    last_assistant_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubagentStart(Event):
    """A subagent begins."""

    KIND: ClassVar[str] = "SubagentStart"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubagentStop(Event):
    """A subagent's turn is over (an internal one has an empty type)."""

    KIND: ClassVar[str] = "SubagentStop"
    stop_hook_active: bool = False
    agent_transcript_path: str = ""
    last_assistant_message: str = ""
    background_tasks: tuple[Object, ...] = ()
    session_crons: tuple[Object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PreCompact(Event):
    """The context is about to be compacted."""

    KIND: ClassVar[str] = "PreCompact"
    trigger: str = ""
    custom_instructions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCompact(Event):
    """The context has been compacted."""

    KIND: ClassVar[str] = "PostCompact"
    trigger: str = ""
    compact_summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSwitch(Event):
    """What both model switches share."""

    from_model: str = ""
    to_model: str = ""
    requested_model: str = ""
    source: str = ""
    context_tokens: int = 0
    prompt_cache_warm: bool = False
    cache_ttl: str = ""
    estimated_cache_write_usd: float = 0.0
    pricing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreModelSwitch(ModelSwitch):
    """Another model is about to be chosen."""

    KIND: ClassVar[str] = "PreModelSwitch"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostModelSwitch(ModelSwitch):
    """Another model has been chosen."""

    KIND: ClassVar[str] = "PostModelSwitch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup(Event):
    """The host sets a repository up, or maintains it."""

    KIND: ClassVar[str] = "Setup"
    trigger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeammateIdle(Event):
    """A member of a team of agents has nothing to do."""

    KIND: ClassVar[str] = "TeammateIdle"
    teammate_name: str = ""
    team_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCreated(Event):
    """A task was put on the host's list."""

    KIND: ClassVar[str] = "TaskCreated"
    task_id: str = ""
    task_subject: str = ""
    task_description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(TaskCreated):
    """A task on the host's list was done."""

    KIND: ClassVar[str] = "TaskCompleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elicitation(Event):
    """An MCP server asks the user for input."""

    KIND: ClassVar[str] = "Elicitation"
    mcp_server_name: str = ""
    message: str = ""
    mode: str = ""
    requested_schema: Object = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ElicitationResult(Event):
    """The user's answer to an MCP server."""

    KIND: ClassVar[str] = "ElicitationResult"
    mcp_server_name: str = ""
    mode: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange(Event):
    """A settings file of the host changed while it runs; a refusal keeps the old settings."""

    KIND: ClassVar[str] = "ConfigChange"
    source: str = ""
    file_path: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The settings file."""
        return (self.file_path,) if self.file_path else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorktreeCreate(Event):
    """A worktree is wanted; on Claude Code a hook that waits replaces the host's own way."""

    KIND: ClassVar[str] = "WorktreeCreate"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorktreeRemove(Event):
    """A worktree is given up."""

    KIND: ClassVar[str] = "WorktreeRemove"
    worktree_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionsLoaded(Event):
    """A file of instructions was read into the context."""

    KIND: ClassVar[str] = "InstructionsLoaded"
    file_path: str = ""
    memory_type: str = ""
    load_reason: str = ""
    trigger_file_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CwdChanged(Event):
    """The working directory of the session changed."""

    KIND: ClassVar[str] = "CwdChanged"
    old_cwd: str = ""
    new_cwd: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChanged(Event):
    """A watched file changed; ``change`` is how (the host calls that ``event``)."""

    KIND: ClassVar[str] = "FileChanged"
    file_path: str = ""
    change: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The watched file."""
        return (self.file_path,) if self.file_path else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryAdded(Event):
    """A directory was added to the session."""

    KIND: ClassVar[str] = "DirectoryAdded"
    directory: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDisplay(Event):
    """A piece of the agent's message is shown."""

    KIND: ClassVar[str] = "MessageDisplay"
    turn_id: str = ""
    message_id: str = ""
    index: int = 0
    final: bool = False
    delta: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreEdit(ToolEvent):
    """Derived: a call is about to change files. ``files`` are canonical absolute paths."""

    KIND: ClassVar[str] = "PreEdit"
    files: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that the call would change."""
        return self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEscalation(Event):
    """Derived: something went wrong that a person should know of; one per cause and window.

    ``trigger`` is one of ``tool failed``, ``denial burst``, ``hook failed``, ``budget blown``,
    ``validation failed``, ``approval asked``, ``approval waiting``, ``outside contract``,
    ``could not verify``, ``command without a hook``;
    ``key`` is what is deduplicated by, ``count`` how often it was seen before it was raised.
    """

    KIND: ClassVar[str] = "ErrorEscalation"
    trigger: str = ""
    key: str = ""
    summary: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchFinding(Event):
    """Derived: a detector has found something wrong with a run; again only after a while.

    ``severity`` is ``warning`` or ``critical``, ``key`` tells it from what else the ``detector``
    finds of the same agent, ``figures`` are what its formula was given, ``seqs`` events of the
    ledger that show it.
    """

    KIND: ClassVar[str] = "WatchFinding"
    detector: str = ""
    key: str = ""
    severity: str = ""
    summary: str = ""
    figures: Object = field(default_factory=dict)
    seqs: tuple[int, ...] = ()


HOST_EVENTS: dict[str, type[Event]] = {
    kind.KIND: kind
    for kind in (
        PreToolUse, PostToolUse, PostToolUseFailure, PostToolBatch, Notification,
        UserPromptSubmit, UserPromptExpansion, SessionStart, SessionEnd, Stop, StopFailure,
        SubagentStart, SubagentStop, PreCompact, PostCompact, PreModelSwitch, PostModelSwitch,
        PermissionRequest, PermissionDenied, Setup, TeammateIdle, TaskCreated, TaskCompleted,
        Elicitation, ElicitationResult, ConfigChange, WorktreeCreate, WorktreeRemove,
        InstructionsLoaded, CwdChanged, FileChanged, DirectoryAdded, MessageDisplay,
    )
}  # fmt: skip
"""The 33 events that Claude Code reports, by name."""

DERIVED_EVENTS: dict[str, type[Event]] = {
    kind.KIND: kind for kind in (PreEdit, ErrorEscalation, WatchFinding)
}
"""The events that no host reports."""
