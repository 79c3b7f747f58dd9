"""Python, images or packages have other versions."""

import re
from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.preflight.check_cloud_python import version_of
from pointsman.preflight.environments_code import Read
from pointsman.preflight.environments_compare import Aspect, differ
from pointsman.preflight.environments_model import Difference, Environment, Pair, Rank, Sort
from pointsman.preflight.environments_packages import pinned


def _run(pair: Pair, _: dict[str, Read]) -> Iterator[Difference]:
    left, right = version_of(pair.left), version_of(pair.right)
    place = pair.right.place("python" if pair.right.fact("python") else "runtime")
    if left and right and left != right:
        yield differ(ASPECT, Rank.BEHAVIOUR, place, "Python is another version", (left, right))
    images = (_image(pair.left), _image(pair.right))
    if all(images) and images[0] != images[1] and Sort.LOCAL not in {pair.left.sort,
                                                                    pair.right.sort}:  # fmt: skip
        yield differ(ASPECT, Rank.BEHAVIOUR if pair.mirror else Rank.DIFFERS,
                     pair.right.place("image"), "the images are different", images)  # fmt: skip
    yield from _packages(pair)


def _packages(pair: Pair) -> Iterator[Difference]:
    here = pair.left.packages or pinned(pair.files, pair.left)
    there = pair.right.packages or pinned(pair.files, pair.right)
    if not here or not there:
        return
    for name in sorted(here.keys() | there.keys()):
        left, right = here.get(name, ""), there.get(name, "")
        place = (pair.right.file, pair.right.line)
        if left and right and left != right:
            far = left.split(".")[0] != right.split(".")[0]
            yield differ(ASPECT, Rank.BEHAVIOUR if far else Rank.DIFFERS, place,
                         f"package {name} is another version", (left, right))  # fmt: skip
        elif left and not right and pair.right.packages:
            yield differ(ASPECT, Rank.START, place,
                         f"package {name} is in {pair.left.label} and not in {pair.right.label}",
                         (left, "not there"))  # fmt: skip


def _image(environment: Environment) -> str:
    """Return an image without its registry's path and without what says which stage it is of."""
    text = environment.fact("image").rpartition("/")[2]
    return re.sub(r"(?i)[-_.:]?(?:staging|stage|stg|production|prod)", "", text)


ASPECT = Aspect(
    id="compare-versions",
    level=Level.WARNING,
    why="Syntax, defaults and bugs differ by version; what was tried with one is not known of the "
    "other.",
    source="Python: what is new, by version; Python packaging: requires-python",
    fix="use the same image or lock file in both",
    run=_run,
)
