"""What the package offers to those who write hooks: this, and nothing else."""

import inspect

import pointsman


def test_all_is_what_is_exposed() -> None:
    exposed = {
        name
        for name, value in vars(pointsman).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert exposed | {"__version__"} == set(pointsman.__all__)
    assert pointsman.__all__ == sorted(pointsman.__all__)


def test_every_name_says_what_it_does() -> None:
    for name in set(pointsman.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(pointsman, name)), name
