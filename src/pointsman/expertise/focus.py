"""What of several sheets is told: not whole files, but the lines that matter most, within a cap."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pointsman.expertise.points import Point, points, short
from pointsman.model.expertise import Domain, Sheet
from pointsman.model.tokens import tokens_of

_HEAD = (
    "Expertise on this project, from files that earlier work has left. It is a selection: where "
    "you work on a domain, read its file at EXPERTISE_PATH."
)
_MOST_RANK = 9
_MOST_PATHS = 64
_BEFORE = 3
"""By so many ranks a line that speaks of a path in hand is told earlier."""


@dataclass(frozen=True, slots=True)
class _Row:
    rank: int
    sheet: int
    at: int
    text: str


def concerned(sheets: Iterable[Sheet], paths: Sequence[str], agent: str = "") -> list[Sheet]:
    """Return the sheets that these paths, or an agent of this name, have to do with."""
    return [
        each
        for each in sheets
        if _is_named(each.domain, agent) or touches((*each.domain.paths, *_of_files(each)), paths)
    ]


def touches(patterns: Sequence[str], paths: Sequence[str]) -> bool:
    """Whether one of the paths lies below a prefix, or ends with a suffix."""
    starts = tuple(each for each in patterns if each.endswith("/") and each != "/")
    ends = tuple(each[1:] for each in patterns if each.startswith("*"))
    return any(f"{path}/".startswith(starts) or path.endswith(ends) for path in paths)


def _of_files(sheet: Sheet) -> Iterator[str]:
    """Yield the directories of the files that a sheet itself calls its own."""
    given = sheet.sections.get("core_implementation", {}).get("primary_files")
    for each in given if isinstance(given, list) else ():
        path = each.get("path") if isinstance(each, Mapping) else each
        if isinstance(path, str) and "/" in path:
            fixed = path.partition("*")[0]
            yield fixed[: fixed.rindex("/") + 1] if "/" in fixed else ""


def told(sheets: Sequence[Sheet], root: str, paths: Sequence[str], tokens: int) -> str:
    """Return the lines of these sheets that matter most, at most ``tokens`` of them.

    Every sheet has its head before any has a second line. Then it goes by rank (safety first), and
    what speaks of one of ``paths`` comes earlier.
    """
    heads = [_head(each, root) for each in sheets]
    named = _needles(paths)
    rows = sorted(
        (
            _Row(_rank(point, named), number, at, f"- {point.text}")
            for number, sheet in enumerate(sheets)
            for at, point in enumerate(points(sheet.sections))
        ),
        key=lambda row: (row.rank, row.at, row.sheet),
    )
    chosen, left = _chosen(heads, rows, tokens)
    if not chosen:
        return ""
    lines = [_HEAD]
    for number in sorted(chosen):
        lines += [heads[number], *(row.text for row in sorted(chosen[number], key=_order))]
    if left:
        lines.append(f"({left} more lines in the files)")
    return "\n".join(lines)


def _chosen(heads: list[str], rows: list[_Row], tokens: int) -> tuple[dict[int, list[_Row]], int]:
    spent = tokens_of(_HEAD) + 12  # What says how many lines are left.
    chosen: dict[int, list[_Row]] = {}
    for number, head in enumerate(heads):
        cost = tokens_of(f"{head}\n")
        if spent + cost <= tokens:
            chosen[number] = []
            spent += cost
    left = 0
    for row in rows:
        cost = tokens_of(f"{row.text}\n")
        if row.sheet not in chosen or spent + cost > tokens:
            left += 1
            continue
        chosen[row.sheet].append(row)
        spent += cost
    return chosen, left


def _order(row: _Row) -> tuple[int, int]:
    return (row.rank, row.at)


def _head(sheet: Sheet, root: str) -> str:
    files = ", ".join(_shown(each.path, root) for each in sheet.domain.files)
    lines = sum(sheet.lines.values())
    return f"## {short(sheet.domain.name)}\nEXPERTISE_PATH: {files} ({lines} lines)"


def _shown(path: str, root: str) -> str:
    home = os.environ.get("HOME", "")
    if path.startswith(f"{root}/"):
        return path[len(root) + 1 :]
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path


def _needles(paths: Sequence[str]) -> tuple[str, ...]:
    """Return what a line may say of these paths: each, and the directory that it lies in."""
    found: dict[str, None] = {}
    for path in paths[:_MOST_PATHS]:
        found[path] = None
        folder = path.rpartition("/")[0]
        if folder:
            found[f"{folder}/"] = None
    return tuple(found)


def _rank(point: Point, named: tuple[str, ...]) -> int:
    near = any(each in point.text for each in named)
    return max(0, min(point.rank, _MOST_RANK) - _BEFORE * near)


def _is_named(domain: Domain, agent: str) -> bool:
    return bool(agent) and (agent == domain.name or agent.startswith(f"{domain.name}-"))
