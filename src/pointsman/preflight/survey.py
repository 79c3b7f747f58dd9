"""From a directory to what checks are given, and from there to findings."""

import json
import re
import tomllib
from pathlib import Path

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Files, Project, Target
from pointsman.preflight.all_checks import CHECKS
from pointsman.preflight.environment import environment
from pointsman.preflight.files import Tree
from pointsman.preflight.targets import targets_of

_ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.NOTE: 2}


def survey(root: Path, targets: tuple[Target, ...] = (), prefix: str = "") -> Project:
    """Read a project. Without ``targets`` they are those that its files speak of."""
    tree = Tree(root)
    uses, unread = environment(tree)
    if tree.left_out:
        unread["."] = tree.left_out
    name = name_of(tree, root)
    return Project(
        name=name,
        prefix=prefix or prefix_of(name),
        files=tree,
        uses=uses,
        targets=targets or targets_of(tree),
        unread=unread,
    )


def findings(project: Project) -> list[Finding]:
    """Return what every check says, the worst first, then by place."""
    found = [each for check in CHECKS for each in check.run(project)]
    return sorted(found, key=lambda each: (_ORDER[each.level], each.file, each.line, each.id))


def name_of(files: Files, root: Path) -> str:
    """Return what a project calls itself: by its manifest, else by its directory."""
    for file, reader in (("pyproject.toml", _pyproject), ("package.json", _package)):
        if file in files.names:
            name = reader(files.read(file))
            if name:
                return name
    return root.resolve().name


def prefix_of(name: str) -> str:
    """Return the beginning that a project's variables are given: ``my-app`` → ``MY_APP_``."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", name.rpartition("/")[2]).strip("_").upper()
    safe = f"APP_{words}" if not words or words[0].isdecimal() else words
    return f"{safe.rstrip('_')}_"


def _pyproject(data: bytes) -> str:
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return ""
    for key in ("project", "tool.poetry"):
        at: object = table
        for part in key.split("."):
            at = at.get(part) if isinstance(at, dict) else None
        name = at.get("name") if isinstance(at, dict) else None
        if isinstance(name, str):
            return name
    return ""


def _package(data: bytes) -> str:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    name = found.get("name") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""
