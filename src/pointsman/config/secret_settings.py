"""The settings of the guards of secrets and credentials."""

from collections.abc import Iterable, Mapping
from typing import Any

from pointsman.config.specs import Flag, Many, Table, Text
from pointsman.model.credential import Credential

_ENABLED = Flag("Whether the hook is asked. Only the user's file may turn one off. Default: true.")
_ACTION = Text("deny, ask or off.", ("deny", "ask", "off"))

SECRET_GUARDS = {
    "secrets": Table(
        "Stops secrets in commands, written files, prompts and what is sent elsewhere.",
        {
            "enabled": _ENABLED,
            "rules": Table(
                "What becomes of one, by where it is, or by its kind (github-pat …).",
                {
                    "in-command": Text("In a shell command.", ("deny", "ask", "off")),
                    "in-file": Text("In the text that is added to a file.", ("deny", "ask", "off")),
                    "in-prompt": Text(
                        "In a prompt; ask: its author and the model are told. Default: ask; for "
                        "the prompt of a subagent: deny.",
                        ("deny", "ask", "off"),
                    ),
                    "in-call": Text(
                        "In what is sent to an MCP server, a web page or another session.",
                        ("deny", "ask", "off"),
                    ),
                },
                others=_ACTION,
            ),
            "allow": Many(
                "What may pass: the hash in a mark, or a glob of files. Only in the user's file.",
                Text("A hash of eight digits, or a glob."),
            ),
        },
    ),
    "secret-output": Table(
        "Covers secrets in a tool's output before the model sees it.", {"enabled": _ENABLED}
    ),
    "credentials": Table(
        "Tells which credential a tool lacks, or must not have, before it runs.",
        {
            "enabled": _ENABLED,
            "rules": Table(
                "What becomes of one: missing, forbidden, or the name of a program (gh …).",
                {
                    "missing": Text(
                        "Default: deny where it is declared, else the model is told.",
                        ("deny", "ask", "off"),
                    ),
                    "forbidden": Text("Default: deny.", ("deny", "ask", "off")),
                },
                others=_ACTION,
            ),
        },
    ),
}

_NAME = Text(
    "The name of a variable.",
    fault=lambda name: "" if name.isidentifier() else "it is no name of a variable",
    fix="write it without $ and =",
)

CREDENTIALS = Many(
    "Credentials that tools need, or must not have.",
    Table(
        "One tool or command; give one of the two.",
        {
            "tool": Text("A pattern of tool names, such as mcp__github__*."),
            "command": Text("A pattern of shell commands, such as gh *."),
            "env": Many("Names of variables.", _NAME),
            "files": Many("Paths; ~/ is the home.", Text("A path.")),
            "any": Flag("Whether one of them is enough; else all are needed. Default: true."),
            "forbidden": Flag("Whether there must be none of them. Default: false."),
            "hint": Text("What a person does to give it."),
        },
    ),
)


def credentials_of(tables: Iterable[Mapping[str, Any]]) -> tuple[Credential, ...]:
    """Return what the settings declare."""
    return tuple(
        Credential(**{key: _frozen(value) for key, value in table.items()}) for table in tables
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
