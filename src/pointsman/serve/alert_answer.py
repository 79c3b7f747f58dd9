"""A person's answer to an alert, as a command or the dashboard hands it to the daemon."""

import json
from collections.abc import Callable
from typing import Any

from pointsman.alerted import as_json, hold_as_json
from pointsman.model.answer import Answer
from pointsman.model.errors import AlertError, PointsmanError
from pointsman.model.places import Places
from pointsman.serve.alert_desk import AlertDesk
from pointsman.serve.insider import refuse_insider

MOST_BODY = 64 * 1024
_MOST_WORDS = 4000
_TEXTS = ("target", "agent", "by", "note")


def answer(places: Places, desk: AlertDesk, name: str, body: bytes, pid: int) -> Answer:
    """Carry out what process ``pid`` has sent; JSON on stdout: what it came to, or ``error``."""
    try:
        refuse_insider(places, pid)
        done = carry_out(desk, name, _read(body))
        return Answer(0, json.dumps(done).encode())
    except PointsmanError as error:
        return Answer(0, json.dumps({"error": str(error), "fix": error.fix}).encode())


def carry_out(desk: AlertDesk, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Do what a command of ``COMMANDS`` says; return what it came to.

    Raises:
        AlertError: it cannot be done.
    """
    return COMMANDS[name](desk, given)


def _read(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body[: MOST_BODY + 1])
    except (ValueError, RecursionError) as error:
        raise AlertError(f"the answer is no JSON: {error}") from None
    if not isinstance(given, dict) or not all(
        isinstance(given.get(key, ""), str) and len(given.get(key, "")) <= _MOST_WORDS
        for key in _TEXTS
    ):
        raise AlertError(f"the answer has no short texts as {', '.join(_TEXTS)}")
    return {"whole": given.get("whole") is True, **{key: given.get(key, "") for key in _TEXTS}}


def _number(given: dict[str, Any]) -> int:
    text = given["target"]
    if not text.isdecimal() or len(text) > 18:
        raise AlertError(f"{text[:40]!r} is no number of an alert", fix="pointsman alerts list")
    return int(text)


def _ack(desk: AlertDesk, given: dict[str, Any]) -> dict[str, Any]:
    return as_json(desk.acknowledge(_number(given), given["by"], given["note"]))


def _resolve(desk: AlertDesk, given: dict[str, Any]) -> dict[str, Any]:
    return as_json(desk.resolve(_number(given), given["by"], given["note"]))


def _stop(desk: AlertDesk, given: dict[str, Any]) -> dict[str, Any]:
    hold = desk.stop(
        given["target"], given["agent"], given["by"], given["note"], whole=given["whole"]
    )
    return hold_as_json(hold)


def _resume(desk: AlertDesk, given: dict[str, Any]) -> dict[str, Any]:
    session, gone = desk.resume(given["target"], given["agent"], given["by"])
    return {"session": session, "released": gone}


COMMANDS: dict[str, Callable[[AlertDesk, dict[str, Any]], dict[str, Any]]] = {
    "alerts.ack": _ack,
    "alerts.resolve": _resolve,
    "alerts.stop": _stop,
    "alerts.resume": _resume,
}
