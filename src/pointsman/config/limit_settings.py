"""The settings of limits: how much a run may use. A repository adds limits and takes none away."""

from collections.abc import Iterable, Mapping
from typing import Any

from pointsman.config.specs import Many, Number, Table, Text
from pointsman.model.limit import OF, PER, THEN, UNPRICED, Limit

LIMITS = Many(
    "Hard limits of what runs may use. A repository adds limits; it takes none away.",
    Table(
        "One limit.",
        {
            "per": Text(
                "Whose use is added up: agent (one agent), type (all agents of a type in a "
                "session), task, session, or day (of all sessions; in a repository's file, of that "
                "repository's).",
                PER,
            ),
            "of": Text("What is counted.", OF),
            "at": Number("How much of it.", 0),
            "then": Text(
                "What becomes of the next call: warn (the agent is told, once), ask (a person "
                "decides about each), deny (none runs) or end (the run ends).",
                THEN,
            ),
            "agents": Many(
                "The agents that it stops (* and ?), main is the main thread. Default: all.",
                Text("A pattern."),
                fewest=1,
            ),
            "unpriced": Text(
                "What becomes of a call under a limit of usd while a model of it has no price. "
                "Default: ask (warn where then = warn).",
                UNPRICED,
            ),
        },
        needed=("per", "of", "at", "then"),
    ),
)


def limits_of(
    user: tuple[str, Iterable[Mapping[str, Any]]], own: tuple[str, Iterable[Mapping[str, Any]]]
) -> tuple[Limit, ...]:
    """Return the user's limits and a repository's, each given with the name of its file."""
    return tuple(
        Limit(
            per=table["per"],
            of=table["of"],
            at=float(table["at"]),
            then=table["then"],
            agents=tuple(table.get("agents", ())),
            unpriced=table.get("unpriced", ""),
            own=bool(theirs),
            source=file,
        )
        for theirs, (file, tables) in enumerate((user, own))
        for table in tables
    )
