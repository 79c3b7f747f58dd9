"""What is deployed leads to an address that only one's own machine or network knows."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Check
from pointsman.preflight.environments_compose import is_compose
from pointsman.preflight.environments_find import environments
from pointsman.preflight.environments_habits import Kind
from pointsman.preflight.environments_model import Address, Difference, Environment, Rank
from pointsman.preflight.environments_program import Program, fault, on_deployed

_LISTENS = ("HOST", "BIND", "LISTEN", "ADDRESS", "PORT")
"""A name that ends so says where the program listens, which is another check's."""


def faults(environment: Environment, program: Program) -> Iterator[Difference]:
    """Yield variables and calls that lead to this machine, a private network, Compose's names."""
    names = {each.name for each in environments(program.files) if is_compose(each.file)}
    names -= {each.name for each in environments(program.files) if not is_compose(each.file)}
    for each in environment.variables.values():
        found = each.address
        if found is None or ("ORIGIN" in each.name) or _is_bind(each.name, found):
            continue
        made = _rank(environment, found, names)
        if made is not None:
            rank, why = made
            yield fault(CHECK, rank, (each.file, each.line),
                        f"{each.name} leads to {found}, {why}")  # fmt: skip
    for habit in program.habits:
        made = _rank(environment, Address(habit.host, habit.port), names)
        if habit.kind is Kind.CALL and made is not None and not habit.main:
            yield fault(CHECK, made[0], (habit.file, habit.line),
                        f"{habit.text} is written in the program, {made[1]}",
                        "read it from a variable, and set that by environment")  # fmt: skip


def _is_bind(name: str, found: Address) -> bool:
    bare = name in _LISTENS or name.endswith(("_BIND", "_LISTEN", "BIND_ADDRESS", "LISTEN_HOST"))
    return bare or found.host == "0.0.0.0"  # noqa: S104 - compared, not bound


def _rank(environment: Environment, found: Address, names: set[str]) -> tuple[Rank, str] | None:
    if found.loopback:
        if environment.beside:
            return Rank.DIFFERS, "which has to be one of the containers beside it"
        return Rank.REQUEST, "where nothing else listens once it is deployed"
    if found.private:
        if environment.fact("vpc"):
            return Rank.DIFFERS, "which is reached through the network that is attached"
        rank = Rank.BEHAVIOUR if environment.target == "kubernetes" else Rank.REQUEST
        return rank, "an address of a private network that is not attached"
    if found.host in names:
        return Rank.REQUEST, "a name that only Compose knows"
    return None


CHECK = Check(
    id="cloud-address",
    level=Level.ERROR,
    why="A container has a localhost of its own, and a platform reaches private networks only "
    "where it was attached to them.",
    source="container contract of Cloud Run; Cloud Run: connect to a VPC network",
    fix="set the address of the service that is meant there, or attach the network",
    run=on_deployed(faults),
)
