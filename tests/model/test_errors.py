"""One root, a tree that is drawn where it stands, and a next step in every error."""

import inspect

import pytest

from pointsman.model import errors
from pointsman.model.errors import PointsmanError

CLASSES = [each for _, each in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: str(kind.__name__))
def test_every_error_has_the_root_and_carries_its_fix(kind: type[PointsmanError]) -> None:
    error = kind("it is wrong", fix="pointsman doctor")
    assert isinstance(error, PointsmanError)
    assert (str(error), error.fix) == ("it is wrong", "pointsman doctor")


def test_the_tree_at_the_top_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    for kind in CLASSES:
        (line,) = [line for line in drawn.splitlines() if kind.__name__ in line.split()]
        depth = line.index(kind.__name__) // 4
        assert depth == len(kind.__mro__) - len(PointsmanError.__mro__), kind
