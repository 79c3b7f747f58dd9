"""What a host agent reports, normalised.

``Event`` carries what every event has; the kinds with fields of their own stand in ``events.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

MAIN_THREAD = "main"
"""What a contract and the record call the agent that is not a subagent."""
PERSON = "a person (!)"
"""The agent that a command is put on record as which a person has typed: no contract binds it."""
HOST = "the host itself"
"""The same for its own shell commands: hooks, status line and servers that the user gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who acts, and where.

    ``agent_id`` is ``None`` on the main thread; ``parent`` is the agent id of whoever spawned
    this agent (``"main"`` for the main thread), ``None`` where there is none or it is unknown.
    ``repository`` is the root of the repository that ``cwd`` lies in.
    """

    host: str
    session: str = ""
    agent_id: str | None = None
    agent_type: str | None = None
    parent: str | None = None
    prompt_id: str | None = None
    tool_use_id: str | None = None
    cwd: str = ""
    repository: str | None = None

    @property
    def agent(self) -> str:
        """The name that a contract is looked up by: the agent's type, or the main thread."""
        return self.agent_type or MAIN_THREAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, or is about to.

    ``kind`` is the normalised name. ``native`` is the host's own payload, whole and untouched;
    ``unknown`` names the fields in it that we do not know, ``problems`` what had the wrong
    shape. ``received_ns`` is wall-clock time in nanoseconds since the epoch.
    """

    KIND: ClassVar[str] = ""

    identity: Identity
    received_ns: int = 0
    native: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unknown: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    transcript_path: str = ""
    permission_mode: str = ""
    host_config: str = ""
    """The host's own configuration directory, where its environment names one."""
    environment: str = ""
    """The names of the host's variables, commas between them; empty: nobody knows them."""
    entrypoint: str = ""
    """How the host was started, by its own word (``cli``, ``sdk-cli`` …); empty: unknown."""

    @property
    def kind(self) -> str:
        """The normalised name of what happened."""
        return self.KIND

    @property
    def tool(self) -> str:
        """The name of the tool, or the empty string."""
        return ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that this event says it is about, as the host wrote them."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event that this version has no name for: passed through and recorded."""

    name: str = ""

    @property
    def kind(self) -> str:
        """The host's own name."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEvent(Event):
    """What all events about one tool call share."""

    tool_name: str = ""
    tool_input: Mapping[str, Any] = field(default_factory=dict)
    mcp_server: Mapping[str, Any] | None = None

    @property
    def tool(self) -> str:
        """The name of the tool."""
        return self.tool_name

    @property
    def paths(self) -> tuple[str, ...]:
        """The file that the call's input names, if it names one."""
        found = (self.tool_input.get(key) for key in ("file_path", "notebook_path", "path"))
        return tuple(value for value in found if isinstance(value, str))[:1]
