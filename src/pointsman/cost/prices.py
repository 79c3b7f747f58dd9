"""Prices of messages, from a pinned table (genai-prices) and the user's own file before it.

The table is 35 MB once it is loaded, and takes a quarter of a second: it is loaded with the first
message that has to be priced. Its ``input_tokens`` include the tokens of the cache, a host's do
not; its ``cache_write_tokens`` include those that are kept for an hour.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pointsman.cost.models import ALIASES, Sold, sold
from pointsman.cost.price_file import OwnPrices, read_prices
from pointsman.model.errors import ConfigError
from pointsman.model.usage import Cost, Usage

TABLE = "genai-prices"
_VARIANTS = {"fast": {"speed": "fast"}, "batch": {"processing": "batch"}}
"""How the table names what is sold at another price."""


@lru_cache(maxsize=1)
def table_version() -> str:
    """Return the name and the version of the table."""
    from importlib.metadata import version  # noqa: PLC0415 - as dear as all the rest of this room

    return f"{TABLE} {version(TABLE)}"


class Prices:
    """Prices by the user's file, read again when it changes, and by the table.

    ``complain`` is told, once for each state of the file, that it does not check out. While it
    does not, nothing has a price: which of the messages it means nobody can know.
    """

    def __init__(self, path: Path, complain: Callable[[ConfigError], None]) -> None:
        self._path = path
        self._complain = complain
        self._stamp: object = None
        self._own: OwnPrices | None = OwnPrices()

    def refresh(self) -> bool:
        """Read the user's file where it has changed; return whether it had."""
        try:
            found = self._path.stat()
            stamp: object = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            stamp = ()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._own = read_prices(self._path)
        except ConfigError as error:
            self._own = None
            self._complain(error)
        return True

    def of(self, usage: Usage) -> Cost:
        """Return what a message costs; no price where its model is unknown."""
        own = self._own
        if own is None:
            return Cost(usd=None, prices=f"{self._path} (not in force)")
        model = sold(usage.model, {**ALIASES, **own.aliases})
        usd = own.usd(usage, usage.model, model.model, model.base)
        if usd is not None:
            return Cost(usd=usd, prices=own.version)
        return Cost(usd=_listed(model, usage), prices=table_version())


def _listed(model: Sold, usage: Usage) -> float | None:
    """Return the price by the table, or ``None`` where it does not know the model."""
    from genai_prices import Usage as Tokens  # noqa: PLC0415 - heavy: see the top
    from genai_prices import calc_price  # noqa: PLC0415

    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    tokens = Tokens(
        input_tokens=usage.context_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=written,
        cache_write_1h_tokens=usage.cache_write_1h_tokens,
        web_searches=usage.web_searches,
    )
    when = datetime.fromtimestamp(usage.at_ns / 1e9, UTC) if usage.at_ns else None
    context = _VARIANTS.get(usage.speed)
    given: dict[str, Any] = {"genai_request_timestamp": when, "price_context": context}
    try:
        # The maker's own list has exact names; a seller's would take a part of one for it.
        found = calc_price(tokens, model.base, provider_id="anthropic", **given)
        if model.provider != "anthropic":
            found = calc_price(tokens, model.model, provider_id=model.provider, **given)
    except (LookupError, ValueError):
        return None
    return float(found.total_price)
