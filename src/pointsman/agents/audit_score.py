"""The score of an audit: permissive tools, strict prompts, enforcement by hooks, contracts.

The idea it measures: let an agent use its tools, tell it plainly what is its work, and have hooks
enforce it. 100 points in four parts; each part says why it is not whole.
"""

from collections.abc import Iterator, Sequence

from pointsman.agents.audit_agents import bound, can_change, is_thin
from pointsman.agents.audit_input import Inputs
from pointsman.agents.audit_settings import guarded
from pointsman.agents.claude_events import GUARDS
from pointsman.agents.claude_settings import our_events
from pointsman.model.audit import Finding, Level, Part

TOOLS, PROMPTS, HOOKS, CONTRACTS = 20, 20, 40, 20
_BARE = frozenset({"Bash", "Edit", "Write", "Read", "Grep", "Glob", "Bash(*)"})
_INSTRUCTIONS = ("CLAUDE.md", ".claude/CLAUDE.md", "AGENTS.md")

_Loss = tuple[int, str]


def parts(inputs: Inputs, findings: Sequence[Finding]) -> tuple[Part, ...]:
    """Return the four parts of the score."""
    return (
        _part("permissive tools", TOOLS, _tools(inputs, findings)),
        _part("strict prompts", PROMPTS, _prompts(inputs)),
        _part("enforcement by hooks", HOOKS, _hooks(inputs, findings)),
        _part("contracts", CONTRACTS, _contracts(inputs, findings)),
    )


def _part(name: str, most: int, losses: Iterator[_Loss]) -> Part:
    lost = list(losses)
    points = max(0, most - sum(points for points, _ in lost))
    reasons = tuple(f"-{points}: {reason}" for points, reason in lost)
    return Part(name=name, points=points, most=most, reasons=reasons)


def _tools(inputs: Inputs, findings: Sequence[Finding]) -> Iterator[_Loss]:
    for file in inputs.settings:
        bare = [
            str(item.value.data)
            for item in file.items("permissions", "deny")
            if item.value.data in _BARE
        ]
        if bare:
            yield 10, f"{file.name} takes {', '.join(bare)} away as a whole"
    kept_from_work = _count(findings, "agent-lacks-tools")
    if kept_from_work:
        yield min(10, 5 * kept_from_work), f"{kept_from_work} agents cannot do their own work"
    # A wide permission is no fault where something else enforces; here nothing does.
    broad = _count(findings, "broad-allow")
    if broad and not guarded(inputs):
        yield min(20, 5 * broad), f"{broad} broad allow rules, and no guard behind them"
    elif broad:
        yield min(6, 2 * broad), f"{broad} broad allow rules, behind guards"


def _prompts(inputs: Inputs) -> Iterator[_Loss]:
    if not any((inputs.repository / name).is_file() for name in _INSTRUCTIONS):
        yield 10, f"none of {', '.join(_INSTRUCTIONS)} tells the main agent how to work here"
    thin = sum(is_thin(agent) for agent in inputs.agents)
    if thin:
        share = thin / len(inputs.agents)
        yield (
            max(1, round(10 * share)),
            f"{thin} of {len(inputs.agents)} agents are told too little",
        )


def _hooks(inputs: Inputs, findings: Sequence[Finding]) -> Iterator[_Loss]:
    if not guarded(inputs):
        yield HOOKS, "no guard is asked about any call"
        return
    events = frozenset(event for file in inputs.settings for event in our_events(file.root.data))
    open_events = [event for event in GUARDS if event not in events]
    if open_events:
        yield min(15, 5 * len(open_events)), f"not guarded: {', '.join(open_events)}"
    for check, points, said in (
        ("guard-weakened", 15, "entries of ours say less than they should"),
        ("event-silenced", 15, "faults silence an event's hooks"),
        ("settings-ignored", 15, "files are ignored as a whole"),
        ("env-leads-away", 10, "variables lead elsewhere"),
        ("dead-hook", 10, "hooks are dead"),
        ("matcher-never-matches", 5, "matchers match nothing"),
        ("old-format", 5, "hooks stand in the old form"),
    ):
        count = _count(findings, check)
        if count:
            yield points, f"{count} times: {said} ({check})"


def _contracts(inputs: Inputs, findings: Sequence[Finding]) -> Iterator[_Loss]:
    changing = [agent for agent in inputs.agents if can_change(agent)]
    free = [agent.name for agent in changing if not bound(agent, inputs)]
    if free:
        lost = max(1, round(CONTRACTS * len(free) / len(changing)))
        yield lost, f"held to no files: {', '.join(free)}"
    broken = _count(findings, "contract-broken")
    if broken:
        yield min(10, 5 * broken), f"{broken} contracts cannot be read"
    elif not inputs.agents and not inputs.contracts:
        yield 5, "there are no agents, and the main one is held to no files"


def _count(findings: Sequence[Finding], check: str) -> int:
    return sum(finding.id == check and finding.level is not Level.NOTE for finding in findings)
