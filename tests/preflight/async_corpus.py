"""The corpus of asyncio's faults: small projects, with a mark on every line that is at fault."""

import re
from pathlib import Path
from typing import NamedTuple

from pointsman.preflight.survey import findings, survey

HERE = Path(__file__).with_name("async_cases")
MARK = re.compile(r"# !(async-[a-z]+)$")
OURS = ("database", "blocking", "tool", "coroutine", "client", "gather")


class Case(NamedTuple):
    """One small project: its files, and the faults by file, line and check."""

    name: str
    files: dict[str, str]
    faults: frozenset[tuple[str, int, str]]


def cases() -> list[Case]:
    """Return every case of the corpus, by file and order."""
    found = []
    for page in sorted(HERE.glob("*.txt")):
        for block in page.read_text(encoding="utf-8").split("## ")[1:]:
            title, _, rest = block.partition("\n")
            files = {}
            for part in ("\n" + rest).split("\n--- ")[1:]:
                name, _, text = part.partition("\n")
                files[name] = text.rstrip("\n") + "\n"
            found.append(Case(f"{page.stem}: {title}", files, frozenset(_faults(files))))
    return found


def _faults(files: dict[str, str]) -> list[tuple[str, int, str]]:
    return [
        (name, number, mark[1])
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (mark := MARK.search(line))
    ]


def write(case: Case, root: Path) -> None:
    """Make the project of a case below a directory."""
    for name, text in case.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def told(case: Case, root: Path) -> set[tuple[str, int, str]]:
    """Return what our own checks say of a case."""
    write(case, root)
    ids = {f"async-{each}" for each in OURS}
    return {(each.file, each.line, each.id) for each in findings(survey(root)) if each.id in ids}
