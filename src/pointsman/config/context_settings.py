"""The settings of what an agent is told before it edits a file."""

from pointsman.config.specs import Flag, Number, Table
from pointsman.model.bundle import DEFAULT_TOKENS, MOST_TOKENS, SERVER_MS

CONTEXT = Table(
    "What an agent is told before it changes a file (docs/context.md). Only the user's own file "
    "may set this.",
    {
        "enabled": Flag("Whether it is told anything. Default: true."),
        "tokens": Number(
            f"Tokens of one such text at the most. Default: {DEFAULT_TOKENS}.",
            50,
            MOST_TOKENS,
            whole=True,
        ),
        "server_ms": Number(
            "Milliseconds that language servers have to answer; 0: they are not asked. "
            f"Default: {SERVER_MS}.",
            0,
            5000,
        ),
        "compare": Flag(
            "Whether every other session, by the hash of its id, is told nothing, to compare the "
            "two with `pointsman context --outcomes`. Default: false."
        ),
    },
)
