"""Processors, memory, instances and limits are others."""

import re
from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Target
from pointsman.preflight.environments_code import Read
from pointsman.preflight.environments_compare import Aspect, differ
from pointsman.preflight.environments_model import Difference, Environment, Pair, Rank, Sort

_DEFAULTS = {
    (Target.CLOUD_RUN, "memory"): "512Mi", (Target.CLOUD_RUN, "cpu"): "1",
    (Target.CLOUD_RUN, "concurrency"): "80", (Target.CLOUD_RUN, "timeout"): "300",
    (Target.LAMBDA, "memory"): "128Mi", (Target.LAMBDA, "timeout"): "3",
}  # fmt: skip
"""What a platform gives where nothing is said, by its documentation."""
_SIZED = ("cpu", "memory")
_SAME = ("min", "max", "replicas", "concurrency", "timeout", "session-affinity", "cpu-throttling",
         "execution-environment", "read-only")  # fmt: skip
_UNITS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20,
          "Gi": 2**30, "m": 2**20, "g": 2**30, "MB": 10**6, "GB": 10**9}  # fmt: skip


def amount(key: str, text: str) -> float | None:
    """Return a quantity as a number of processors or bytes; ``None`` where it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    if found is None:
        return None
    number, unit = float(found.group(1)), found.group(2)
    if key == "cpu":
        return number / 1000 if unit == "m" else number
    return number * _UNITS[unit] if unit in _UNITS else None


def _run(pair: Pair, _: dict[str, Read]) -> Iterator[Difference]:
    for key in _SIZED:
        left, right = _of(pair.left, key), _of(pair.right, key)
        here, there = amount(key, left), amount(key, right)
        if here is None or there is None:
            if left != right and pair.left.sort is not Sort.LOCAL:
                yield differ(ASPECT, Rank.BEHAVIOUR, pair.right.place(key),
                             f"{key} is limited in one only", _told(left, right))  # fmt: skip
        elif here != there:
            # One's own machine nearly always has more; it counts where the rest is little.
            little = key == "memory" and there <= 512 * 2**20 and here >= 4 * there
            lower = there < here and (pair.left.sort is not Sort.LOCAL or little)
            rank = Rank.BEHAVIOUR if lower or pair.mirror else Rank.DIFFERS
            yield differ(ASPECT, rank, pair.right.place(key), f"{key} differs", _told(left, right))
    if Sort.LOCAL in {pair.left.sort, pair.right.sort}:
        return
    for key in _SAME:
        left, right = _of(pair.left, key), _of(pair.right, key)
        if left != right and (pair.mirror or (left and right) or key == "read-only"):
            yield differ(ASPECT, Rank.BEHAVIOUR, pair.right.place(key), f"{key} differs",
                         _told(left, right))  # fmt: skip


def _of(environment: Environment, key: str) -> str:
    said = environment.fact(key).removesuffix("s") if key == "timeout" else environment.fact(key)
    target = environment.target
    return said or (_DEFAULTS.get((target, key), "") if target else "")


def _told(left: str, right: str) -> tuple[str, str]:
    return left or "not said", right or "not said"


ASPECT = Aspect(
    id="compare-resources",
    level=Level.WARNING,
    why="A process that takes more memory than it is given is ended; with other limits another "
    "thing gives way first, so that a test in one says little about the other.",
    source="Cloud Run: memory limits, CPU, concurrency, request timeout (defaults 512 MiB, 1, 80, "
    "300 s); AWS Lambda quotas (defaults 128 MB, 3 s); Kubernetes: resource management",
    fix="give both the same, or say in the description why they differ",
    run=_run,
)
