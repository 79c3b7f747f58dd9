"""The settings of the guards of secrets."""

from pointsman.config.specs import Flag, Many, Table, Text

_ENABLED = Flag("Whether the hook is asked. Only the user's file may turn one off. Default: true.")
_ACTION = Text("deny, ask or off.", ("deny", "ask", "off"))

SECRET_GUARDS = {
    "secrets": Table(
        "Stops secrets in commands, written files and prompts.",
        {
            "enabled": _ENABLED,
            "rules": Table(
                "What becomes of one, by where it is, or by its kind (github-pat …).",
                {
                    "in-command": Text("In a shell command.", ("deny", "ask", "off")),
                    "in-file": Text("In the text that is added to a file.", ("deny", "ask", "off")),
                    "in-prompt": Text(
                        "In a prompt; ask: its author and the model are told. Default: ask.",
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
}
