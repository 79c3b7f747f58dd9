"""The packages of a workspace: npm, yarn, pnpm, lerna, by what each one's package.json says."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from pointsman.code.ground import Ground, inside, joined
from pointsman.paths.globs import Globs

_MOST = 2000
_MOST_DEPTH = 6
_SKIPPED = frozenset({"node_modules", ".git", "dist", "build"})


def packages_of(ground: Ground) -> Mapping[str, str]:
    """Return the directories of the workspace's packages by their names."""
    patterns = [each.strip("/").removeprefix("./") for each in _patterns(ground)]
    wanted = [each for each in patterns if not each.startswith("!")]
    found: dict[str, str] = {}
    for pattern in wanted[:200]:
        for directory in _expanded(ground.root, pattern):
            name = ground.json(joined(directory, "package.json")).get("name")
            if isinstance(name, str) and len(found) < _MOST:
                found.setdefault(name, directory)
    return found


def _patterns(ground: Ground) -> Iterator[str]:
    said: list[Any] = []
    workspaces = ground.json("package.json").get("workspaces", [])
    said.append(workspaces.get("packages") if isinstance(workspaces, dict) else workspaces)
    said.append(ground.json("lerna.json").get("packages"))
    text = ground.text("pnpm-workspace.yaml")
    if text:
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError):
            value = None
        said.append(value.get("packages") if isinstance(value, dict) else None)
    for some in said:
        yield from (each for each in some or () if isinstance(each, str))


def _expanded(root: str, pattern: str) -> Iterator[str]:
    """Yield the directories of a pattern that hold a package.json."""
    level = [""]
    for part in pattern.split("/"):
        level = [each for above in level for each in _step(root, above, part)][:_MOST]
    for each in level:
        if inside(each) and os.path.isfile(f"{root}/{each}/package.json"):  # noqa: PTH113
            yield each


def _step(root: str, above: str, part: str) -> Iterator[str]:
    if part == "**":
        yield from _below(root, above, _MOST_DEPTH)
    elif "*" not in part and "{" not in part:
        yield joined(above, part)
    else:
        glob = Globs([part])
        yield from (joined(above, name) for name in _names(root, above) if glob.match(name))


def _below(root: str, above: str, left: int) -> Iterator[str]:
    yield above
    if left:
        for name in _names(root, above):
            yield from _below(root, joined(above, name), left - 1)


def _names(root: str, above: str) -> list[str]:
    try:
        with os.scandir(f"{root}/{above}") as entries:
            found = [
                entry.name
                for entry in entries
                if entry.name not in _SKIPPED and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    return sorted(found)
