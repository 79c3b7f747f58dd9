"""What the daemon answers when it cannot: closed where it guards, and in words."""

import logging
from collections.abc import Mapping

from pointsman.model.answer import PASS, STOP, Answer
from pointsman.model.errors import LedgerError, PointsmanError
from pointsman.model.guard_events import GUARD_EVENTS
from pointsman.serve import exec_gate

_log = logging.getLogger("pointsman.daemon")


def unrecorded(header: Mapping[str, str], error: LedgerError) -> Answer:
    """Answer that what was decided could not be put on record, and so does not count."""
    return _failed(header, f"it could not be put on record: {error}", error.fix)


def bug(header: Mapping[str, str], error: Exception) -> Answer:
    """Answer that something broke which should not have; the log has the traceback."""
    _log.error("while answering %s", header.get("event"), exc_info=error)
    if isinstance(error, PointsmanError):
        return _failed(header, str(error), error.fix)
    return _failed(header, f"{type(error).__name__}: {error}", "pointsman doctor")


def _failed(header: Mapping[str, str], reason: str, fix: str) -> Answer:
    event = header.get("event", "")
    guarding = event in GUARD_EVENTS or header.get("host") == exec_gate.HOST
    what = (
        "not a policy violation; the call was stopped."
        if guarding
        else "the event was let through."
    )
    text = (
        f"Pointsman could not check this {event} ({reason}). This is Pointsman's own failure, "
        f"{what} A person can get it going again with: {fix or 'pointsman doctor'}\n"
    )
    code = STOP if guarding else PASS
    # A header may hold lone surrogates: these words must not fail because of them.
    return Answer(code, b"", text.encode("utf-8", "backslashreplace"))
