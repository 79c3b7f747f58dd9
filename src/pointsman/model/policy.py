"""What the settings amount to for one repository: user's and repository's, merged and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.model.budget import DEFAULT_BUDGETS, OTHER_EVENTS
from pointsman.model.contract import AgentCard, Contract, ToolRule
from pointsman.model.credential import Credential
from pointsman.model.hook import Role
from pointsman.model.limit import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a settings file, with what to do about it."""

    file: str
    line: int
    key: str
    value: str
    message: str
    fix: str

    def __str__(self) -> str:
        """Render as ``file:line: key = value: message; fix``."""
        return f"{self.file}:{self.line}: {self.key} = {self.value}: {self.message}; {self.fix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class McpWriter:
    """An MCP tool that changes files: a pattern of its name, and the inputs that hold paths."""

    tool: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredHook:
    """A hook that a settings file or a trusted hook file declares.

    Either ``command`` (an executable and its arguments) or ``file`` and ``function`` (a Python
    file and the function in it) say what runs. ``base`` is the directory it runs in, ``theirs``
    whether a repository declares it. ``sources`` are the files that may be run or imported, by
    the hash of what they must hold. ``skip`` is a reason not to run it; ``broken`` one why it
    cannot be run though it should be, which for a guard is a hard stop; ``tampered`` says that
    it was trusted once and is no longer what was trusted: for a guard a hard stop as well.
    """

    name: str
    role: Role
    events: tuple[str, ...]
    tools: tuple[str, ...] = ()
    budget: float | None = None
    command: tuple[str, ...] = ()
    file: str = ""
    function: str = ""
    base: str = ""
    theirs: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    skip: str = ""
    broken: str = ""
    tampered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that the settings say, ready to be used.

    ``guards`` maps the name of a guard that we ship to its own table (``enabled`` and whatever
    else it knows). ``own_budgets`` are those without the repository's word: what keeps the time
    of the user's own enrichers and observers, which a shorter one would silence. ``problems``
    are the findings of files that are *not* in force because they do not check out; the last
    good ones are.
    """

    repository: str | None = None
    budgets: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_BUDGETS))
    own_budgets: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_BUDGETS))
    guards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mcp_writers: tuple[McpWriter, ...] = ()
    hooks: tuple[DeclaredHook, ...] = ()
    credentials: tuple[Credential, ...] = ()
    contracts: Mapping[str, tuple[Contract, ...]] = field(default_factory=dict)
    agents: Mapping[str, tuple[AgentCard, ...]] = field(default_factory=dict)
    roles: tuple[ToolRule, ...] = ()
    team: Mapping[str, Any] = field(default_factory=dict)
    escalation: Mapping[str, Any] = field(default_factory=dict)
    approvals: Mapping[str, Any] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    watch: Mapping[str, Any] = field(default_factory=dict)
    """What the settings say of the detectors, a table for each (``model/watching.py``)."""
    cost: Mapping[str, Any] = field(default_factory=dict)
    guidance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What agents are told: a table for ``expertise`` and each of its like."""
    dashboard: Mapping[str, Any] = field(default_factory=dict)
    code_servers: Mapping[str, Any] = field(default_factory=dict)
    alerts: Mapping[str, Any] = field(default_factory=dict)
    telemetry: Mapping[str, Any] = field(default_factory=dict)
    mcp_health: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    retention_days: int = 90
    ledger: Mapping[str, Any] = field(default_factory=dict)
    """The rest of what is said of the audit trail."""
    sandbox: bool = True
    mechanism: str = "auto"
    """Whether commands of agents with a contract are held by the kernel."""
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    """Every settings and contract file that was read, canonical: what self-protection covers."""

    def budget(self, kind: str) -> float:
        """Return the seconds that a hook on this kind of event has by default."""
        return self.budgets.get(kind, OTHER_EVENTS)

    def own_budget(self, kind: str) -> float:
        """Return the same without the repository's word."""
        return self.own_budgets.get(kind, OTHER_EVENTS)
