"""Reading the ledger for a page: in a thread, on a connection of its own, for so long at most."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from pointsman.model.errors import LedgerError
from pointsman.store.query import opened

MOST_S = 4.0
"""Seconds that one page may read."""
_STEPS = 5000
"""Instructions of SQLite's machine between two looks at the clock: below a millisecond."""
T = TypeVar("T")


async def read(ledger: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """Return what a function makes of the ledger.

    Raises:
        LedgerError: there is none, it cannot be read, or it took too long.
    """
    return await to_thread.run_sync(_read, ledger, work)


def _read(ledger: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    deadline = time.monotonic() + MOST_S
    try:
        with opened(ledger) as connection:
            # What a payload holds need not be text.
            connection.text_factory = _text
            connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            # One view of it all: what comes meanwhile is the next page's.
            connection.execute("BEGIN")
            return work(connection)
    except LedgerError as error:
        if time.monotonic() > deadline:
            raise LedgerError(
                f"the ledger was read for {MOST_S:g} seconds without an end",
                fix="choose a shorter time or fewer filters",
            ) from error
        raise


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
