"""Every setting there is, once: what checks a file, the JSON Schema and the reference read this."""

from typing import Any

from pointsman.config.alert_settings import ALERTS
from pointsman.config.approval_settings import APPROVALS
from pointsman.config.context_settings import CONTEXT
from pointsman.config.cost_settings import COST
from pointsman.config.dashboard_settings import DASHBOARD
from pointsman.config.guidance_settings import TABLES as GUIDANCE
from pointsman.config.ledger_settings import LEDGER
from pointsman.config.limit_settings import LIMITS
from pointsman.config.mcp_settings import MCP_HEALTH
from pointsman.config.secret_settings import CREDENTIALS, SECRET_GUARDS
from pointsman.config.server_settings import CODE_SERVERS
from pointsman.config.specs import Anything, Flag, Many, Number, Table, Text
from pointsman.config.team_settings import ROLES, TEAM
from pointsman.config.telemetry_settings import TELEMETRY
from pointsman.config.watch_settings import WATCH
from pointsman.model.budget import DEFAULT_BUDGETS, LONGEST, OTHER_EVENTS
from pointsman.model.confinement import MECHANISMS
from pointsman.model.events import DERIVED_EVENTS, HOST_EVENTS
from pointsman.model.hook import Role
from pointsman.paths.globs import check

EVENT_NAMES = (*HOST_EVENTS, *DERIVED_EVENTS)
SHIPPED_NAMES = (
    "canary", "scope", "command-safety", "self-protection", "spawn", "blocked-by", "roles",
    "completion", "briefing", "secrets", "secret-output", "credentials", "proof",
    "kernel-refusal", "limits", "stopped", "alert-notice", "expertise",
    "conventions", "convention-files", "handoff", "mcp-health", "mcp-breaker", "dependencies",
)  # fmt: skip
# Written out, as config may not import hooks (.importlinter); a test holds the two together.
RULE_NAMES = (
    "rm-tree", "find-delete", "tree-by-code", "rm-system-file", "shred", "chmod-tree", "chmod-open",
    "move-system", "git-store", "snapshot-delete", "write-system-file", "git-reset-hard",
    "git-discard", "git-clean", "git-push-force", "git-branch-delete", "git-tag-delete",
    "git-rm-force", "git-stash-drop", "git-history", "git-rewrite", "git-runs", "git-config",
    "git-remote", "git-no-verify", "git-hidden", "git-submodule", "disk-write", "disk-format",
    "disk-detach", "download-and-run", "download-and-eval", "download-then-run",
    "descriptor-run", "nesting", "words-as-code", "reverse-shell", "reverse-shell-socket",
    "reverse-shell-code", "secret-sent", "secret-environment", "address-leak", "files-sent",
    "archive-elsewhere", "raw-socket", "way-in", "tunnel", "fork-bomb", "power", "kill-all",
    "kill-by-name", "service-stop", "network-off", "clock", "root-shell", "set-uid",
    "capability", "who-is-root", "accounts", "immutable", "kernel", "kernel-setting",
    "name-space", "firewall", "security-off", "let-in", "start-file", "git-hook", "schedule",
    "crontab", "history", "traces", "log-tampering", "package-publish", "package-remove",
    "package-remove-all", "package-source", "package-unverified", "container-host",
    "container-prune", "container-remove", "cluster-delete", "infrastructure-destroy",
    "cloud-delete", "cloud-access", "http-delete", "sql-destroy", "sql-program", "document-destroy",
    "keys-destroy", "database-drop", "database-reset", "metadata-service", "secret-print",
    "secret-write", "secret-variable", "process-memory", "secret-read", "agent-guard",
    "agent-guard-package", "agent-settings", "agent-settings-handed", "agent-settings-link",
    "agent-code", "agent-unguarded", "installed-program", "shell-environment", "pack.files",
    "pack.git", "pack.disks", "pack.downloads", "pack.reverse-shells", "pack.network",
    "pack.processes", "pack.privilege", "pack.persistence", "pack.packages", "pack.cloud",
    "pack.databases", "pack.secrets", "pack.agents", "unverified",
)  # fmt: skip
"""The rules of command-safety: a name that is mistyped must not pass for a rule that is tuned."""


def _name_fault(name: str) -> str:
    if name in SHIPPED_NAMES:
        return "it is the name of a guard that is shipped"
    if name.startswith("repo:"):
        return "names that begin with repo: are those of a repository's hooks"
    return "" if name.isprintable() and len(name) <= 100 else "it is no short printable text"


def _tool_fault(pattern: str) -> str:
    fixed = pattern.partition("*")[0].partition("?")[0].partition("[")[0]
    stem = "mcp__"
    # A wildcard may stand for a part of the stem; what is written out has to begin with it.
    meets = fixed.startswith(stem) or (fixed != pattern and stem.startswith(fixed))
    return "" if meets else "it matches the name of no MCP tool"


_ENABLED = Flag("Whether the guard is asked. Only the user's file may turn one off. Default: true.")
_SWITCH = {"enabled": _ENABLED}
_RULE = Text("deny, ask or off.", ("deny", "ask", "off"))
_EVENT = Text("The name of an event, or * for all.", (*EVENT_NAMES, "*"))

HOOK = Table(
    "A hook of your own: an executable that reads the event as JSON on stdin.",
    {
        "name": Text("What the record calls it.", fault=_name_fault, fix="choose another name"),
        "role": Text("guard, enricher or observer.", tuple(role.value for role in Role)),
        "events": Many("The events it is asked about.", _EVENT, fewest=1),
        "tools": Many("Patterns of tool names (* and ?). Default: all.", Text("A pattern.")),
        "command": Many("The program and its arguments; no shell.", Text("A word."), fewest=1),
        "budget": Number("Seconds one run may take. Default: the event's.", 0, LONGEST),
        "settings": Table("What the hook itself wants to be told.", others=Anything("Any value.")),
    },
    needed=("name", "role", "events", "command"),
)

SETTINGS = Table(
    "Settings of Pointsman.",
    {
        "budgets": Table(
            "Seconds that one hook run may take, by event. Defaults: "
            + ", ".join(f"{name} {seconds:g}" for name, seconds in DEFAULT_BUDGETS.items())
            + f", every other event {OTHER_EVENTS:g}.",
            {name: Number(f"Seconds for a hook on {name}.", 0, LONGEST) for name in EVENT_NAMES},
        ),
        "guards": Table(
            "The guards that are shipped.",
            {
                "scope": Table("Holds edits to the agent's contract.", {"enabled": _ENABLED}),
                "proof": Table(
                    "Finds what a call changed outside the contract, and puts it back.",
                    {"enabled": _ENABLED},
                ),
                "command-safety": Table(
                    "Stops destructive shell commands.",
                    {
                        "enabled": _ENABLED,
                        "rules": Table(
                            "What becomes of a rule, by its id. Default: as the rule says.",
                            dict.fromkeys(RULE_NAMES, _RULE),
                        ),
                    },
                ),
                "limits": Table("Holds runs to the limits below.", _SWITCH),
                "spawn": Table("Holds the start of an agent to its contract.", _SWITCH),
                "blocked-by": Table("Holds agents until those before them are done.", _SWITCH),
                "roles": Table("Holds agents to the tools of their role.", _SWITCH),
                "completion": Table("Checks what an agent leaves behind.", _SWITCH),
                "briefing": Table("Tells an agent its contract when it starts.", _SWITCH),
                "expertise": Table("Tells agents what is known of their domain.", _SWITCH),
                "conventions": Table("Holds edits to confirmed conventions.", _SWITCH),
                "convention-files": Table("Names missing and contradictory files.", _SWITCH),
                "handoff": Table("Gives a brief to the session after /clear.", _SWITCH),
                "kernel-refusal": Table("Tells an agent what the kernel refused it.", _SWITCH),
                "self-protection": Table(
                    "Keeps settings, contracts and the record out of an agent's reach.",
                    {
                        "enabled": _ENABLED,
                        "paths": Many(
                            "Globs of further files to keep.",
                            Text("A glob.", fault=check, fix="mend the glob"),
                        ),
                    },
                ),
                **SECRET_GUARDS,
            },
        ),
        "mcp_writers": Many(
            "MCP tools that change files.",
            Table(
                "One tool, or a pattern of tools.",
                {
                    "tool": Text(
                        "The tool's name (mcp__server__tool), or a pattern.",
                        fault=_tool_fault,
                        fix="write mcp__server__tool",
                    ),
                    "paths": Many("The inputs that hold paths.", Text("A key."), fewest=1),
                },
                needed=("tool", "paths"),
            ),
        ),
        "credentials": CREDENTIALS,
        "hooks": Many("Hooks of your own that are executables.", HOOK, unique="name"),
        "roles": ROLES,
        "team": TEAM,
        "escalation": Table(
            "When something that went wrong becomes an ErrorEscalation.",
            {
                "denial_burst": Number("So many denials … Default: 5.", 2, 10_000, whole=True),
                "window": Number("… within so many seconds. Default: 60.", 0, 86_400),
                "repeat_after": Number(
                    "Seconds before the same cause is raised again. Default: 300.", 0, 86_400
                ),
            },
        ),
        "approvals": APPROVALS,
        "limits": LIMITS,
        "watch": WATCH,
        "alerts": ALERTS,
        "cost": COST,
        "context": CONTEXT,
        "dashboard": DASHBOARD,
        "mcp_health": MCP_HEALTH,
        "telemetry": TELEMETRY,
        "code_servers": CODE_SERVERS,
        "sandbox": Table(
            "Shell commands on their way through pointsman-exec.",
            {
                "enabled": Flag(
                    "Whether `init` puts it in place and the kernel holds agents to their "
                    "contracts. Only the user's file may say no. Default: true."
                ),
                "mechanism": Text(
                    "What holds them: the first that works of bubblewrap and landlock (auto), or "
                    "that one alone. Only the user's file may say so. Default: auto.",
                    ("auto", *MECHANISMS),
                ),
            },
        ),
        "ledger": LEDGER,
        **GUIDANCE,
    },
)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a settings file, as published in docs/config.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pointsman settings",
        **SETTINGS.schema(),
    }
