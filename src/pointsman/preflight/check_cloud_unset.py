"""The program reads a variable that its deployment does not set."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Check, Need
from pointsman.preflight.check_env_reserved import keeps
from pointsman.preflight.environments_code import Read
from pointsman.preflight.environments_model import Difference, Environment, Rank, address_of
from pointsman.preflight.environments_program import Program, fault, on_deployed

RANKS = {Need.START: Rank.START, Need.REQUEST: Rank.REQUEST, Need.MAYBE: Rank.BEHAVIOUR,
         Need.DEFAULT: Rank.DIFFERS}  # fmt: skip
_LATER = "GOOGLE_APPLICATION_CREDENTIALS"
"""Nothing sets it where a service account is attached, which is as it should be."""


def faults(environment: Environment, program: Program) -> Iterator[Difference]:
    """Yield every variable that is read and not set, nor put there by the platform."""
    for name, read in program.reads.items():
        target = environment.target
        found = environment.variables.get(name)
        if (found and not found.optional) or name == _LATER or (target and keeps(target, name)):
            continue
        rank = rank_of(read)
        if environment.unknown and rank.level is Level.ERROR:
            rank = Rank.BEHAVIOUR
        known = environment.unknown
        unless = f", unless it is among what is not known ({known})" if known else ""
        where = f"{environment.label} does not set it{unless}"
        yield fault(
            CHECK, rank, (read.file, read.line),
            f"{name} is read here{_otherwise(read)} and {where}",
            f"set {name} in {environment.file}, from a secret where it is one",
        )  # fmt: skip


def rank_of(read: Read) -> Rank:
    """Return what breaks where a variable is not set."""
    address = address_of(read.fallback)
    if address is not None and (address.loopback or address.private):
        return Rank.REQUEST
    return RANKS[read.need]


def _otherwise(read: Read) -> str:
    address = address_of(read.fallback)
    if address is not None and (address.loopback or address.private):
        return f", {address.host} is used without it"
    words = {Need.MAYBE: ", without a default", Need.DEFAULT: ", with a default"}
    return words.get(read.need, ", as one that must be there")


CHECK = Check(
    id="cloud-unset",
    level=Level.ERROR,
    why="On one's own machine the shell or a .env file sets it; where the program is deployed "
    "neither is there.",
    source="container contract of Cloud Run; containers get the variables of their manifest only",
    fix="set it in the manifest",
    run=on_deployed(faults),
)
