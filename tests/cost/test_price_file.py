"""The user's own prices: what is wrong with a file is said, all of it at once."""

import os
from pathlib import Path

import pytest

from pointsman.cost.price_file import MOST_BYTES, OwnPrices, read_prices
from pointsman.model.errors import ConfigError


def refused(path: Path, text: str) -> ConfigError:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_prices(path)
    assert str(path) in str(caught.value)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[models", "no TOML"),
        ("models = 3", "models = 3: it is no table"),
        ("[models]\na = 3", "models.a = 3: it is no table"),
        ("[models.a]\ninput = 1", "models.a.output is missing"),
        ("[models.a]\noutput = 1", "models.a.input is missing"),
        ("[models.a]\ninput = 1\noutput = -1", "models.a.output = -1: it is no price"),
        ("[models.a]\ninput = true\noutput = 1", "models.a.input = True: it is no price"),
        ("[models.a]\ninput = nan\noutput = 1", "models.a.input = nan: it is no price"),
        ("[models.a]\ninput = inf\noutput = 1", "models.a.input = inf: it is no price"),
        ("[models.a]\ninput = '1'\noutput = 1", "models.a.input = '1': it is no price"),
        ("[models.a]\ninput = 1\noutput = 1\ncached = 1", "models.a.cached: there is no such"),
        ("[aliases]\na = 3", "aliases.a = 3: it is no model"),
        ("[prices]\na = 3", "prices: there is no such table"),
    ],
)
def test_a_fault_is_named_with_its_place_and_value(tmp_path: Path, text: str, wanted: str) -> None:
    assert wanted in str(refused(tmp_path / "prices.toml", text))


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = "[models.a]\ninput = -1\n[models.b]\noutput = 'x'\n[aliases]\nc = ''"
    said = str(refused(tmp_path / "prices.toml", text))
    for part in ("models.a.input", "models.a.output", "models.b.input", "models.b.output"):
        assert part in said
    assert "aliases.c" in said


def test_what_cannot_be_read_is_no_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_prices(path)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_prices(path)
    path.unlink()
    refused(path, "#" * (MOST_BYTES + 1))


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert read_prices(tmp_path / "prices.toml") == OwnPrices()
