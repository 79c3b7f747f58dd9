"""``python -m pointsman.web.verifying``: verify the ledger in a process of its own.

Reading millions of records takes minutes of a processor; the pages must not wait for them. It
says how far it is, and at last the verdict, a line of JSON each.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from pointsman.model.errors import PointsmanError
from pointsman.model.places import Places
from pointsman.serve.ledger_key import key_path
from pointsman.store.signing import public_key
from pointsman.store.verdict import Trust, verify

_EVERY_S = 0.25


def main() -> None:
    """Verify the ledger that the environment names."""
    os.nice(10)
    where = Places.from_environ(os.environ, home=Path("/nonexistent"))
    told = 0.0

    def tell(entries: int) -> None:
        nonlocal told
        if time.monotonic() - told > _EVERY_S:
            told = time.monotonic()
            _say({"read": entries})

    try:
        trust = Trust(home=where.ledger, home_key=public_key(key_path(where)))
        _say({"verdict": verify(where.ledger, trust, tell).as_json()})
    except PointsmanError as error:
        _say({"error": str(error), "fix": error.fix})


def _say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)  # noqa: T201 - the pipe to the dashboard


if __name__ == "__main__":
    main()
