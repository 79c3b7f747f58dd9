"""The two are reached, and reach others, in different ways."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.preflight.environments_code import Read
from pointsman.preflight.environments_compare import Aspect, differ
from pointsman.preflight.environments_model import Address, Difference, Pair, Rank, Sort

_SAME = ("vpc", "egress", "ingress", "cloudsql")


def _run(pair: Pair, _: dict[str, Read]) -> Iterator[Difference]:
    for name in sorted(pair.left.variables.keys() & pair.right.variables.keys()):
        left, right = pair.left.variables[name], pair.right.variables[name]
        if left.address and right.address and _kind(left.address) != _kind(right.address):
            near = pair.right.sort is Sort.LOCAL or not right.address.loopback
            rank = Rank.BEHAVIOUR if near else Rank.REQUEST
            yield differ(ASPECT, rank, (right.file, right.line),
                         f"{name} leads to another kind of network",
                         (_kind(left.address), _kind(right.address)))  # fmt: skip
    ports = (pair.left.fact("port"), pair.right.fact("port"))
    if all(ports) and ports[0] != ports[1]:
        yield differ(ASPECT, Rank.BEHAVIOUR, pair.right.place("port"), "the ports are different",
                     ports)  # fmt: skip
    if Sort.LOCAL in {pair.left.sort, pair.right.sort}:
        return
    for key in _SAME:
        left_said, right_said = pair.left.fact(key), pair.right.fact(key)
        if bool(left_said) != bool(right_said) or (key in {"egress", "ingress"}
                                                   and left_said != right_said):  # fmt: skip
            yield differ(ASPECT, Rank.BEHAVIOUR, pair.right.place(key), f"{key} differs",
                         (left_said or "not said", right_said or "not said"))  # fmt: skip


def _kind(found: Address) -> str:
    if found.loopback:
        return "this machine"
    return "a private network" if found.private else "a name or public address"


ASPECT = Aspect(
    id="compare-network",
    level=Level.WARNING,
    why="localhost is another machine in each environment, and a private network is reached only "
    "where it is attached.",
    source="container contract of Cloud Run; Cloud Run: connect to a VPC network",
    fix="let both reach their services in the same way, by name",
    run=_run,
)
