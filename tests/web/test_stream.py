"""The live stream: in order, without a gap, and never longer than it may be."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from approving import question
from pointsman.store.approvals import Approvals, moment
from pointsman.web import stream
from pointsman.web.replies import Cover
from store.records import record

from .conftest import Site

Seen = list[dict[str, Any]]


def parsed(data: bytes) -> dict[str, Any]:
    """Return one message as a browser reads it."""
    lines = [line.partition(": ") for line in data.decode().strip().splitlines()]
    found: dict[str, Any] = {key: value for key, _, value in lines}
    if "data" in found:
        found["data"] = json.loads(found["data"])
    return found


def read(
    site: Site, start: int | None, enough: Callable[[Seen], bool], meanwhile: Callable[[], None]
) -> Seen:
    """Read until there is enough; ``meanwhile`` is done once the stream has begun."""

    async def run() -> Seen:
        seen: Seen = []
        gone = False

        async def is_gone() -> bool:
            return gone

        places = site.places
        messages = stream.messages(places, Cover(places.state), start, is_gone)
        async for message in messages:
            if not seen:
                meanwhile()
            seen.append(parsed(message))
            gone = enough(seen)
        return seen

    async def within() -> Seen:
        return await asyncio.wait_for(run(), 60)

    return asyncio.run(within())


def numbers(seen: Seen) -> list[int]:
    return [row["seq"] for each in seen if each.get("event") == "events" for row in each["data"]]


def nothing() -> None:
    """Do nothing meanwhile."""


def test_it_begins_with_the_present_and_goes_on(site: Site) -> None:
    seen = read(site, None, lambda seen: bool(numbers(seen)), lambda: _append(site, 2))
    assert numbers(seen)[0] == 6
    assert seen[0] == {"retry": "1000"}


def test_it_goes_on_behind_the_last_one_that_was_had(site: Site) -> None:
    seen = read(site, 2, lambda seen: len(numbers(seen)) >= 5, lambda: _append(site, 2))
    assert numbers(seen) == [3, 4, 5, 6, 7]
    ids = [int(each["id"]) for each in seen if each.get("event") == "events"]
    assert ids[-1] == 7
    assert not [each for each in seen if each.get("event") == "resync"]


def test_many_come_in_batches_each_with_its_number(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BATCH", 3)
    seen = read(site, 0, lambda seen: len(numbers(seen)) >= 10, lambda: _append(site, 5))
    assert numbers(seen) == list(range(1, 11))
    events = [each for each in seen if each.get("event") == "events"]
    assert all(
        len(each["data"]) <= 3 and int(each["id"]) == each["data"][-1]["seq"] for each in events
    )


@pytest.mark.parametrize("start", [0, 99])
def test_who_is_too_far_behind_or_ahead_begins_anew(
    site: Site, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_BEHIND", 3)
    seen = read(site, start, lambda seen: bool(numbers(seen)), lambda: _append(site, 1))
    resync = next(each for each in seen if each.get("event") == "resync")
    assert (resync["id"], resync["data"]) == ("5", {"from": start, "to": 5})
    assert numbers(seen) == [6]


def test_it_tells_how_many_questions_wait_and_says_so_once(site: Site) -> None:
    def put() -> None:
        store = Approvals(site.places.approvals)
        store.add(question(now=moment()))
        store.close()
        _append(site, 1)

    seen = read(site, None, lambda seen: len(_waiting(seen)) > 0 and bool(numbers(seen)), put)
    assert _waiting(seen)[-1] == 1
    # Without a number: it does not move the place from which one goes on.
    assert all("id" not in each for each in seen if each.get("event") == "waiting")


def _waiting(seen: Seen) -> list[int]:
    return [each["data"]["approvals"] for each in seen if each.get("event") == "waiting"]


def test_it_beats_while_nothing_happens(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_BEAT", 0.0)
    seen = read(site, None, lambda seen: seen[-1].get("event") == "beat", nothing)
    assert seen[-1]["event"] == "beat"


def test_a_ledger_that_is_gone_is_said_and_the_stream_stays(site: Site) -> None:
    site.ledger.close()
    for file in site.places.state.glob("ledger.db*"):
        file.unlink()
    seen = read(site, None, lambda seen: seen[-1].get("event") == "fault", nothing)
    assert "there is no ledger" in seen[-1]["data"]["error"]


@pytest.mark.parametrize(
    ("header", "parameter", "wanted"),
    [("7", "3", 7), ("", "3", 3), ("", "", None), ("x", "3", 3), ("-1", "", None),
     ("9" * 20, "", None), ("9" * 19, "", int("9" * 19))],
)  # fmt: skip
def test_where_it_begins(header: str, parameter: str, wanted: int | None) -> None:
    assert stream.start_of(header, parameter) == wanted


def _append(site: Site, count: int) -> None:
    site.ledger.append([record(f"n{number}") for number in range(count)])
