"""The settings of language servers: whether there are any, how many, and for how long."""

from pointsman.config.specs import Flag, Number, Table

CODE_SERVERS = Table(
    "Language servers, which tell more of code than its syntax does. Only the user's own file may "
    "set these.",
    {
        "enabled": Flag("Whether the daemon starts any. Default: true."),
        "most": Number("How many run at the same time. Default: 4.", 1, 64, whole=True),
        "idle_minutes": Number(
            "Minutes without a question after which one is ended. Default: 15.", 1, 1440
        ),
        "memory_mb": Number(
            "Megabytes of memory, with all that it has started, beyond which one is ended. "
            "Default: 1536.",
            64, 1_048_576, whole=True,
        ),
    },
)  # fmt: skip
