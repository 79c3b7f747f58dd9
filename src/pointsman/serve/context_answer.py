"""``pointsman context`` asks the daemon, which holds the language servers; it answers later."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from pointsman.code.context import CodeContext
from pointsman.code.words import written
from pointsman.model.answer import STOP, Answer
from pointsman.model.bundle import DEFAULT_TOKENS, SERVER_MS, Change
from pointsman.model.policy import Policy
from pointsman.serve.intake import Connection

COMMAND = "context"
Tasks = set[asyncio.Task[None]]


def taken(
    context: CodeContext,
    policy: Callable[[str | None], Policy],
    connection: Connection,
    tasks: Tasks,
) -> bool:
    """Take a request of this command and answer it when it is ready; others are not taken."""
    if connection.header.get("event") != COMMAND:
        return False
    task = asyncio.ensure_future(_answer(context, policy, connection))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return True


async def _answer(
    context: CodeContext, policy: Callable[[str | None], Policy], connection: Connection
) -> None:
    try:
        given = json.loads(connection.body)
        said = await _said(context, policy(given["root"]).context, given)
        connection.reply(Answer(stdout=json.dumps(said).encode()))
    except Exception as error:  # noqa: BLE001 - whatever was asked, the daemon goes on
        connection.reply(Answer(STOP, b"", f"{type(error).__name__}: {error}\n".encode()))


async def _said(context: CodeContext, settings: Any, given: Any) -> dict[str, Any]:
    change = Change(given["root"], given["path"], given["written"], given["whole"])
    seconds = float(settings.get("server_ms", SERVER_MS)) / 1000
    sections, notes = await context.sections(change, seconds)
    most = given["tokens"] or int(settings.get("tokens", DEFAULT_TOKENS))
    return written(change.path, sections, most, notes).as_json()
