"""The daemon's part of ``pointsman ledger purge``, one batch for each request, and of ``key``."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pointsman.model.answer import Answer
from pointsman.model.errors import LedgerError, PointsmanError
from pointsman.model.places import Places
from pointsman.serve.insider import refuse_insider
from pointsman.store.ledger import Ledger
from pointsman.store.retire import Which

_CONDITIONS = {
    "session": "e.session = :session",
    "seq": "e.seq = :seq",
    "before": "e.received_ns < :before",
}
_REMOVED, _COVERED = 200, 20
"""Bodies in one batch; looking for secrets takes longer, and nobody is answered meanwhile."""


def purge(
    ledger: Ledger, cover: Callable[[bytes], bytes], header: Mapping[str, str]
) -> dict[str, Any]:
    """Remove or cover the next bodies; say how many and with which entry to go on.

    The header has ``what`` (``bodies`` or ``secrets``), ``from`` (an entry's number) and ``which``
    (JSON: the events).
    """
    asked = json.loads(header.get("which", "{}"))
    which = Which(
        conditions=[_CONDITIONS[name] for name in sorted(asked)],
        values=asked,
        words=json.dumps(asked, sort_keys=True),
    )
    start = int(header.get("from", "0"))
    covering = header.get("what") == "secrets"
    span = (start, _COVERED if covering else _REMOVED)
    try:
        step = ledger.purge(which, span, cover if covering else None)
    except LedgerError as error:
        return {"error": str(error), "fix": error.fix}
    return {"count": step.count, "next": step.next_n}


def hand_over(places: Places, ledger: Ledger, pid: int) -> Answer:
    """Change the key that signs, as process ``pid`` asks; JSON on stdout: both public halves."""
    try:
        refuse_insider(places, pid)
        old, new = ledger.hand_over()
    except PointsmanError as error:
        return Answer(0, json.dumps({"error": str(error), "fix": error.fix}).encode())
    return Answer(0, json.dumps({"from": old.hex(), "to": new.hex()}).encode())
