"""How agents ended, from the record of a daemon that has gone."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.model.decision import NO_OPINION, Decision, deny
from pointsman.model.event import Identity
from pointsman.model.events import SubagentStop
from pointsman.model.team import GIVEN_UP
from pointsman.store.ledger import Ledger
from pointsman.store.past import past_of
from pointsman.store.record import Record


def end(agent: str, decision: Decision = NO_OPINION, message: Any = "Done.") -> Record:
    identity = Identity(host="h", session="s", agent_id=f"{agent}-1", agent_type=agent)
    payload = json.dumps({"last_assistant_message": message}).encode()
    return Record(
        event=SubagentStop(identity=identity, received_ns=1), decision=decision, payload=payload
    )


FAILED = '{"status": "failed", "summary": "no"}'
ENDS = {
    "well": ([end("a")], ""),
    "never": ([], None),
    "another": ([end("b")], None),
    "sent back": ([end("a", deny("no"))], None),
    "sent back and mended": ([end("a", deny("no")), end("a")], ""),
    "well, and again sent back": ([end("a"), end("a", deny("no"))], None),
    "given up": ([end("a", Decision(action=None, reason="why", rule=GIVEN_UP))], "why"),
    "in its own words": ([end("a", message=FAILED)], "it says of itself: failed no"),
    "no text": ([end("a", message=3)], ""),
}


@pytest.mark.parametrize(("records", "how"), ENDS.values(), ids=ENDS)
def test_the_last_end_counts(tmp_path: Path, records: list[Record], how: str | None) -> None:
    file = tmp_path / "ledger.db"
    with closing(Ledger.open(file)) as ledger:
        ledger.append(records)
    assert past_of(file)("s", "a") == how
    assert past_of(file)("other", "a") is None


def test_without_a_ledger_there_is_no_past(tmp_path: Path) -> None:
    assert past_of(tmp_path / "none.db")("s", "a") is None
