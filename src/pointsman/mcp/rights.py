"""What the asking agent may do by its contract, its own file and the roles of the settings."""

from typing import Any

from pointsman.config.registry import Registry
from pointsman.mcp.asking import Asked
from pointsman.model.contract import EVERY_AGENT


def contract(asked: Asked) -> tuple[dict[str, Any], list[str]]:
    """Tell what binds the agent, and what that allows."""
    policy, agent = asked.policy, asked.agent
    entry = Registry(policy, asked.who.repository or asked.who.cwd or "/").as_dict()["agents"]
    found = entry.get(agent)
    bound = (*policy.contracts.get(agent, ()), *policy.contracts.get(EVERY_AGENT, ()))
    broken = [problem for each in bound for problem in each.problems]
    if found is None:
        text = f"No contract is declared for agent {agent!r}: it may change any file of the project"
        lines = [f"{text}, as far as the other guards let it."]
        return {"bound": bool(bound), "problems": broken, "contract": None}, [*lines, *_why(broken)]
    lines = [
        f"Agent {agent!r}, by {', '.join(found['files']) or 'the settings'}:",
        f"may change: {', '.join(found['mayWrite']) or 'nothing'}",
        f"may not change: {', '.join(found['mayNotWrite']) or 'nothing is excepted'}",
        f"tools: {', '.join(found['tools'])}",
        f"network: {found['network']}",
    ]
    if found["disallowedTools"]:
        lines.append(f"tools taken away: {', '.join(found['disallowedTools'])}")
    if found["checks"]:
        lines.append(f"checked at the end: {'; '.join(found['checks'])}")
    values = {"bound": bool(bound), "problems": broken, "contract": found}
    return values, [*lines, *_why(broken)]


def _why(broken: list[str]) -> list[str]:
    return [f"its declaration cannot be read, so every edit is denied: {each}" for each in broken]
