"""The settings of cost: whether the host's transcripts are read for it."""

from pointsman.config.specs import Flag, Number, Table
from pointsman.model.usage import USAGE_DAYS

COST = Table(
    "What models have used (docs/cost.md). Only the user's own file may set these.",
    {
        "enabled": Flag(
            "Whether the daemon reads the host's transcripts for it. Where a limit of tokens or "
            "usd stands in the user's file it does in any case. Default: true."
        ),
        "retention_days": Number(
            f"Days for which usage is kept. Default: {USAGE_DAYS}.", 32, 36_500, whole=True
        ),
    },
)
