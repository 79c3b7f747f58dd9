"""The program is somebody else in the other environment, and may do other things."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Target
from pointsman.preflight.environments_code import Read
from pointsman.preflight.environments_compare import Aspect, differ
from pointsman.preflight.environments_model import (
    Difference,
    Environment,
    Pair,
    Rank,
    Sort,
    Source,
)

_ACCESSOR = "roles/secretmanager.secretAccessor"
_MAY_READ = frozenset({_ACCESSOR, "roles/secretmanager.admin", "roles/owner"})


def _run(pair: Pair, _: dict[str, Read]) -> Iterator[Difference]:
    left, right = pair.left, pair.right
    yield from _roles(pair)
    named = (left.fact("identity"), right.fact("identity"))
    sides = (_who(left), _who(right))
    if left.sort is Sort.LOCAL and right.sort is Sort.DEPLOYED and right.target:
        yield differ(ASPECT, Rank.BEHAVIOUR, right.place("identity"),
                     "a person's credentials here are a service account's there: what it may do "
                     "is not checked by trying it here", sides)  # fmt: skip
    elif bool(named[0]) != bool(named[1]) and right.sort is Sort.DEPLOYED:
        yield differ(ASPECT, Rank.BEHAVIOUR, right.place("identity"),
                     "a service account is named in one only", sides)  # fmt: skip
    elif named[0] != named[1] and not pair.mirror:
        yield differ(ASPECT, Rank.DIFFERS, right.place("identity"),
                     "the identities are different", sides)  # fmt: skip
    users = (left.fact("user"), right.fact("user"))
    if users[0] != users[1] and right.sort is not Sort.LOCAL and left.sort is not Sort.LOCAL:
        yield differ(ASPECT, Rank.BEHAVIOUR, right.place("user"),
                     "the process runs as another user of the system",
                     (users[0] or "the image's", users[1] or "the image's"))  # fmt: skip


def _roles(pair: Pair) -> Iterator[Difference]:
    left, right = pair.left.roles, pair.right.roles
    place = (pair.right.file, pair.right.line)
    if right is None:
        return
    for role in sorted(set(left or ()) - set(right)):
        yield differ(ASPECT, Rank.REQUEST, place,
                     f"{role} is granted in {pair.left.label} and not in {pair.right.label}",
                     ("granted", "not granted"))  # fmt: skip
    for role in sorted(set(right) - set(left or right)):
        yield differ(ASPECT, Rank.BEHAVIOUR, place,
                     f"{role} is granted in {pair.right.label} only", ("not granted", "granted")
                     )  # fmt: skip
    kept = [each.name for each in pair.right.variables.values() if each.source is Source.SECRET]
    on_google = pair.right.target in {Target.CLOUD_RUN, Target.FUNCTIONS, Target.AGENT_ENGINE}
    if kept and on_google and not _MAY_READ.intersection(right) and _ACCESSOR not in (left or ()):
        yield differ(ASPECT, Rank.START, place,
                     f"{', '.join(sorted(kept))} come from secrets, and the identity has not "
                     f"{_ACCESSOR}", ("", "not granted"))  # fmt: skip


def _who(environment: Environment) -> str:
    if environment.fact("identity"):
        return environment.fact("identity")
    if environment.sort is Sort.DEPLOYED and environment.target:
        return "the platform's default"
    return "the credentials of whoever is logged in"


ASPECT = Aspect(
    id="compare-identity",
    level=Level.WARNING,
    why="A person may usually do more than a service account; what was allowed here is refused "
    "there, at the first request.",
    source="Cloud Run: service identity; Application Default Credentials; google/adk-python#718",
    fix="name a service account, and grant it what the program needs; try it with "
    "gcloud auth application-default login --impersonate-service-account",
    run=_run,
)
