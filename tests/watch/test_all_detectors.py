"""The table, the settings and the page know the same detectors."""

import re
from pathlib import Path

import pytest

from pointsman.model.watching import DETECTORS, HIGHER, LOWER, UNGUARDED, thresholds
from pointsman.watch.all_detectors import ALL

PAGE = (Path(__file__).parents[2] / "docs/watching.md").read_text(encoding="utf-8")


def test_every_detector_has_its_settings_and_its_section() -> None:
    watching = dict.fromkeys(row.name for row in ALL)
    assert [*watching, UNGUARDED] == list(DETECTORS)
    assert re.findall(r"^### `([\w-]+)`$", PAGE, re.MULTILINE) == list(DETECTORS)


@pytest.mark.parametrize("name", DETECTORS)
def test_the_page_gives_every_threshold_with_its_default_and_its_stricter_way(name: str) -> None:
    section = PAGE.split(f"### `{name}`\n")[1].split("\n### ")[0].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (\w+) \|", section, re.MULTILINE)
    given = DETECTORS[name].thresholds
    assert [row[0] for row in rows] == list(given)
    for key, default, stricter in rows:
        assert float(default) == given[key].default, key
        assert stricter == given[key].stricter, key
        assert given[key].stricter in {LOWER, HIGHER}
        assert given[key].low <= given[key].default <= given[key].high


@pytest.mark.parametrize("row", ALL, ids=lambda row: f"{row.name}-{row.scope.value}")
def test_a_detector_is_made_of_its_defaults(row: object) -> None:
    name = row.name  # type: ignore[attr-defined]
    made = row.make(thresholds(name, {}), {})  # type: ignore[attr-defined]
    assert dict(made.limits) == {
        key: one.default for key, one in DETECTORS[name].thresholds.items()
    }
    assert type(made).__doc__


def test_only_known_numbers_are_taken_from_the_settings() -> None:
    found = thresholds("repetition", {"warn": 7, "enabled": False, "other": 1, "critical": "x"})
    assert found == {"warn": 7, "critical": 10}
