"""The program signs in with a key file or somebody's own credentials."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Check, Target
from pointsman.preflight.environments_habits import Kind
from pointsman.preflight.environments_model import Difference, Environment, Rank, Source
from pointsman.preflight.environments_program import Program, fault, on_deployed

_NAME = "GOOGLE_APPLICATION_CREDENTIALS"
_NO_DEFAULT = "no service account is named, so that it runs as the default one of the project"


def faults(environment: Environment, program: Program) -> Iterator[Difference]:
    """Yield key files that are not there, and a service without an identity of its own."""
    for each in environment.variables.values():
        ours = each.name == _NAME and each.source is not Source.FIELD
        if (ours or each.path) and not environment.mounted(each.path):
            yield fault(CHECK, Rank.REQUEST, (each.file, each.line),
                        f"{each.name} leads to {each.path or 'a file'}, which is not mounted "
                        f"in {environment.label}")  # fmt: skip
    for habit in program.habits:
        if habit.kind is Kind.KEY_FILE and not habit.main and not environment.mounted(habit.text):
            yield fault(CHECK, Rank.REQUEST, (habit.file, habit.line),
                        f"a key is taken from {habit.text}, which is not mounted in "
                        f"{environment.label}")  # fmt: skip
    if environment.target is Target.CLOUD_RUN and not environment.fact("identity"):
        yield fault(CHECK, Rank.BEHAVIOUR, (environment.file, environment.line),
                    f"{environment.label}: {_NO_DEFAULT}",
                    "name a service account with the roles that it needs, and no more"
                    )  # fmt: skip


CHECK = Check(
    id="cloud-credentials",
    level=Level.ERROR,
    why="On one's own machine a person's credentials are found; where it is deployed the program "
    "is a service account, and the file is not there.",
    source="Google Cloud: how Application Default Credentials works; Cloud Run: service identity; "
    "google/adk-python#718",
    fix="take the setting and the file away: attached service accounts are found without",
    run=on_deployed(faults),
)
