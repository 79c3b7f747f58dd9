"""Our sums beside the host's own."""

import asyncio
from pathlib import Path
from typing import Any

from pointsman.cost.prices import Prices
from pointsman.meter.compare import Comparison, compared
from pointsman.meter.meter import Meter
from pointsman.meter.report import Lens
from pointsman.model.event import Identity
from pointsman.model.events import Stop
from pointsman.store.ledger import Ledger
from pointsman.store.usage_query import Chosen

from .lines import SESSION, line, said, write


def stated(output: int, **more: Any) -> dict[str, Any]:
    used = {"inputTokens": 10, "outputTokens": output, "cacheReadInputTokens": 300,
            "cacheCreationInputTokens": 90, "cacheCreationEphemeral5mInputTokens": 40,
            "cacheCreationEphemeral1hInputTokens": 50, "costUSD": 0.5}  # fmt: skip
    native = {"type": "cost-state", "sessionId": SESSION, "modelUsage": {"claude-opus-5-5": used}}
    return {**native, **more}


def test_the_hosts_newest_word_stands_beside_our_sum(tmp_path: Path) -> None:
    path = write(tmp_path / f"{SESSION}.jsonl", said("a"), stated(1), stated(20))
    prices = Prices(tmp_path / "prices.toml", lambda _error: None)
    lens = Lens(price=prices.of)
    ledger = Ledger.open(tmp_path / "ledger.db")

    async def look() -> None:
        meter = Meter(ledger, prices)
        meter.saw(Stop(identity=Identity(host="claude-code"), transcript_path=str(path)))
        await meter.catch_up()
        await meter.close()

    asyncio.run(look())
    (same,) = compared(ledger.path, (), Chosen(), lens)
    assert not any(getattr(same.rest, name) for name in ("input_tokens", "output_tokens"))
    with path.open("ab") as file:
        file.write(line(stated(70)) + b"\n")
    (more,) = compared(ledger.path, (), Chosen(session=SESSION), lens)
    assert (more.ours.output_tokens, more.theirs.output_tokens) == (20, 70)
    assert more.rest.output_tokens == 50
    assert list(compared(ledger.path, [str(path)], Chosen(), lens)) == [more]
    assert list(compared(ledger.path, (), Chosen(session="another"), lens)) == []
    ledger.close()


def test_a_model_that_no_message_names_is_the_hosts_alone(tmp_path: Path) -> None:
    path = write(tmp_path / f"{SESSION}.jsonl", stated(7))
    lens = Lens(price=Prices(tmp_path / "prices.toml", lambda _error: None).of)
    (found,) = compared(tmp_path / "no.db", [str(path)], Chosen(), lens)
    assert isinstance(found, Comparison)
    assert found.rest == found.theirs
    assert found.as_dict()["host_output_tokens"] == 7
