"""Forward migrations: numbered SQL files, each applied once, in one transaction."""

import sqlite3
from importlib import resources

from pointsman.model.errors import LedgerError


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to the newest schema.

    Raises:
        LedgerError: where the file is newer than this program.
    """
    scripts = _scripts()
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(scripts):
        raise LedgerError(
            f"the ledger has schema {version}, this program knows up to {len(scripts)}",
            fix="upgrade pointsman to the version that wrote it",
        )
    for number, script in enumerate(scripts[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;"
        )


def _scripts() -> list[str]:
    folder = resources.files("pointsman.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text(encoding="utf-8") for name in names]
