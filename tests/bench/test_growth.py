"""What is made of the times of growing inputs; the clock is never part of it."""

from collections.abc import Callable

import pytest
from bench.cases import Case
from bench.growth import Doubling
from bench.inputs import COMMANDS, CONTRACTS, PATHS, PAYLOADS, Shape
from bench.rig import Effort, rig

from bench import cases, growth
from pointsman.hooks.all_hooks import SHIPPED


def costs(monkeypatch: pytest.MonkeyPatch, seconds: Callable[[int], float]) -> Case:
    """Return a case that costs what a function of its size says."""
    case = Case("given", lambda size, number: lambda: None, 1 << 16)
    monkeypatch.setattr(growth, "_once", lambda case, size, number: seconds(size))
    return case


def test_linear_is_two(monkeypatch: pytest.MonkeyPatch) -> None:
    case = costs(monkeypatch, lambda size: size * 1e-6)
    found = growth.worst_doubling(case, Effort())
    assert found is not None
    assert found.ratio == pytest.approx(2.0)


def test_square_is_four(monkeypatch: pytest.MonkeyPatch) -> None:
    case = costs(monkeypatch, lambda size: size**2 * 1e-8)
    found = growth.worst_doubling(case, Effort())
    assert found is not None
    assert found.ratio == pytest.approx(4.0)


def test_what_never_takes_long_has_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    case = costs(monkeypatch, lambda size: 1e-6)
    assert growth.worst_doubling(case, Effort()) is None


def test_what_had_to_be_ended_is_never_called_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    case = costs(monkeypatch, lambda size: 3.0)
    assert growth.worst_doubling(case, Effort()) == Doubling("given", 8, 1.5, 3.0)


def test_a_call_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def for_ever() -> None:
        while True:
            pass

    monkeypatch.setattr(growth, "_LONGEST_S", 0.01)
    monkeypatch.setattr(growth, "_ENOUGH_S", 0.005)
    case = Case("hangs", lambda size, number: for_ever, 64)
    assert growth.worst_doubling(case, Effort()) == Doubling("hangs", 8, 0.005, 0.01)


def test_a_guard_that_crashes_is_named_and_the_others_are_measured() -> None:
    def crash() -> None:
        raise ValueError("embedded null byte")

    bad = Case("bad", lambda size, number: crash, 64)
    calm = Case("calm", lambda size, number: lambda: None, 64)
    found, crashed = growth._found([bad, calm], Effort())
    assert found == []
    assert crashed == ["bad (ValueError: embedded null byte)"]


def test_a_burst_of_other_work_is_measured_again_and_a_square_stays_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = costs(monkeypatch, lambda size: size * 1e-6)
    burst = Doubling("given", 1024, 0.002, 0.009)
    assert growth._second_look(case, burst, Effort()).ratio == pytest.approx(2.0)
    case = costs(monkeypatch, lambda size: size**2 * 1e-8)
    square = Doubling("given", 1024, 0.01, 0.04)
    assert growth._second_look(case, square, Effort()).ratio == pytest.approx(4.0)


@pytest.mark.parametrize("shape", [*COMMANDS, *PATHS, *PAYLOADS], ids=lambda shape: shape.name)
def test_inputs_grow_with_the_size_and_differ_by_number(shape: Shape) -> None:
    small, large = len(shape.text(1024, 1)), len(shape.text(2048, 1))
    assert 1.6 < (large - 200) / (small - 200) < 2.7
    assert shape.text(1024, 1) != shape.text(1024, 2)


@pytest.mark.parametrize("name", CONTRACTS)
def test_contracts_grow_with_the_size_and_differ_by_number(name: str) -> None:
    patterns = CONTRACTS[name]
    assert len(patterns(2048, 1)) == 2 * len(patterns(1024, 1))
    assert set(patterns(1024, 1)).isdisjoint(patterns(1024, 2))


def test_every_shipped_guard_is_given_growing_input() -> None:
    with rig() as made:
        for guard in SHIPPED:
            assert cases.cases_of(guard, made), guard


@pytest.mark.parametrize("shapes", [COMMANDS, PATHS, PAYLOADS])
def test_each_input_has_a_name_of_its_own(shapes: tuple[Shape, ...]) -> None:
    names = [shape.name for shape in shapes]
    assert sorted(set(names)) == sorted(names)


def test_what_is_promised_to_be_measured_is() -> None:
    names = {shape.name for shape in COMMANDS}
    assert {"spaces", "semicolons", "$( opened", "parentheses opened", "pipes"} <= names
    assert "one long argument" in names
