"""A spec read from Markdown: lines with their sections, code apart from prose."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pointsman.specs.words import RUNNERS, SECTIONS, SUFFIXES

MOST_BYTES = 256 * 1024
"""A longer file is no spec; it is not read."""
_HEADING = re.compile(r"(#{1,6})\s+(.*?)[\s#]*$")
_BOLD = re.compile(r"\*\*([^*]{1,60}?):?\*\*:?(?:\s+(.*))?$")
_CODE = re.compile(r"`([^`\n]{1,400})`")
_LINK = re.compile(r"\]\(([^)\s]{1,400})\)")
_BARE = re.compile(r"(?<![\w`/:.])[\w.-]+(?:/[\w.*-]+)+/?")
_SHELLS = frozenset(("", "bash", "sh", "shell", "zsh", "console", "shell-session", "terminal"))
_BOLD_LEVEL = 7


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, its text, and the language of the fence it stands in."""

    number: int
    text: str
    fence: str | None = None

    @property
    def prose(self) -> str:
        """The line without code and without what is quoted."""
        if self.fence is not None:
            return ""
        return re.sub(r'"[^"]*"|“[^”]*”', " ", _CODE.sub(" ", self.text))


@dataclass(slots=True)
class Section:
    """What stands below the headings of one kind; ``line`` is that of the first."""

    line: int
    lines: list[Line] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not any(each.text.strip() for each in self.lines)


def sections(text: str) -> dict[str, Section]:
    """Return the sections by kind, those of ``SECTIONS``; what stands elsewhere is left out."""
    found: dict[str, Section] = {}
    kind, level = "", 0
    for line in _lines(text):
        depth, title, rest = _heading(line)
        known = _kind(title) if title else ""
        if title and (known or (depth <= level and depth < _BOLD_LEVEL)):
            kind, level = known, depth
            if kind:
                found.setdefault(kind, Section(line.number))
            if not rest:
                continue
            line = Line(line.number, rest)  # noqa: PLW2901 - what stands behind the bold words
        if kind:
            found[kind].lines.append(line)
    return found


def _lines(text: str) -> Iterator[Line]:
    mark, language = "", ""
    for number, raw in enumerate(text.splitlines(), 1):
        bare = raw.strip()
        fence = re.match(r"(`{3,}|~{3,})\s*([\w-]*)", bare)
        if mark:
            if bare.startswith(mark) and not bare.strip(mark[0]):
                mark = ""
            else:
                yield Line(number, raw, language)
        elif fence:
            mark, language = fence[1], fence[2].lower()
        else:
            yield Line(number, raw)


def _heading(line: Line) -> tuple[int, str, str]:
    if line.fence is not None:
        return 0, "", ""
    if found := _HEADING.match(line.text):
        return len(found[1]), found[2], ""
    if found := _BOLD.match(line.text):
        return _BOLD_LEVEL, found[1], found[2] or ""
    return 0, "", ""


def _kind(title: str) -> str:
    bare = " ".join(re.sub(r"[^a-z ]+", " ", title.lower()).split())
    for kind, names in SECTIONS.items():
        if bare in names or any(bare.startswith(f"{each} ") for each in names[:1]):
            return kind
    return ""


def commands(section: Section) -> list[tuple[int, str]]:
    """Return what can be run, with its line: lines of shell blocks, and inline code."""
    found = []
    for line in section.lines:
        if line.fence is None:
            found += [(line.number, each) for each in _CODE.findall(line.text) if _runs(each)]
        elif line.fence in _SHELLS:
            bare = line.text.strip().removeprefix("$ ")
            if bare and not bare.startswith("#") and (line.fence or _runs(bare)):
                found.append((line.number, bare))
    return found


def _runs(text: str) -> bool:
    words = [each for each in text.removeprefix("$ ").split() if "=" not in each]
    if not words:
        return False
    first = words[0]
    # A path to a runner is one: .venv/bin/pytest. A bare `git` names a tool and runs nothing.
    runner = first.rpartition("/")[2]
    alone = len(words) == 1 and runner not in ("pytest", "tox", "nox", "make", "vitest", "jest")
    return first.startswith("./") or (runner in RUNNERS and not alone)


def paths(section: Section) -> list[tuple[Line, str]]:
    """Return the paths that a section names, in code, in links and bare, with their lines."""
    found = []
    for line in section.lines:
        named = _CODE.findall(line.text) + _LINK.findall(line.text)
        named += [each for each in _BARE.findall(line.prose) if _is_file(each)]
        found += [
            (line, each.partition("#")[0].removeprefix("./"))
            for each in dict.fromkeys(each.strip() for each in named)
            if _is_path(each)
        ]
    return found


def _is_path(text: str) -> bool:
    if re.search(r"[\s(){}<>$=,;:@]", text) or text.startswith(("-", "/", "~", "#")):
        return False
    return "/" in text.strip("/") or text.endswith("/") or _is_file(text)


def _is_file(text: str) -> bool:
    stem, dot, suffix = text.rpartition(".")
    return text.endswith("/") or bool(dot and stem and suffix.lower() in SUFFIXES)
