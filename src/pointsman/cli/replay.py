"""``pointsman replay``: a recorded session, decided about again by today's policy."""

from collections.abc import Iterator
from typing import Any

import click

from pointsman.case import Delivery, as_row
from pointsman.cli.covered import echo_json
from pointsman.cli.dry_run import DryRun
from pointsman.cli.places import places
from pointsman.engine.run import Clock
from pointsman.model.decision import Action
from pointsman.model.errors import LedgerError
from pointsman.model.places import Places
from pointsman.store import query

_LOOKED_BACK = 1000
_NO_SESSION = frozenset({"", "doctor"})


@click.command()
@click.argument("session", required=False)
@click.option("--changed", is_flag=True, help="Only the events that are decided otherwise now.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def command(session: str | None, changed: bool, as_json: bool) -> None:
    """Decide about SESSION (default: the newest) again, event by event, by today's policy.

    Nothing is carried out and nothing is recorded. The output has no times in it: with the same
    policy and the same files it is the same to the byte.
    """
    where = places()
    rows = _replay(where, session or _newest(where))
    for row in rows:
        if changed and not row["changed"]:
            continue
        if as_json:
            echo_json(row)
        else:
            click.echo(_line(row))


def _newest(where: Places) -> str:
    """Return the newest session that is one: not the doctor's canary, not an unreadable payload."""
    newest = query.query(where.ledger, query.Filter(), _LOOKED_BACK)
    sessions = [str(row["session"]) for row in newest]
    for session in reversed(sessions):
        if session not in _NO_SESSION:
            return session
    what = f"names a session in its last {_LOOKED_BACK} events" if sessions else "has no event yet"
    raise LedgerError(f"nothing to replay: the ledger {what}", fix="pointsman ledger tail")


def _replay(where: Places, session: str) -> Iterator[dict[str, Any]]:
    now = [0]
    found = False
    with DryRun(where, Clock(wall_ns=lambda: now[0])) as dry:
        for was in query.query(where.ledger, query.Filter(session=session)):
            payload = query.payload(where.ledger, was["seq"])
            # Derived edits are derived again from their calls; nobody decides about escalations.
            if was["derived_from"] is not None or was["transport"] == "derived" or not payload:
                continue
            found = True
            # A hook sees the time at which it happened.
            now[0] = query.parse_time(was["time"], 0)
            delivery = Delivery(
                host=was["host"],
                event=was["event"],
                payload=payload,
                cwd=was["cwd"],
                # Held to the repository of that time, wherever `cd` had led in between.
                project=was["repository"] or "",
            )
            yield _compare(was, as_row(dry.handle(delivery)[1]))
    if not found:
        raise LedgerError(
            f"no event of session {session!r} is on record", fix="pointsman ledger tail"
        )


def _compare(was: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    return {
        "seq": was["seq"],
        "event": was["event"],
        "tool": was["tool"],
        "agent": was["agent"],
        "was": was["decision"],
        "was_rule": was["rule"],
        "now": now["decision"],
        "rule": now["rule"],
        "reason": now["reason"],
        "changed": _is_changed(was, now),
    }


def _is_changed(was: dict[str, Any], now: dict[str, Any]) -> bool:
    # What a question came to was a person's affair: the policy is the same if it asks again.
    if str(was["rule"]).startswith("approval."):
        return bool(now["decision"] != Action.ASK)
    return (was["decision"], was["rule"]) != (now["decision"], now["rule"])


def _line(row: dict[str, Any]) -> str:
    mark = "*" if row["changed"] else " "
    said = f"{row['was']} → {row['now']}" if row["changed"] else row["now"]
    why = f"  {row['rule']}" if row["rule"] else ""
    return f"{mark} {row['seq']:>7} {row['event']} {row['tool']} by {row['agent']}: {said}{why}"
