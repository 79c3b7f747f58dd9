"""A repository makes the detectors find more, and never less."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.merge import merge
from pointsman.config.settings import parse_settings
from pointsman.config.watch_settings import merge_watch
from pointsman.model.watching import DETECTORS, HIGHER

ALL = [(name, key) for name, watched in DETECTORS.items() for key in watched.thresholds]


def checked(text: str) -> list[str]:
    return [problem.key for problem in parse_settings("c.toml", text.encode()).problems]


@pytest.mark.parametrize(("name", "key"), ALL)
def test_every_threshold_can_be_set_within_its_bounds(name: str, key: str) -> None:
    threshold = DETECTORS[name].thresholds[key]
    text = f"[watch.{name}]\n{key} = "
    for value in (threshold.default, threshold.low, threshold.high):
        assert checked(f"{text}{value:.12g}\n") == []
    assert checked(f"{text}{threshold.high * 2:.12g}\n") == [f"watch.{name}.{key}"]
    assert checked(f"{text}true\n") == [f"watch.{name}.{key}"]


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_can_be_switched_off_by_the_user_alone(name: str) -> None:
    off: dict[str, Any] = {name: {"enabled": False}}
    refused: list[tuple[tuple[str, ...], Any, str]] = []
    assert checked(f"[watch.{name}]\nenabled = false\n") == []
    assert merge_watch(off, {}, refused) == off
    assert refused == []
    assert merge_watch({}, off, refused)[name] == {}
    assert [at for at, _, _ in refused] == [("watch", name, "enabled")]
    assert merge_watch(off, {name: {"enabled": True}}, refused)[name]["enabled"] is True


@given(st.sampled_from(ALL), st.integers(2, 90), st.integers(2, 90))
def test_the_stricter_of_both_is_in_force(at: tuple[str, str], mine: int, theirs: int) -> None:
    name, key = at
    refused: list[tuple[tuple[str, ...], Any, str]] = []
    found = merge_watch({name: {key: mine}}, {name: {key: theirs}}, refused)[name][key]
    higher = DETECTORS[name].thresholds[key].stricter == HIGHER
    assert found == (max if higher else min)(mine, theirs)
    assert bool(refused) == (found != theirs)


def test_what_holds_for_all() -> None:
    refused: list[tuple[tuple[str, ...], Any, str]] = []
    assert merge_watch({}, {"enabled": False, "repeat_after": 10}, refused) == {"repeat_after": 10}
    assert merge_watch({}, {"repeat_after": 900}, refused) == {}
    assert [at for at, _, _ in refused] == [("watch", "enabled"), ("watch", "repeat_after")]
    assert merge_watch({"enabled": False}, {"enabled": True}, refused) == {"enabled": True}
    assert checked("[watch]\nsometimes = 1\n[watch.nobody]\nwarn = 1\n") == [
        "watch.sometimes", "watch.nobody",
    ]  # fmt: skip


def test_what_was_read_stays_as_it_is() -> None:
    user = {"watch": {"cycle": {"warn": 5}}}
    merged = merge(user, {"watch": {"cycle": {"warn": 2}}})
    assert merged.watch == {"cycle": {"warn": 2}}
    assert user == {"watch": {"cycle": {"warn": 5}}}
