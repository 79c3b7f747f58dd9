"""The checks of asyncio on the corpus: every fault on its line, and nothing else."""

from pathlib import Path

import pytest

from .async_corpus import OURS, Case, cases, told

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_fault_on_its_line_and_nothing_else(tmp_path: Path, case: Case) -> None:
    assert told(case, tmp_path) == case.faults


def test_the_corpus_is_large_and_has_both_sides() -> None:
    marked = {check for case in CASES for _, _, check in case.faults}
    assert marked == {f"async-{each}" for each in OURS}
    assert sum(bool(case.faults) for case in CASES) >= 40
    assert sum(not case.faults for case in CASES) >= 30
    assert all(("honest" in case.name) != bool(case.faults) for case in CASES)
