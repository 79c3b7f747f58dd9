"""The record is verified from the page: in a child, with its progress, and with what it found."""

import asyncio
import sqlite3
from typing import Any

import pytest

from store.records import record

from .asgi import HOME, request
from .conftest import Site


def verified(site: Site, times: int = 1) -> list[dict[str, Any]]:
    """Ask for a verification, so often at once; return what was said until it was done."""
    act = {**site.token, "content-type": "application/json"}

    async def run() -> list[dict[str, Any]]:
        asked = [await request(site.app, "/api/verification", "POST", act) for _ in range(times)]
        said = [each.json() for each in asked]
        while not said[-1]["run"]["done"]:
            await asyncio.sleep(0.05)
            answer = await request(site.app, "/api/verification", headers=site.token)
            said.append(answer.json())
        return said

    return asyncio.run(asyncio.wait_for(run(), 120))


def test_nothing_runs_before_it_is_asked_for(site: Site) -> None:
    assert site.get("/api/verification").json()["run"] is None


def test_a_sound_record_holds_and_says_how_much_was_read(site: Site) -> None:
    site.ledger.append([record(f"n{number}") for number in range(2000)])
    site.ledger.seal()
    said = verified(site, times=2)
    # The second one joined the first.
    assert len({each["run"]["began"] for each in said}) == 1
    run = said[-1]["run"]
    assert (run["verdict"]["ok"], run["verdict"]["records"]) == (True, 2005)
    assert run["verdict"]["key_known"]
    assert said[-1]["signed"] == said[-1]["entries"]


def test_a_change_is_named_with_its_event(site: Site) -> None:
    site.ledger.seal()
    with sqlite3.connect(site.places.ledger) as thief:
        thief.execute("DROP TRIGGER events_append_only")
        thief.execute("UPDATE events SET reason = 'it was fine' WHERE seq = 3")
    verdict = verified(site)[-1]["run"]["verdict"]
    assert (verdict["ok"], verdict["fault"], verdict["first_bad"]) == (False, "edit", 3)


def test_what_cannot_be_verified_says_so(site: Site) -> None:
    with sqlite3.connect(site.places.ledger) as older:
        older.execute("PRAGMA user_version = 1")
    run = verified(site)[-1]["run"]
    assert "verdict" not in run
    assert "from before there was a chain" in run["error"]
    assert run["fix"] == "pointsman up"


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.example"}])
def test_a_stranger_starts_none(site: Site, headers: dict[str, str]) -> None:
    answer = asyncio.run(request(site.app, "/api/verification", "POST", {"host": HOME, **headers}))
    assert answer.status == 403
    assert site.get("/api/verification").json()["run"] is None
