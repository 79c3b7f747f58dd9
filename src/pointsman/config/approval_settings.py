"""The settings of approvals: what becomes of a question that nobody is there to answer."""

from pointsman.config.specs import Many, Number, Spec, Table, Text

_WEEK = 7 * 24 * 60
_TERMS: dict[str, Spec] = {
    "wait": Number(
        "Minutes that a question waits for an answer, and that a no stands. Default: 60.", 0, _WEEK
    ),
    "on_timeout": Text(
        "What then: deny, or escalate (a person is told, once, and it waits as long again). "
        "Default: deny.",
        ("deny", "escalate"),
    ),
    "valid_for": Number("Minutes for which a yes is good, for one call. Default: 15.", 0, _WEEK),
}

APPROVALS = Table(
    "Questions to a person. Only the user's own file may set these.",
    {
        "ask": Text(
            "Whom: auto (the host's own prompt; the queue in runs that nobody sits at), host "
            "(always its prompt) or queue (always the queue). Default: auto.",
            ("auto", "host", "queue"),
        ),
        "bind": Text(
            "What a yes is good in: session (the one that asked) or agent (any session of the same "
            "agent in the same directory). Default: session.",
            ("session", "agent"),
        ),
        **_TERMS,
        "rules": Many(
            "Other terms for some rules; the first that fits a rule counts.",
            Table(
                "Terms for the rules of a pattern.",
                {"rule": Text("The id of a rule, or a pattern (* and ?)."), **_TERMS},
                needed=("rule",),
            ),
        ),
    },
)
