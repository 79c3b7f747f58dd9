"""The settings of what goes out and comes in: sinks, figures, the host's own telemetry."""

from pointsman.config.specs import Flag, Many, Number, Table, Text

SINKS = ("otlp", "file", "webhook")
SIGNALS = ("traces", "metrics", "logs")


def _target_fault(text: str) -> str:
    # Which of the two it must be says the kind, which this check does not see.
    if text.startswith("/"):
        return ""
    scheme, _, rest = text.partition("://")
    if scheme not in {"http", "https"} or not rest.partition("/")[0]:
        return "it is neither an absolute path nor an http or https URL"
    return "it has a user or a password in it" if "@" in rest.partition("/")[0] else ""


def _path_fault(text: str) -> str:
    return "" if text.startswith("/") else "it is no absolute path"


_PATH = "write the whole path"
_SINK = Table(
    "One place.",
    {
        "name": Text(
            "What status and the record call it.",
            fault=lambda text: "" if text.isidentifier() else "it is no plain word",
            fix="write letters, digits and _",
        ),
        "kind": Text(
            "otlp: a collector that takes OTLP over HTTP as JSON; file: JSON lines; webhook: "
            "signed HTTP requests.",
            SINKS,
        ),
        "to": Text(
            "otlp: its base URL, without /v1/…; webhook: the URL; file: the path.",
            fault=_target_fault,
            fix="write it as http://127.0.0.1:4318 or /path/events.jsonl",
        ),
        "signals": Many(
            "otlp: what it is sent. Default: all three.", Text("A signal.", SIGNALS), fewest=1
        ),
        "headers": Table(
            "Headers of every request; file:/path stands for what is in that file.",
            others=Text("A value."),
        ),
        "secret_file": Text(
            "webhook: the file of the secret that signs.", fault=_path_fault, fix=_PATH
        ),
        "events": Many("file, webhook: only these events. Default: all.", Text("An event.")),
        "decisions": Many(
            "file, webhook: only what was decided so. Default: all.",
            Text("A decision.", ("allow", "deny", "ask", "modify", "none")),
        ),
        "payloads": Flag("file, webhook: with what the host sent. Default: false."),
        "timeout": Number("Seconds that one request may take. Default: 10.", 0, 120),
        "max_mb": Number(
            "file: megabytes after which it begins anew. Default: 100.", 1, 100_000, whole=True
        ),
        "keep": Number("file: how many full ones are kept. Default: 5.", 1, 1000, whole=True),
    },
    needed=("name", "kind", "to"),
)
TELEMETRY = Table(
    "What goes out and comes in (docs/telemetry.md). Only the user's own file may set these.",
    {
        "sinks": Many("Where the record is sent as it grows.", _SINK, unique="name"),
        "backfill_hours": Number(
            "A new sink begins with what is that many hours old. Default: 1.", 0, 876_000
        ),
        "metrics_seconds": Number("How often figures are sent. Default: 60.", 1, 86_400),
        "prometheus": Flag("Whether /metrics is served on 127.0.0.1. Default: false."),
        "receive": Flag(
            "Whether OTLP over HTTP as JSON is taken from the host on 127.0.0.1. Default: false."
        ),
        "port": Number(
            "The port of both. Default: a free one, and the same again next time.",
            1, 65_535, whole=True,
        ),
    },
)  # fmt: skip
