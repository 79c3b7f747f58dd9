"""Scoring of command safety."""

import pytest
from bench.corpus import rates, score

ROWS = [
    {"command": "rm -rf /", "expected": "block", "family": "files"},
    {"command": "ls", "expected": "block", "family": "files"},
    {"command": "ls", "expected": "allow", "family": "harmless"},
]


def test_outcomes_are_counted_by_family() -> None:
    counts, spent = score(ROWS)
    assert counts["files"] == {"block deny": 1, "block none": 1}
    assert counts["harmless"] == {"allow none": 1}
    assert counts["all"] == counts["files"] + counts["harmless"]
    assert len(spent) == len(ROWS)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        ({"block deny": 3, "block ask": 1}, (1.0, 0.0)),
        ({"block deny": 3, "block none": 1, "allow none": 1, "allow ask": 1}, (0.75, 0.5)),
        ({}, (1.0, 0.0)),
    ],
)
def test_rates(count: dict[str, int], expected: tuple[float, float]) -> None:
    assert rates(count) == expected


def test_what_is_wrong_is_shown_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    score(ROWS, show_wrong=True)
    assert capsys.readouterr().out == "block none files ls\n"
