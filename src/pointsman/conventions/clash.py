"""Rules that cannot both be kept, and files of instructions that are not there."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from pointsman.conventions.sources import Sources
from pointsman.model.convention import Check, Convention, Kind, Remark

MOST_REMARKS = 20
_ONE_VALUE = frozenset({Kind.LINES, Kind.COLUMNS, Kind.INDENT, Kind.NAME, Kind.TEST_NAME})
_WORDS = frozenset({Kind.TOKEN, Kind.COMMAND})
_OPPOSED = (frozenset({"default-export", "named-export"}),)
_MOST_COMPARED = 200
_HOST_FILES = ("CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md")
_OTHER_HOSTS = ("AGENTS.md", "GEMINI.md", ".cursorrules")


def clashes(rules: Sequence[Convention]) -> list[Remark]:
    """Return the pairs of rules that contradict one another, as far as a program can tell."""
    out = []
    for one, other in combinations(rules[:_MOST_COMPARED], 2):
        if one.where == other.where or not _meet(one.check, other.check):
            continue
        if _opposed(one.check, other.check):
            text = f"“{_said(one)}” contradicts {other.where}: “{_said(other)}”"
            out.append(
                Remark("contradiction", one.where, text, "say in one place which of them holds")
            )
        if len(out) >= MOST_REMARKS:
            break
    return out


def missing(sources: Sources, *, has_code: bool) -> Iterator[Remark]:
    """Yield the files of instructions that an agent would look for in vain."""
    names = {each.name for each in sources.files if each.lines}
    project = {name for name in names if not name.startswith("~")}
    if not project and has_code:
        yield Remark(
            "missing", "CLAUDE.md", "this project tells agents no conventions: they guess",
            "write down what they cannot see from the code, in CLAUDE.md or AGENTS.md",
        )  # fmt: skip
    others = [name for name in _OTHER_HOSTS if name in project]
    if others and not project & set(_HOST_FILES):
        yield Remark(
            "missing", "CLAUDE.md", f"there is {others[0]}, which Claude Code does not read",
            f"write CLAUDE.md with the line @{others[0]}",
        )  # fmt: skip
    for each in sources.files:
        if not any(line.strip() for line in each.lines):
            yield Remark("missing", each.name, "it is empty", "fill it or take it away")


def _meet(one: Check, other: Check) -> bool:
    """Whether there are files that both rules are about."""
    if not (one.under.startswith(other.under) or other.under.startswith(one.under)):
        return False
    # What holds for a part only is an exception to what holds for all, not its opposite.
    if one.under != other.under:
        return False
    if bool(one.suffixes) != bool(other.suffixes):
        return False
    return not one.suffixes or bool(set(one.suffixes) & set(other.suffixes))


def _opposed(one: Check, other: Check) -> bool:
    if one.kind in _WORDS and other.kind in _WORDS:
        return one.instead == other.value or other.instead == one.value
    if one.kind is not other.kind:
        return False
    if one.kind is Kind.PATTERN:
        return frozenset({one.value, other.value}) in _OPPOSED
    return one.kind in _ONE_VALUE and one.value != other.value


def _said(rule: Convention) -> str:
    return " ".join(rule.text.split())[:120]
