"""What ``pointsman status`` and ``doctor`` say of the language servers."""

import os
from collections.abc import Iterator
from typing import Any

from pointsman.cli.doctor_gate import Finding
from pointsman.cli.places import places
from pointsman.lsp.find import Where, find
from pointsman.lsp.table import FAMILIES
from pointsman.serve.code_servers import is_trusted


def server_lines(status: dict[str, Any]) -> Iterator[str]:
    """Say which run, and what was wrong with those that do not; nothing where none was needed."""
    # A daemon of an older version does not tell.
    for row in status.get("code_servers") or ():
        if row["server"]:
            yield f"servers    {_running(row)}"
        if row["problem"]:
            yield f"warning    {row['language']} in {row['root']}: {row['problem']}"


def server_findings(status: dict[str, Any]) -> Iterator[Finding]:
    """Say the same for ``doctor``, and what is there for this repository.

    A server that fails is no hole: the index answers without it. So it is a note.
    """
    root = status["repository"]
    for family in sorted(set(FAMILIES.values())) if root else ():
        found = find(family, Where(root, is_trusted(places(), root), os.environ.get("PATH", "")))
        if found.launches:
            names = ", ".join(f"{each.kind.name} ({each.command[0]})" for each in found.launches)
            yield Finding("code servers", None, f"{family}: {names}; started when needed")
    for row in status.get("code_servers") or ():
        if row["problem"]:
            text = f"{row['language']} in {row['root']}: {row['problem']}"
            yield Finding("code servers", None, f"{text}. The index answers without it")
        elif row["server"]:
            yield Finding("code servers", True, _running(row))


def _running(row: dict[str, Any]) -> str:
    memory = f", {row['memory'] >> 20} MB" if row["memory"] else ""
    what = f"{row['server']}, {row['state']}, process {row['pid']}{memory}"
    return f"{row['language']} in {row['root']}: {what} ({row['program']})"
