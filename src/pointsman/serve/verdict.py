"""A person's answer to an approval, as the dashboard hands it to the daemon."""

import json
from collections.abc import Callable
from typing import Any

from pointsman.asked import as_json
from pointsman.model.answer import Answer
from pointsman.model.approval import Approval
from pointsman.model.errors import ApprovalError, PointsmanError
from pointsman.model.places import Places
from pointsman.serve.asker import is_inside
from pointsman.store import verdicts
from pointsman.store.approvals import Approvals

MOST_BODY = 1024 * 1024
"""Bytes of one command: the input that a person writes, and some words."""
_MOST_WORDS = 4000


def answer(places: Places, name: str, body: bytes, pid: int) -> Answer:
    """Carry out what process ``pid`` has sent; JSON on stdout: the approval, or ``error``, ``fix``.

    A process of a session that has put questions itself answers none.
    """
    store = Approvals(places.approvals)
    try:
        if is_inside(store, pid):
            raise ApprovalError(
                "this comes from an agent's session that has put questions itself",
                fix="answer it in a browser or a terminal of your own",
            )
        given = _read(body)
        one = COMMANDS[name](store, given)
        return Answer(0, json.dumps(as_json(one, store.clock())).encode())
    except PointsmanError as error:
        said = {"error": str(error), "fix": error.fix}
        return Answer(0, json.dumps(said).encode())
    finally:
        store.close()


def _read(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body[: MOST_BODY + 1])
    except (ValueError, RecursionError) as error:
        raise ApprovalError(f"the answer is no JSON: {error}") from None
    if not isinstance(given, dict) or not all(
        isinstance(given.get(key, ""), str) and len(given.get(key, "")) <= _MOST_WORDS
        for key in ("id", "by", "note")
    ):
        raise ApprovalError("the answer has no id, by and note as short texts")
    return given


def _approve(store: Approvals, given: dict[str, Any]) -> Approval:
    return verdicts.approve(
        store, given["id"], given["by"], given.get("note", ""),
        any_session=given.get("any_session") is True,
    )  # fmt: skip


def _deny(store: Approvals, given: dict[str, Any]) -> Approval:
    return verdicts.refuse(store, given["id"], given["by"], given.get("note", ""))


def _modify(store: Approvals, given: dict[str, Any]) -> Approval:
    changed = given.get("input")
    if not isinstance(changed, dict):
        raise ApprovalError("the new input is no JSON object", fix="write the whole input")
    return verdicts.approve(
        store, given["id"], given["by"], given.get("note", ""), modified=changed,
        any_session=given.get("any_session") is True,
    )  # fmt: skip


COMMANDS: dict[str, Callable[[Approvals, dict[str, Any]], Approval]] = {
    "approvals.approve": _approve,
    "approvals.deny": _deny,
    "approvals.modify": _modify,
}
