"""The settings of cost: whether the host's transcripts are read for it."""

from pointsman.config.specs import Flag, Table

COST = Table(
    "What models have used (docs/cost.md). Only the user's own file may set these.",
    {
        "enabled": Flag(
            "Whether the daemon reads the host's transcripts for it. Where a limit of tokens or "
            "usd stands in the user's file it does in any case. Default: true."
        ),
    },
)
