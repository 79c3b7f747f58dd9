"""A value is kept as a secret in one environment and lies open, or is pinned, in the other."""

from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.preflight.environments_code import Read
from pointsman.preflight.environments_compare import Aspect, differ
from pointsman.preflight.environments_model import Difference, Pair, Rank, Sort, Source, Variable

_OPEN = frozenset({Source.LITERAL, Source.IMAGE, Source.CONFIG})


def _run(pair: Pair, _: dict[str, Read]) -> Iterator[Difference]:
    for name in sorted(pair.left.variables.keys() & pair.right.variables.keys()):
        left, right = pair.left.variables[name], pair.right.variables[name]
        sides = (_told(left), _told(right))
        place = (right.file, right.line)
        if Source.SECRET in {left.source, right.source} and left.source is not right.source:
            rank = Rank.BEHAVIOUR if _deployed(pair) or right.source in _OPEN else Rank.DIFFERS
            yield differ(ASPECT, rank, place, f"{name} comes from a secret in one only", sides)
        elif left.ref and right.ref and (left.ref.endswith(":latest") != right.ref.endswith(
            ":latest")):  # fmt: skip
            yield differ(ASPECT, Rank.BEHAVIOUR, place,
                         f"{name} is the latest version in one, and a fixed one in the other",
                         sides)  # fmt: skip
        elif right.secret and right.mark and right.mark == left.mark and _deployed(pair):
            yield differ(ASPECT, Rank.BEHAVIOUR, place, f"{name} is the same secret in both", sides)
        elif right.secret and right.mark and right.source in _OPEN and not right.empty:
            yield differ(ASPECT, Rank.BEHAVIOUR, place,
                         f"{name} is a secret and stands as plain text in {pair.right.label}",
                         sides)  # fmt: skip


def _deployed(pair: Pair) -> bool:
    return pair.left.sort is Sort.DEPLOYED and pair.right.sort is Sort.DEPLOYED


def _told(found: Variable) -> str:
    return f"{found.source}" + (f" {found.ref}" if found.ref else "")


ASPECT = Aspect(
    id="compare-secrets",
    level=Level.WARNING,
    why="A secret that is read in another way is renewed in another way, and needs another role "
    "(roles/secretmanager.secretAccessor on Google Cloud).",
    source="Cloud Run: configure secrets for services; Kubernetes: good practices for Secrets",
    fix="take it from the secret store in both, each from a secret of its own",
    run=_run,
)
