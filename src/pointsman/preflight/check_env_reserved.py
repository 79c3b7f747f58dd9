"""A name that the platform keeps for itself is set."""

from collections.abc import Iterator

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, How, Project, Target, Use
from pointsman.preflight.reserved import NAMES, PREFIXES

_SENT_ALONG = frozenset({Target.AGENT_ENGINE, Target.FUNCTIONS})
"""Targets whose deploying tools send the ``.env`` file along (google/adk-python#1185; Firebase)."""
_WORDS = {
    How.DEPLOYED: "is handed to the platform, which refuses it or sets it itself",
    How.IMAGE: "is set in the image; the platform's own value wins over it",
    How.SET: "is overwritten; the platform has put its own value there",
}


def keeps(target: Target, name: str) -> bool:
    """Whether a target keeps a name for itself."""
    return name in NAMES[target] or name.startswith(PREFIXES.get(target, ()))


def _run(project: Project) -> Iterator[Finding]:
    for use in project.uses:
        kept = [each for each in project.targets if keeps(each, use.name)]
        level = _level(use, kept)
        if level is None:
            continue
        where = ", ".join(kept)
        words = _WORDS[use.how]
        if use.how is How.SET and _is_dotenv(use):
            words = "stands in a .env file, which is deployed with the program"
        yield Finding(
            id=CHECK.id, level=level, file=use.file, line=use.line,
            what=f"{use.name} is reserved on {where}, and {words}", why=CHECK.why,
            fix=f"leave it to the platform and remove it here, or, where you mean something of "
            f"your own, name it {project.prefix}{use.name.lstrip('_')}: pointsman preflight --fix",
        )  # fmt: skip


def _level(use: Use, kept: list[Target]) -> Level | None:
    if not kept or use.how is How.READ:
        return None
    if use.how is How.IMAGE:
        # A default for the port to listen on is what many images carry, and it does no harm.
        return Level.WARNING if use.name == "PORT" else Level.ERROR
    if use.how is How.DEPLOYED or (_is_dotenv(use) and _SENT_ALONG.intersection(kept)):
        return Level.ERROR
    return Level.WARNING if use.file.endswith((".py", ".js", ".ts", ".mjs", ".tsx")) else None


def _is_dotenv(use: Use) -> bool:
    name = use.file.rpartition("/")[2]
    return name == ".env" or name.startswith(".env.")


CHECK = Check(
    id="env-reserved",
    level=Level.ERROR,
    why="A deployment that sets a name of the platform's own is rejected, or runs with another "
    "value than the one that was set.",
    source="container contract of Cloud Run; environment variables of Cloud Run functions, of "
    "Firebase (firebase-tools, functions/env.ts), of AWS Lambda; google/adk-python#1185",
    fix="remove the setting, or give the variable a name of your own",
    run=_run,
)
