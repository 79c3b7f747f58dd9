"""The enricher that tells an agent its contract when it starts: what it knows it need not try."""

from collections.abc import Iterator, Sequence

from pointsman.hooks.kit import Kit
from pointsman.hooks.spawn import bound
from pointsman.model.contract import Contract
from pointsman.model.decision import Decision, inject
from pointsman.model.event import Event
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "briefing"
_MOST_SHOWN = 20


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher for the contracts of this policy."""
    del kit

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        lines = [line for each in bound(policy, event.identity.agent) for line in lines_of(each)]
        if not lines:
            return None
        text = "\n".join(f"- {line}" for line in dict.fromkeys(lines))
        return inject(f"Your contract, held to by Pointsman:\n{text}", rule="contract.brief")

    return Hook(name=NAME, role=Role.ENRICHER, run=run, events=frozenset({"SubagentStart"}))


def lines_of(contract: Contract) -> Iterator[str]:
    """Yield what this contract asks of its agent, in words to the agent."""
    if contract.problems:
        yield "your contract cannot be read: you can change nothing until a person mends it"
        return
    if contract.council:
        yield "you are on a council: you advise, and change nothing, not by the shell either"
    elif contract.read_only:
        yield "you are read-only: you change nothing, not by the shell either"
    elif contract.owns:
        yield f"you may change only: {_some(contract.allowed) or 'nothing'}"
    if contract.forbidden:
        yield f"you may never change: {_some(contract.forbidden)}"
    if contract.network == "none":
        yield "your shell commands have no network"
    if contract.requires_tests:
        yield "who changes code changes a test with it"
    for check in contract.post_complete:
        if check.command:
            yield f"when you end this is run: {check.command} ({check.check})"


def _some(globs: Sequence[str]) -> str:
    more = f", and {len(globs) - _MOST_SHOWN} more" if len(globs) > _MOST_SHOWN else ""
    return ", ".join(globs[:_MOST_SHOWN]) + more
