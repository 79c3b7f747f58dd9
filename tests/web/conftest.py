"""A ledger with events of every kind, and the application that reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from pointsman.model.decision import ask, deny
from pointsman.model.hook import Outcome
from pointsman.model.places import Places
from pointsman.serve.dashboard_key import key_of
from pointsman.store.ledger import Ledger
from pointsman.web.app import build
from store.records import record, run

from .asgi import PORT, Answered, call, places_in


class Site:
    """The dashboard of one state directory, asked as a script does."""

    def __init__(self, folder: Path) -> None:
        self.places: Places = places_in(folder)
        self.ledger = Ledger.open(self.places.ledger)
        self.static = folder / "static"
        self.app: ASGIApp = build(self.places, PORT, self.static)
        self.token = {"authorization": f"Bearer {key_of(self.places.dashboard_key)}"}

    def get(self, path: str, **headers: str) -> Answered:
        return call(self.app, path, headers={**self.token, **headers})

    def post(self, path: str, body: bytes = b"{}", **headers: str) -> Answered:
        given = {"content-type": "application/json", **self.token, **headers}
        return call(self.app, path, "POST", given, body)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    """A site on which nothing has happened."""
    site = Site(tmp_path)
    yield site
    site.ledger.close()


@pytest.fixture
def site(empty: Site) -> Site:
    """Two sessions, a subagent, a denial, a question, hooks that failed."""
    say = b'{"tool_input": {"command": "say \\"hello there\\" 100%"}}'
    empty.ledger.append([
        record("c1", payload=say, runs=(run(), run("slow", outcome=Outcome.TIMED_OUT))),
        record("c1", payload=say, guard=False, at=2_000_000_000),
        record("c2", decision=deny("it is forbidden", rule="r.no"), session="s2", tool="Write",
               path="/repo/a.txt", repository="/repo", at=3_000_000_000),
        record("c3", decision=ask("is it meant?", rule="r.ask"), agent_id="a1",
               agent_type="reviewer", payload=b"\xff\xfe not json", at=4_000_000_000),
        record("c4", payload=b'{"tool_input": {"command": "SELECT_all"}}', at=5_000_000_000),
    ])  # fmt: skip
    return empty
