"""The table a person reads."""

import pytest
from bench.figures import Figure

from bench import table


def test_a_line_per_figure_with_aligned_columns() -> None:
    figures = [
        Figure(name="short", what="", unit="x", value=1.25, goal=1.3, detail={"runs": 1500}),
        Figure(name="a longer name", what="", unit="x", value=2.5, goal=2.2),
        Figure(name="shown", what="", unit="µs", value=0.1234),
        Figure(name="not here", what="", unit="x", goal=1.1, reason="no client"),
    ]
    assert table.render(figures).splitlines() == [
        "measure        figure    goal   met  made of",
        "short          1.25 x    ≤ 1.3  yes  runs 1 500",
        "a longer name  2.5 x     ≤ 2.2  NO",
        "shown          0.123 µs  -      -",
        "not here       not had   ≤ 1.1  -    no client",
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [(1.0, "1"), (1.305, "1.3"), (20_000.0, "20 000"), (0.5, "0.5"), (0.01234, "0.0123"), (0, "0")],
)
def test_number(given: float, expected: str) -> None:
    assert table.number(given) == expected


def test_a_lower_bound_is_shown_as_one() -> None:
    figure = Figure(name="f", what="", unit="/s", value=3.0, goal=20_000.0, at_least=True)
    assert table.goal(figure) == "≥ 20 000"
