"""Prices by the pinned table, and by the user's own file before it."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.cost.prices import Prices, table_version
from pointsman.model.errors import ConfigError
from pointsman.model.usage import Usage

TOKENS = {
    "input_tokens": 23,
    "output_tokens": 123,
    "cache_read_tokens": 36_300,
    "cache_write_5m_tokens": 1421,
    "cache_write_1h_tokens": 609,
}


def use(model: str, **more: Any) -> Usage:
    given: dict[str, Any] = {"at_ns": 1_795_560_461 * 10**9, **TOKENS, **more}
    return Usage(host="h", session="s", message_id="m", model=model, **given)


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    return fresh(tmp_path / "prices.toml")


def fresh(path: Path) -> Prices:
    faults: list[ConfigError] = []
    made = Prices(path, faults.append)
    made.refresh()
    assert not faults
    return made


def usd(prices: Prices, model: str, **more: Any) -> float | None:
    return prices.of(use(model, **more)).usd


def test_the_hosts_own_price_is_met(prices: Prices) -> None:
    # What client 2.1.330 said of the same tokens.
    assert usd(prices, "claude-opus-5-5") == pytest.approx(0.021789, abs=1e-12)
    assert prices.of(use("claude-opus-5-5")).prices == table_version() == "genai-prices 0.2.3"
    searched = usd(prices, "claude-opus-5-5", web_searches=2)
    assert searched == pytest.approx(0.021789 + 0.02, abs=1e-12)


def test_an_hour_in_the_cache_costs_more_than_five_minutes(prices: Prices) -> None:
    minutes = usd(prices, "claude-opus-5-5", cache_write_1h_tokens=0, cache_write_5m_tokens=2030)
    hours = usd(prices, "claude-opus-5-5", cache_write_1h_tokens=2030, cache_write_5m_tokens=0)
    assert minutes is not None
    assert hours is not None
    assert hours - minutes == pytest.approx(2030 * 3e-6)


def test_fast_is_dearer(prices: Prices) -> None:
    slow, fast = (usd(prices, "claude-opus-5-5", speed=speed) for speed in ("standard", "fast"))
    assert fast == pytest.approx(2 * (slow or 0))


def test_a_batch_costs_half_and_its_searches_what_they_cost(prices: Prices) -> None:
    one, batch = (usd(prices, "claude-opus-5-5", speed=speed) for speed in ("standard", "batch"))
    assert batch == pytest.approx((one or 0) / 2)
    searched = usd(prices, "claude-opus-5-5", speed="batch", web_searches=3)
    assert searched == pytest.approx((batch or 0) + 3 * 0.01)


def test_a_long_context_has_prices_of_its_own(prices: Prices) -> None:
    tokens = {**dict.fromkeys(TOKENS, 0), "input_tokens": 400_000}
    assert usd(prices, "claude-sonnet-4-5-20250929", **tokens) == pytest.approx(400_000 * 6e-6)


@pytest.mark.parametrize(
    "model", ["opus", "claude-opus-5-5[1m]", "claude-opus-5-5-20260901", "claude-opus-5-5@20260901"]
)
def test_other_names_of_a_model_have_its_price(prices: Prices, model: str) -> None:
    assert usd(prices, model) == pytest.approx(0.021789)


def test_a_seller_has_prices_of_its_own(prices: Prices) -> None:
    regional = usd(prices, "us.anthropic.claude-opus-5-5-v1:0")
    assert regional == pytest.approx(0.021789 * 1.1)
    assert usd(prices, "global.anthropic.claude-opus-5-5") == pytest.approx(0.021789)


@pytest.mark.parametrize(
    "model",
    ["wizard-9000", "", "claude-opus-99", "my-claude-opus-5-5", "claude-opus-5-5-turbo@2026",
     "us.anthropic.claude-wizard-v1:0", "x" * 512],
)  # fmt: skip
def test_a_model_that_no_table_knows_has_no_price(prices: Prices, model: str) -> None:
    assert usd(prices, model) is None


def test_own_prices_come_first(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(
        '[models.wizard-9000]\ninput = 10\noutput = 20\n[models."claude-opus-5-5"]\n'
        "input = 1.0\noutput = 0\ncache_read = 0\ncache_write_5m = 0\ncache_write_1h = 0\n"
        '[aliases]\nmage = "wizard-9000"\nopus = "claude-haiku-5-5"\n'
    )
    prices = fresh(path)
    wanted = (23 * 10 + 123 * 20 + 36_300 * 1 + 1421 * 12.5 + 609 * 20) / 1e6
    assert usd(prices, "wizard-9000") == usd(prices, "mage") == pytest.approx(wanted)
    assert usd(prices, "claude-opus-5-5") == pytest.approx(23e-6)
    assert usd(prices, "opus") == usd(prices, "claude-haiku-5-5")
    assert prices.of(use("mage")).prices.startswith(f"{path} ")
    assert prices.of(use("claude-haiku-5-5")).prices == table_version()


def test_a_file_that_does_not_check_out_prices_nothing_until_it_is_mended(tmp_path: Path) -> None:
    path, faults = tmp_path / "prices.toml", list[ConfigError]()
    prices = Prices(path, faults.append)
    assert prices.refresh()
    assert not prices.refresh()
    path.write_text("[models.a]\ninput = 'much'\n")
    assert prices.refresh()
    assert not prices.refresh()
    assert len(faults) == 1
    assert usd(prices, "claude-opus-5-5") is None
    path.write_text("[models.a]\ninput = 1\noutput = 2\n")
    assert prices.refresh()
    assert usd(prices, "claude-opus-5-5") == pytest.approx(0.021789)
