"""The settings of the audit trail: how long, signed by which key, and sent where."""

from pointsman.config.specs import Many, Number, Table, Text

SINKS = ("file", "git-note", "syslog", "http")


def _path_fault(text: str) -> str:
    return "" if text.startswith("/") else "it is no absolute path"


LEDGER = Table(
    "The audit trail. Only the user's own file may set these.",
    {
        "retention_days": Number(
            "Days for which events are kept. Default: 90.", 1, 36_500, whole=True
        ),
        "key": Text(
            "The file of the key that signs checkpoints. Default: keys/ledger-private-key.pem in "
            "the state directory.",
            fault=_path_fault,
            fix="write the whole path",
        ),
        "checkpoint_records": Number(
            "Entries after which a checkpoint is made. Default: 1000.", 1, 1_000_000, whole=True
        ),
        "checkpoint_seconds": Number(
            "Seconds after which one is made whether anything came or not. Default: 60.", 1, 86_400
        ),
        "sinks": Many(
            "Where checkpoints are sent, besides the file beside the ledger.",
            Table(
                "One place.",
                {
                    "kind": Text("What it is.", SINKS),
                    "to": Text(
                        "file: the path; git-note: the path of a repository; syslog: a socket's "
                        "path or host:port (UDP); http: the URL."
                    ),
                    "push": Text("git-note: the remote that the notes are pushed to."),
                },
                needed=("kind", "to"),
            ),
        ),
    },
)
