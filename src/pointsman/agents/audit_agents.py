"""Checks of an audit: agents and their contracts, and tools that are tight where hooks are weak."""

from collections.abc import Iterator

from pointsman.agents.audit_input import AgentFile, Inputs, Spot
from pointsman.agents.audit_settings import guarded
from pointsman.model.audit import Level
from pointsman.model.contract import EVERY_AGENT, Contract

WRITERS = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})
_CHANGING = WRITERS | {"Bash", "Monitor", "*"}
_ALL = frozenset({"**", "**/*", "*", "/**", "./**", "**/**"})


def without_contract(inputs: Inputs) -> Iterator[Spot]:
    """Agents that may change files, and have no contract that says which."""
    for agent in inputs.agents:
        if can_change(agent) and not {agent.name, EVERY_AGENT} & inputs.contracts.keys():
            what = f"the agent {agent.name!r} may change every file: it has no contract"
            fix = 'outputs: {allowed_modifications: ["src/**"]} in its frontmatter'
            yield Spot(agent.file, agent.line, what, fix)


def allows_everything(inputs: Inputs) -> Iterator[Spot]:
    """Contracts that hold nobody to anything."""
    for name, contracts in inputs.contracts.items():
        for contract in contracts:
            if is_open(contract):
                what = f"the contract of {name!r} allows every file and forbids none"
                fix = "name the directories that are its work, or forbid what is not"
                yield Spot(contract.source, 1, what, fix)


def broken_contracts(inputs: Inputs) -> Iterator[Spot]:
    """Contracts that cannot be read: every edit of their agents is denied."""
    for name, contracts in inputs.contracts.items():
        for contract in contracts:
            if contract.problems:
                what = f"the contract of {name!r} cannot be read: {contract.problems[0]}"
                fix = "pointsman status names the line and what to write"
                yield Spot(contract.source, 1, what, fix)


def tight_tools_weak_hooks(inputs: Inputs) -> Iterator[Spot]:
    """The anti-pattern: tools are taken away, and nothing enforces what is done with the rest."""
    if guarded(inputs):
        return
    for agent in inputs.agents:
        if agent.tools is not None and can_change(agent):
            what = (
                f"the agent {agent.name!r} has only {', '.join(agent.tools) or 'no tools'}, and no "
                "guard looks at what it does with them"
            )
            yield Spot(agent.file, agent.line, what, "pointsman init")
    for file in inputs.settings:
        deny = file.member("permissions", "deny")
        if deny is not None and deny.value.elements:
            count = len(deny.value.elements)
            what = (
                f"{count} deny rules stand alone: they hold words of a call, not what it does "
                "(python -c, a script, a redirect go past them), and no guard stands behind them"
            )
            yield Spot(file.name, file.line(deny), what, "pointsman init")


def no_guard(inputs: Inputs) -> Iterator[Spot]:
    """Nothing of ours is asked about a call."""
    if not guarded(inputs):
        name = inputs.texts["project"][0] if "project" in inputs.texts else str(inputs.repository)
        what = "no guard is asked about any call"
        yield Spot(name, 1, what, "pointsman init")


def needs_more_tools(inputs: Inputs) -> Iterator[Spot]:
    """Agents whose contract gives them files to write, and whose tools cannot write."""
    for agent in inputs.agents:
        own = [each for each in inputs.contracts.get(agent.name, ()) if not each.read_only]
        writes = [each for each in own if not is_open(each) and each.allowed and not each.problems]
        if agent.tools is not None and not can_change(agent) and writes:
            what = f"the agent {agent.name!r} has files to write and no tool that writes"
            fix = "give it Edit and Write: the contract holds it, its tools need not"
            yield Spot(agent.file, agent.line, what, fix, Level.WARNING)


def thin_prompts(inputs: Inputs) -> Iterator[Spot]:
    """Agents that are told next to nothing."""
    for agent in inputs.agents:
        if is_thin(agent):
            told, described = len(agent.prompt.split()), len(agent.description.split())
            what = (
                f"the agent {agent.name!r} is told too little: its prompt has {told} words, its "
                f"description {described}"
            )
            fix = "say what is its work, what is not, and how it ends"
            yield Spot(agent.file, agent.line, what, fix)


FEWEST_WORDS = 20
"""Words of prompt and description together; fewer can hardly say what is its work."""


def is_thin(agent: AgentFile) -> bool:
    """Whether an agent's prompt is too short to be strict."""
    return len(agent.prompt.split()) + len(agent.description.split()) < FEWEST_WORDS


def can_change(agent: AgentFile) -> bool:
    """Whether an agent has a tool that changes files, or any at all."""
    return agent.tools is None or any(
        tool.partition("(")[0] in _CHANGING or tool.startswith("mcp__") for tool in agent.tools
    )


def bound(agent: AgentFile, inputs: Inputs) -> bool:
    """Whether something holds an agent to some files."""
    own = (*inputs.contracts.get(agent.name, ()), *inputs.contracts.get(EVERY_AGENT, ()))
    return any(not is_open(contract) for contract in own)


def is_open(contract: Contract) -> bool:
    """Whether a contract allows every file and forbids none."""
    everything = bool(_ALL & set(contract.allowed))
    return (
        everything and not contract.forbidden and not contract.read_only and not contract.problems
    )
