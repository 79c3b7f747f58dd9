"""Figures as one table, for a person."""

from collections.abc import Sequence

from bench.figures import Figure

HEAD = ("measure", "figure", "goal", "met", "made of")
_MET = {True: "yes", False: "NO", None: "-"}


def render(figures: Sequence[Figure]) -> str:
    """Return the table, a line per figure."""
    rows = [HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD) - 1)]
    return "\n".join(_line(row, widths) for row in rows)


def value(figure: Figure) -> str:
    """Return the figure with its unit."""
    if figure.value is None:
        return "not had"
    return f"{number(figure.value)} {figure.unit}".rstrip()


def goal(figure: Figure) -> str:
    """Return the goal, or a dash."""
    if figure.goal is None:
        return "-"
    return f"{'≥' if figure.at_least else '≤'} {number(figure.goal)}"


def number(given: float) -> str:
    """Return a number as a person would write it."""
    if abs(given) >= 1000:
        return f"{given:,.0f}".replace(",", " ")
    return f"{given:.3g}" if abs(given) < 1 else f"{given:.2f}".rstrip("0").rstrip(".")


def _row(figure: Figure) -> tuple[str, ...]:
    made_of = figure.reason or ", ".join(
        f"{key} {number(each) if isinstance(each, (int, float)) else each}"
        for key, each in figure.detail.items()
    )
    return (figure.name, value(figure), goal(figure), _MET[figure.met], made_of)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
    return "  ".join([*cells, row[-1]]).rstrip()
