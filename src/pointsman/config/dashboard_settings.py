"""The settings of the dashboard: whether there is one, and where."""

from pointsman.config.specs import Flag, Number, Table

DASHBOARD = Table(
    "The dashboard on 127.0.0.1. Only the user's own file may set these.",
    {
        "enabled": Flag("Whether the daemon offers it. Default: true."),
        "port": Number(
            "Its port. Default: a free one, and the same again next time.", 1, 65_535, whole=True
        ),
    },
)
