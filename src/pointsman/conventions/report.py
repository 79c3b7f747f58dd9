"""Which conventions are broken again and again, and what would make their line clearer."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pointsman.model.convention import Convention

_WEAK = re.compile(
    r"\b(?:try to|should|prefer(?:ably)?|ideally|consider|avoid|generally|usually|please)\b",
    re.IGNORECASE,
)
_DEEP = 200
"""Lines of a file behind which an instruction is easily lost."""
_LONG = 240


@dataclass(frozen=True, slots=True)
class Unclear:
    """A line that is broken again and again: how often, in how many sessions, by whom."""

    convention: Convention
    count: int
    sessions: int
    agents: tuple[str, ...]
    paths: tuple[str, ...]
    hints: tuple[str, ...]

    @property
    def advice(self) -> str:
        """Return what to do about it, in words."""
        return f"say it more clearly here: {'; '.join(self.hints)}"


def unclear(
    rules: Sequence[Convention], broken: Iterable[tuple[str, str, str, str]], again: int
) -> list[Unclear]:
    """Return the rules that were broken at least ``again`` times, the worst first.

    ``broken`` holds, for each time, the rule's id, the session, the agent and the path.
    """
    times: dict[str, list[tuple[str, str, str]]] = {}
    for rule, session, agent, path in broken:
        times.setdefault(rule, []).append((session, agent, path))
    found = []
    for each in rules:
        seen = times.get(each.id, [])
        if len(seen) >= again:
            found.append(
                Unclear(
                    convention=each,
                    count=len(seen),
                    sessions=len({session for session, _, _ in seen}),
                    agents=tuple(sorted({agent for _, agent, _ in seen})),
                    paths=tuple(dict.fromkeys(path for _, _, path in reversed(seen)))[:5],
                    hints=tuple(_hints(each)),
                )
            )
    return sorted(found, key=lambda one: -one.count)


def _hints(rule: Convention) -> list[str]:
    words = " ".join(rule.text.split())
    weak = _WEAK.search(words)
    hints = []
    if weak:
        hints.append(f"“{weak[0]}” leaves a choice: write never or always")
    if not rule.check.instead:
        hints.append("name what to do instead, with an example")
    if rule.line > _DEEP:
        hints.append(f"it stands at line {rule.line}: move it to the top")
    if rule.depth > 1:
        hints.append(f"it is {rule.depth} imports away: put it into the first file")
    if len(words) > _LONG:
        hints.append("it says several things: give this one a line of its own")
    if not hints:
        hints.append('give it a heading of its own, or have it denied (violation = "deny")')
    return hints
