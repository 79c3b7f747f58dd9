"""What ``init --telemetry`` needs: where the daemon's relay listens, and what lets one in."""

import json
import time

from pointsman.agents import claude_telemetry
from pointsman.agents.claude_install import Where
from pointsman.agents.settings_write import read
from pointsman.cli.up import start
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.errors import HostError, TransportError
from pointsman.serve import control
from pointsman.serve.dashboard_key import key_of, posting_token

_WITHIN = 15.0


def telemetry_variables(where: Where) -> dict[str, str]:
    """Return the variables that have the client send its telemetry to this user's daemon.

    Raises:
        HostError: they are no user's settings, or somebody sends the telemetry elsewhere already.
        TransportError: nothing takes it here.
    """
    if where.scope != "user":
        raise HostError(
            "the client heeds where telemetry goes in a user's own settings alone, not in those "
            f"of scope {where.scope!r}",
            fix="pointsman init --telemetry --scope user",
        )
    others = claude_telemetry.others_in(json.loads(read(where.file) or b"{}"))
    if others:
        raise HostError(
            f"{where.file} sends the telemetry elsewhere already: {', '.join(others)}",
            fix="have your collector send a copy to Pointsman, or take these out of env",
        )
    if not PolicyLoader(where.places).policy_for(None).telemetry.get("receive"):
        raise TransportError(
            "nothing takes the telemetry here: telemetry.receive is not true",
            fix=f"add to {where.places.user_config} two lines: [telemetry] and receive = true",
        )
    return claude_telemetry.values_of(
        _address(where), posting_token(key_of(where.places.telemetry_key))
    )


def _address(where: Where) -> str:
    found = start(where.places).get("telemetry") or {}
    deadline = time.monotonic() + _WITHIN
    while not found.get("url") and time.monotonic() < deadline:
        time.sleep(0.1)
        found = control.ask(where.places, "status").get("telemetry") or {}
    if not found.get("url"):
        raise TransportError(
            f"the telemetry is not served: {found.get('reason') or 'it has not started'}",
            fix="pointsman status",
        )
    return str(found["url"])
