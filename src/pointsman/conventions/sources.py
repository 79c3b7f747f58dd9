"""The files in which a project tells agents its conventions, with what they import.

Which files a host reads: Claude Code CLAUDE.md and what it imports with ``@file`` (five hops deep),
others AGENTS.md, GEMINI.md, .cursorrules and their like. All of it is capped.
"""

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from pointsman.model.convention import Remark
from pointsman.paths.content import read_regular

FILES = (
    "CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md", "AGENTS.md", "AGENT.md", "GEMINI.md",
    "QWEN.md", ".cursorrules", ".windsurfrules", ".clinerules", ".rules",
    ".github/copilot-instructions.md", "CONTRIBUTING.md", ".github/CONTRIBUTING.md",
    "docs/CONTRIBUTING.md", "CONVENTIONS.md", "STYLE.md", "STYLEGUIDE.md", "docs/CONVENTIONS.md",
)  # fmt: skip
"""Files at a repository's root."""
FOLDERS = (".cursor/rules", ".claude/rules", ".clinerules", ".windsurf/rules")
"""Directories in which every .md and .mdc is one."""
NESTED = ("CLAUDE.md", "AGENTS.md", "GEMINI.md")
"""Files that hold below the directory in which they lie."""
MOST_HOPS = 5
MOST_FILES = 64
MOST_BYTES = 256 * 1024
_DEEPEST = 3
_MOST_DIRECTORIES = 1000
_SKIPPED = frozenset({"node_modules", "vendor", "venv", "dist", "build", "target"})
_IMPORT = re.compile(r"(?:^|\s)@((?:~/|\.{0,2}/)?[\w./-]*[\w/-](?:\.[\w-]+)?)(?=[\s,;)]|\.\s|\.?$)")
_CODE_SPAN = re.compile(r"`[^`]*`")
_FENCE = re.compile(r"^\s*(```|~~~)")


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name as it is cited, its lines, where it holds, how many imports away it is."""

    name: str
    path: str
    lines: tuple[str, ...]
    under: str = ""
    depth: int = 0


@dataclass(slots=True)
class Sources:
    """All files of a repository; ``remarks`` are those that cannot be read or are not there."""

    files: list[Source] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


def read_sources(root: str, home: str) -> Sources:
    """Read every file of instructions of the repository at ``root``, and the user's own."""
    out = Sources()
    todo = deque((path, name, under, 0) for path, name, under in _begin(root, home))
    seen: set[str] = set()
    while todo and len(out.files) < MOST_FILES:
        path, name, under, depth = todo.popleft()
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        source = _read(out, path, name, under, depth)
        if source is None:
            continue
        out.files.append(source)
        for line, target in islice(imports(source.lines), MOST_FILES):
            found = _target(target, path, root, home)
            if not os.path.isfile(found):  # noqa: PTH113 - as the host looks for it
                text = f"it imports @{target}, which is not there"
                fix = "mend the path or take it out"
                out.remarks.append(Remark("missing", f"{name}:{line}", text, fix))
            elif depth >= MOST_HOPS:
                text = f"@{target} is more than {MOST_HOPS} imports away: the host does not read it"
                out.remarks.append(
                    Remark("missing", f"{name}:{line}", text, "import it from nearer")
                )
            elif _is_inside(found, root, home):
                todo.append((found, _cited(found, root, home), under, depth + 1))
    return out


def imports(lines: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield the files that a text imports, with their line; what stands in code is none."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and "@" in line and len(line) < 2000:
            for found in _IMPORT.finditer(_CODE_SPAN.sub("", line)):
                # A name alone is a person or a package: a file has a suffix or a slash.
                if "/" in found[1] or "." in found[1]:
                    yield number, found[1]


def _begin(root: str, home: str) -> Iterator[tuple[str, str, str]]:
    for name in FILES:
        path = f"{root}/{name}"
        if os.path.isfile(path):  # noqa: PTH113
            yield path, name, ""
    for folder in FOLDERS:
        for name in _names(f"{root}/{folder}"):
            if name.endswith((".md", ".mdc")):
                yield f"{root}/{folder}/{name}", f"{folder}/{name}", ""
    yield from _nested(root)
    own = f"{home}/.claude/CLAUDE.md"
    if home and os.path.isfile(own):  # noqa: PTH113
        yield own, "~/.claude/CLAUDE.md", ""


def _nested(root: str) -> Iterator[tuple[str, str, str]]:
    todo = deque([("", 0)])
    for _ in range(_MOST_DIRECTORIES):
        if not todo:
            return
        folder, depth = todo.popleft()
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(f"{root}/{folder}") as entries:
                found = sorted((each.name, each.is_dir(follow_symlinks=False)) for each in entries)
        except OSError:
            continue
        for name, is_directory in found:
            if name in NESTED and folder and not is_directory:
                yield f"{root}/{prefix}{name}", f"{prefix}{name}", prefix
            if is_directory and depth < _DEEPEST and name[0] != "." and name not in _SKIPPED:
                todo.append((f"{prefix}{name}", depth + 1))


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))[:MOST_FILES]  # noqa: PTH208 - names alone
    except OSError:
        return []


def _read(out: Sources, path: str, name: str, under: str, depth: int) -> Source | None:
    try:
        text = read_regular(path, MOST_BYTES).decode()
    except OSError as error:
        why = error.strerror or str(error)
        out.remarks.append(Remark("unreadable", name, f"it cannot be read: {why}", "mend it"))
        return None
    except UnicodeDecodeError:
        out.remarks.append(Remark("unreadable", name, "it is no UTF-8", "write it as text"))
        return None
    return Source(name, path, tuple(text.splitlines()), under, depth)


def _target(target: str, path: str, root: str, home: str) -> str:
    del root
    if target.startswith("~/"):
        return os.path.normpath(f"{home}/{target[2:]}")
    if target.startswith("/"):
        return os.path.normpath(target)
    return os.path.normpath(f"{path.rpartition('/')[0]}/{target}")


def _is_inside(path: str, root: str, home: str) -> bool:
    real = os.path.realpath(path)
    bases = (os.path.realpath(root), f"{os.path.realpath(home)}/.claude" if home else "")
    return any(base and real.startswith(f"{base}/") for base in bases)


def _cited(path: str, root: str, home: str) -> str:
    if path.startswith(f"{root}/"):
        return path[len(root) + 1 :]
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path
