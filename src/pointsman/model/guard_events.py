"""Events at which a host waits for a yes or a no, by the name each host gives them.

The clients carry the same names (a test holds them to this list): on these events every failure
ends in a stop; on all others it ends in a pass and a record.
"""

GUARD_EVENTS = frozenset(
    {
        "PreToolUse",
        "PermissionRequest",
        "UserPromptSubmit",
        "UserPromptExpansion",
        "ConfigChange",
        "BeforeTool",
        "beforeShellExecution",
        "beforeMCPExecution",
        "beforeReadFile",
    }
)
"""Stop, SubagentStop and the like are not among them: there a refusal makes the agent go on."""
