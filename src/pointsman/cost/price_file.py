"""The user's own prices: models that no table knows, and prices that are not the list's."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pointsman.model.errors import ConfigError
from pointsman.model.usage import Usage
from pointsman.paths.content import read_regular

MOST_BYTES = 256 * 1024
_MOST_USD = 10_000
_RATES = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_5m_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
}
_NEEDED = ("input", "output")
# What the maker's own list asks for the cache, in parts of the price of input.
_CACHE = {"cache_read": 0.1, "cache_write_5m": 1.25, "cache_write_1h": 2.0}


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """What the file says. ``models`` hold dollars per million tokens by kind of token."""

    version: str = ""
    models: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def usd(self, usage: Usage, *names: str) -> float | None:
        """Return the price of a message by the first of these names that has one here."""
        for name in names:
            rates = self.models.get(name)
            if rates is not None:
                tokens = {rate: int(getattr(usage, kind)) for rate, kind in _RATES.items()}
                return sum(tokens[rate] * rates[rate] for rate in _RATES) / 1e6
        return None


def read_prices(path: Path) -> OwnPrices:
    """Read the user's prices; a file that is not there holds none.

    Raises:
        ConfigError: it cannot be read or does not check out; every fault is named.
    """
    try:
        data = read_regular(str(path), MOST_BYTES)
    except FileNotFoundError:
        return OwnPrices()
    except OSError as error:
        raise ConfigError(
            f"the prices in {path} cannot be read: {error.strerror}", fix=f"ls -l {path}"
        ) from error
    try:
        values = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no TOML: {error}", fix=f"mend the syntax of {path}") from None
    faults: list[str] = []
    models = _models(values.pop("models", {}), faults)
    aliases = _aliases(values.pop("aliases", {}), faults)
    faults += [f"{key}: there is no such table; write [models] or [aliases]" for key in values]
    if faults:
        raise ConfigError(f"{path}: {'; '.join(faults)}", fix=f"mend {path}, then: pointsman cost")
    return OwnPrices(f"{path} {hashlib.sha256(data).hexdigest()[:12]}", models, aliases)


def _models(table: object, faults: list[str]) -> dict[str, dict[str, float]]:
    if not isinstance(table, dict):
        faults.append(f"models = {table!r:.80}: it is no table; write [models.NAME]")
        return {}
    return {name: _rates(f"models.{name}", rates, faults) for name, rates in table.items()}


def _rates(at: str, table: Any, faults: list[str]) -> dict[str, float]:
    if not isinstance(table, dict):
        faults.append(f"{at} = {table!r:.80}: it is no table; write [{at}]")
        return {}
    rates: dict[str, float] = {}
    for key, value in table.items():
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if key not in _RATES:
            faults.append(f"{at}.{key}: there is no such price; write one of {', '.join(_RATES)}")
        elif not good or not 0 <= value <= _MOST_USD:
            faults.append(f"{at}.{key} = {value!r:.80}: it is no price; write dollars per million")
        else:
            rates[key] = float(value)
    missing = (key for key in _NEEDED if key not in table)
    faults.extend(f"{at}.{key} is missing: dollars per million tokens" for key in missing)
    base = rates.get("input", 0.0)
    return {**{key: base * factor for key, factor in _CACHE.items()}, **rates}


def _aliases(table: object, faults: list[str]) -> dict[str, str]:
    if not isinstance(table, dict):
        faults.append(f"aliases = {table!r:.80}: it is no table; write [aliases]")
        return {}
    found = {}
    for name, model in table.items():
        if isinstance(model, str) and model:
            found[name] = model
        else:
            faults.append(f"aliases.{name} = {model!r:.80}: it is no model; write its id in quotes")
    return found
