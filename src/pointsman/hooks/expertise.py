"""The enricher that tells an agent what is known of its part of the project.

At the start of a session it is all domains of the project; at the start of a subagent those that
the paths in its prompt, or its name, have to do with. Sheets are read side by side in threads: what
was not read when the time is nearly up is named, and what was is told.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.events import SessionStart
from pointsman.model.expertise import ERROR_LINES, TOKENS, WARN_LINES, Domain, Sheet, Weight
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "expertise"
SHARE = 0.8
"""The part of its budget after which what has been read is told, and the rest is left out."""
BESIDE_BRIEF = 1200
"""Tokens after ``/clear``, where a brief of up to 1,500 comes along: of more than 10,000 characters
Claude Code shows the model the first 2 KB alone (measured with 2.1.330)."""
_MOST_SHEETS = 24
_MOST_PATHS = 64
_MOST_FLAWS = 8
_QUIET = frozenset({"resume", "fork"})
"""How a session goes on that has been told before, and still has it in its context."""
_WORDS = re.compile(r"[^\s\"'`<>,;:|*]+")
"""The words of a prompt, paths among them; no two share a character."""
_FILE = re.compile(r"[\w-]+\.[A-Za-z]{1,5}")
_LONGEST = 1024


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher for the sheets of this policy's repository."""
    settings = policy.guidance.get(NAME, {})

    async def run(event: Event, context: HookContext) -> Decision | None:
        root = event.identity.repository or event.identity.cwd
        if not root or (isinstance(event, SessionStart) and event.source in _QUIET):
            return None
        paths: Sequence[str] = ()
        if not isinstance(event, SessionStart):
            paths = paths_in(kit.team.prompt(event), root)
        read = await _Reading(kit, context, settings).of(root)
        sheets: Sequence[Sheet] = [each for each in read.sheets if each.sections]
        if not isinstance(event, SessionStart):
            sheets = kit.experts.concerned(sheets, paths, event.identity.agent_type or "")
        tokens = int(settings.get("tokens", TOKENS))
        if isinstance(event, SessionStart) and event.source == "clear":
            tokens = min(tokens, BESIDE_BRIEF)
        # In a thread as well: it looks at every line of every sheet.
        text = await asyncio.to_thread(kit.experts.told, sheets, root, paths, tokens)
        notice = read.notice if isinstance(event, SessionStart) else ""
        for line in read.notice.splitlines():
            context.log(line)
        if not text and not notice:
            return None
        return Decision(action=None, context=text, rule="expertise.told", notice=notice)

    return Hook(
        name=NAME, role=Role.ENRICHER, run=run, events=frozenset({"SessionStart", "SubagentStart"})
    )


def paths_in(prompt: str, root: str) -> list[str]:
    """Return what looks like a path in a prompt, relative to the repository where it lies there."""
    found: dict[str, None] = {}
    for match in _WORDS.finditer(prompt):
        word = match[0]
        if len(word) > _LONGEST or not ("/" in word or "." in word):
            continue
        # A bracket that the word itself opens is part of its name, as in pages/[id].
        path = word.rstrip(".!?").removeprefix("(").removeprefix("./")
        path = path.removeprefix(f"{root}/").rstrip(")" if "(" not in path else "")
        if path.strip("/") and ("/" in path or _FILE.fullmatch(path)):
            found[path] = None
        if len(found) >= _MOST_PATHS:
            break
    return list(found)


@dataclass(frozen=True, slots=True)
class _Read:
    sheets: Sequence[Sheet]
    notice: str
    """What a person should know of sheets that were not read, or not well; a line for each."""


class _Reading:
    """Reads every sheet of a project before the time is up."""

    def __init__(self, kit: Kit, context: HookContext, settings: Mapping[str, Any]) -> None:
        self._experts = kit.experts
        self._budget = context.budget
        self._bounds = (
            int(settings.get("warn_lines", WARN_LINES)),
            int(settings.get("error_lines", ERROR_LINES)),
        )

    async def of(self, root: str) -> _Read:
        finding = asyncio.ensure_future(asyncio.to_thread(self._experts.domains, root))
        await asyncio.wait({finding}, timeout=self._seconds())
        if not finding.done():
            finding.cancel()
            return _Read((), "expertise: the project's domains were not found in time")
        known = [each for each in finding.result() if each.files]
        tasks = {each.name: asyncio.ensure_future(self._sheet(each))
                 for each in known[:_MOST_SHEETS]}  # fmt: skip
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self._seconds())
        sheets, notes = [], []
        for name, task in tasks.items():
            if not task.done():
                task.cancel()
                notes.append(f"expertise: {name} was not read in time")
            elif (error := task.exception()) is not None:
                notes.append(f"expertise: {name} could not be read: {error!r}")
            else:
                sheets.append(task.result())
        notes += [f"expertise: {each.name} was left out: more than {_MOST_SHEETS} domains have "
                  "a sheet" for each in known[_MOST_SHEETS:]]  # fmt: skip
        return _Read(sheets, "\n".join([*notes, *_flaws(sheets)]))

    async def _sheet(self, domain: Domain) -> Sheet:
        return await asyncio.to_thread(self._experts.sheet, domain, *self._bounds)

    def _seconds(self) -> float:
        return max(0.0, self._budget.remaining() - (1 - SHARE) * self._budget.total)


def _flaws(sheets: Sequence[Sheet]) -> list[str]:
    """Return what is wrong with sheets, the worst first, as far as a person wants to read on."""
    found = [flaw for sheet in sheets for flaw in sheet.flaws]
    found.sort(key=lambda flaw: flaw.weight is not Weight.ERROR)
    lines = [f"expertise: {flaw}" for flaw in found[:_MOST_FLAWS]]
    if len(found) > _MOST_FLAWS:
        lines.append(f"expertise: {len(found) - _MOST_FLAWS} more: pointsman expertise check")
    return lines
