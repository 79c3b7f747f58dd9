"""How far the sessions that are shown are from their limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pointsman.config.policy_loader import PolicyLoader
from pointsman.engine.spent import Spending
from pointsman.model.errors import PointsmanError
from pointsman.model.event import Identity
from pointsman.model.events import PreToolUse
from pointsman.model.limit import Limit
from pointsman.model.places import Places
from pointsman.screen.feed import Agent
from pointsman.store.past_spent import PastSpent

_MOST = 20


@dataclass(frozen=True, slots=True)
class Reached:
    """One limit and how much of it is used, for one agent or session."""

    agent: Agent
    limit: Limit
    used: float

    @property
    def share(self) -> float:
        """The used part, 1 where it is reached."""
        return self.used / self.limit.at if self.limit.at else 1.0


def reached(places: Places, agents: Iterable[Agent], now_ns: int) -> list[Reached]:
    """Return the limits of these agents, the fullest first; empty where they cannot be read."""
    found: dict[tuple[str, ...], Reached] = {}
    policies = PolicyLoader(places)
    counting = Spending(PastSpent(places.ledger))
    chosen = [agent for agent in agents if agent.state != "over"][:_MOST]
    try:
        for agent in chosen:
            root = agent.repository
            policy = policies.policy_for(root if root and Path(root).is_dir() else None)
            for limit in policy.limits:
                if limit.agents and not any(fnmatchcase(agent.name, one) for one in limit.agents):
                    continue
                used = counting.used(_event(agent, now_ns), limit).amount
                found.setdefault(_about(agent, limit), Reached(agent, limit, used))
    except PointsmanError:
        return []
    return sorted(found.values(), key=lambda each: -each.share)


def _about(agent: Agent, limit: Limit) -> tuple[str, ...]:
    """Return what a limit is counted over: that is shown once."""
    whose = {"day": ("",), "session": (agent.session,), "type": (agent.session, agent.name)}
    return (limit.rule, str(limit.at), *whose.get(limit.per, agent.key))


def _event(agent: Agent, now_ns: int) -> PreToolUse:
    identity = Identity(
        host="", session=agent.session, agent_id=agent.id or None,
        agent_type=agent.name if agent.id else None, repository=agent.repository or None,
    )  # fmt: skip
    return PreToolUse(identity=identity, received_ns=now_ns)
