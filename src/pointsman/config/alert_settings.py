"""The settings of alerts: how long they live, when it is quiet, and who is told."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pointsman.config.specs import Flag, Many, Number, Table, Text

KINDS = ("desktop", "webhook", "apprise")
# Written out, as config may not import alerts (.importlinter); a test holds the two together.
_WEEK = 7 * 24 * 60
_LEAST = Text("warning or critical.", ("warning", "critical"))
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _zone_fault(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "this machine knows no such time zone"
    return ""


def _hour_fault(text: str) -> str:
    good = re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text)
    return "" if good else "it is no time of day"


def _path_fault(text: str) -> str:
    return "" if text.startswith("/") else "it is no absolute path"


def _name_fault(name: str) -> str:
    good = re.fullmatch(r"[A-Za-z0-9][\w.-]{0,63}", name)
    return "" if good else "it is no short name of letters, digits, dots and dashes"


def _hour(doc: str) -> Text:
    return Text(doc, fault=_hour_fault, fix='write it as "22:00"')


_NAME = Text("What it is called.", fault=_name_fault, fix="choose another name")

_SINK = Table(
    "Whom to tell.",
    {
        "name": _NAME,
        "kind": Text(
            "desktop (notify-send), webhook (a signed POST) or apprise (the services of that "
            "package: pip install 'pointsman[apprise]').",
            KINDS,
        ),
        "to": Text("The URL of a webhook, or apprise's own."),
        "to_file": Text(
            "A file that holds apprise's URL instead, as it has a password in it.",
            fault=_path_fault,
            fix="write the whole path",
        ),
        "secret_file": Text(
            "The file that holds the secret which signs a webhook's calls.",
            fault=_path_fault,
            fix="write the whole path",
        ),
        "least": Text(
            "warning: tell it all alerts; critical: only those. Default: warning.",
            ("warning", "critical"),
        ),
        "only_ladder": Flag("Whether only the ladder tells it. Default: false."),
    },
    needed=("name", "kind"),
)

_RUNG = Table(
    "A rung of the ladder.",
    {
        "after": Number("Minutes in which nobody has taken the alert up.", 0, _WEEK),
        "sinks": Many("The names of the sinks that are told. Default: all.", _NAME),
        "least": _LEAST,
        "do": Text(
            "What is done beside that: stop-agent or stop-session. Default: nothing.",
            ("stop-agent", "stop-session"),
        ),
    },
    needed=("after",),
)

ALERTS = Table(
    "What becomes of what was found wrong. Only the user's own file may set these.",
    {
        "enabled": Flag("Whether alerts are kept and told. Default: true."),
        "terminal": Flag(
            "Whether a session that somebody sits at shows them, each once. Default: true."
        ),
        "recover_after": Number(
            "Minutes after which an alert is over that is not seen any more. Default: 30.",
            0,
            _WEEK,
        ),
        "cool_down": Number(
            "Minutes in which what comes back is the same alert, and nobody is told again. "
            "Default: 10.",
            0,
            _WEEK,
        ),
        "time_zone": Text(
            "Of the quiet hours, such as Europe/Berlin. Default: this machine's.",
            fault=_zone_fault,
            fix="write it as Area/City",
        ),
        "quiet": Many(
            "Hours in which warnings wait; what is critical passes.",
            Table(
                "Hours of a day.",
                {
                    "from": _hour("When they begin."),
                    "to": _hour("When they end; before the beginning: on the next day."),
                    "days": Many(
                        "The days on which they begin. Default: all.",
                        Text("A day.", _DAYS),
                        fewest=1,
                    ),
                },
                needed=("from", "to"),
            ),
        ),
        "ladder": Many("What happens while nobody takes an alert up.", _RUNG),
        "sinks": Many("Who is told.", _SINK, unique="name"),
    },
)
