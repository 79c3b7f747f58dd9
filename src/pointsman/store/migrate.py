"""Forward migrations: numbered SQL files, each applied once, in one transaction."""

import sqlite3
from collections.abc import Sequence
from importlib import resources

from pointsman.model.errors import LedgerError
from pointsman.model.hook_runs import length_bucket


def refuse_newer(connection: sqlite3.Connection, known: int | None = None) -> None:
    """Make sure that no newer program has written this file.

    Raises:
        LedgerError: one has; this program must leave the file as it is.
    """
    newest = len(scripts()) if known is None else known
    version = schema_version(connection)
    if version > newest:
        raise LedgerError(
            f"the ledger has schema {version}, this program knows up to {newest}",
            fix="upgrade pointsman to the version that wrote it, then: pointsman up --restart",
        )


def migrate(connection: sqlite3.Connection, steps: Sequence[str] | None = None) -> None:
    """Bring the file to the newest schema; ``steps`` are the scripts, by default the shipped ones.

    Raises:
        LedgerError: where the file is newer than this program.
    """
    wanted = scripts() if steps is None else steps
    refuse_newer(connection, len(wanted))
    connection.create_function("length_bucket", 1, length_bucket, deterministic=True)
    version = schema_version(connection)
    for number, script in enumerate(wanted[version:], version + 1):
        try:
            # One transaction, which `executescript` does not begin: no step without its number.
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;"
            )
        except sqlite3.Error:
            # Some errors make SQLite roll back by itself; a second time would hide the first error.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def schema_version(connection: sqlite3.Connection) -> int:
    """Return how many migrations the file has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def scripts(name: str = "migrations") -> list[str]:
    """Return the shipped migrations of a file, in their order; ``name`` is their folder."""
    folder = resources.files("pointsman.store") / name
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]
