"""A process that tells one sink some messages and ends; whoever started it may kill it.

In: one JSON object on stdin, ``sink`` (the settings, their files read) and ``messages``. Out: a
line for each message that has arrived (its place in the list), then one that says why the next has
not.
"""

import json
import sys
from typing import Any, BinaryIO, TextIO

from pointsman.alerts.sinks.all_sinks import SENDERS
from pointsman.alerts.sinks.message import NotTold


def run(given: BinaryIO, out: TextIO) -> int:
    """Send what is given, in order, up to the first that does not arrive."""
    job: dict[str, Any] = json.loads(given.read())
    sink = job["sink"]
    for place, message in enumerate(job["messages"]):
        try:
            SENDERS[sink["kind"]](sink, message)
        except NotTold as error:
            print(json.dumps({"fault": str(error)}), file=out, flush=True)
            return 1
        except Exception as error:  # noqa: BLE001 - foreign code runs here: apprise and its own
            fault = f"{type(error).__name__}: {error}"
            print(json.dumps({"fault": fault}), file=out, flush=True)
            return 1
        print(json.dumps({"sent": place}), file=out, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.stdin.buffer, sys.stdout))
