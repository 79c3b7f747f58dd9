"""What ruff finds of asyncio, beside what is found here."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Check, Project
from pointsman.preflight.async_code import is_test
from pointsman.preflight.files import Tree

_MOST_S = 20.0
_RULES = "ASYNC,RUF006"
_STYLE = frozenset({"ASYNC109", "ASYNC110"})
"""How an interface is written, which holds up nobody."""


def _run(project: Project) -> Iterator[Finding]:
    if not isinstance(project.files, Tree) or not _is_async(project):
        return
    found, why = _asked(project.files.root)
    if why:
        yield Finding(
            id=CHECK.id, level=Level.NOTE, file=".", line=1,
            what=f"could not verify: {why}", why=CHECK.why, fix="pip install ruff",
        )  # fmt: skip
    names = set(project.files.names)
    for row in found:
        file = Path(row["filename"]).relative_to(project.files.root).as_posix()
        if file in names and not is_test(file) and row["code"]:
            yield Finding(
                id=CHECK.id, level=Level.NOTE if row["code"] in _STYLE else CHECK.level,
                file=file, line=row["location"]["row"],
                what=f"{row['code']}: {row['message']}", why=CHECK.why,
                fix=f"ruff rule {row['code']}",
            )  # fmt: skip


def _is_async(project: Project) -> bool:
    files = (each for each in project.files.names if each.endswith(".py") and not is_test(each))
    return any(b"async def" in project.files.read(each) for each in files)


def _asked(root: Path) -> tuple[list[dict[str, Any]], str]:
    """Return ruff's findings, and why there may be more."""
    beside = Path(sys.executable).with_name("ruff")
    ruff = str(beside) if beside.exists() else shutil.which("ruff")
    if ruff is None:
        return [], "ruff is not installed; its rules for asyncio were not checked"
    words = [ruff, "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--exit-zero",
             "--select", _RULES, "--output-format", "json", "."]  # fmt: skip
    try:
        done = subprocess.run(words, cwd=root, capture_output=True, timeout=_MOST_S, check=True)
        return json.loads(done.stdout), ""
    except subprocess.TimeoutExpired:
        return [], f"ruff did not answer within {_MOST_S:.0f} s"
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        return [], f"ruff failed: {' '.join(str(error).split())[:200]}"


CHECK = Check(
    id="async-ruff",
    level=Level.WARNING,
    why="ruff knows these faults of asyncio; they are asked of it rather than found twice.",
    source="ruff, rules ASYNC (flake8-async) and RUF006",
    fix="see ruff's page on the rule",
    run=_run,
)
