"""In which order agents stand, and what is told of one: its session with all that is in it."""

from collections import Counter
from collections.abc import Callable, Sequence

from pointsman.screen import cells, words
from pointsman.screen.feed import Agent, Feed
from pointsman.screen.pending import Pending, about_session

ORDERS = ("heard of last", "cost", "tokens", "calls", "denied")
"""What ``o`` goes through."""
_BY: dict[str, Callable[[Agent], int]] = {
    "cost": lambda agent: agent.usd_nano,
    "tokens": lambda agent: agent.tokens,
    "calls": lambda agent: agent.calls,
    "denied": lambda agent: agent.denied,
}
_LAST = 40


def ordered(agents: Sequence[Agent], order: str) -> list[Agent]:
    """Return agents with the highest first: sessions by their sum, in each the agents below it."""
    by = _BY.get(order)
    if by is None:
        return list(agents)
    sums: Counter[str] = Counter()
    for agent in agents:
        sums[agent.session] += by(agent)
    return sorted(
        agents, key=lambda each: (-sums[each.session], each.session, bool(each.id), -by(each))
    )


def about(agent: Agent, feed: Feed, pending: Pending) -> str:
    """Return what is known of an agent and its session: others, what waits, what came last."""
    others = [each for each in feed.agents.values() if each.session == agent.session]
    rows = [row for row in feed.rows if row["session"] == agent.session and (
        not agent.id or cells.key_of(row) == agent.key)]  # fmt: skip
    rules = Counter(str(row.get("rule") or "") for row in rows if words.verdict(row) == "deny")
    more = {
        **about_session(pending, agent.session),
        "denied by": "\n".join(f"{times} times {rule}" for rule, times in rules.most_common(10)),
        "agents": "\n".join(_one(each) for each in others) if len(others) > 1 else "",
        "lately": "\n".join(_event(row) for row in rows[-_LAST:]),
    }
    return f"{cells.about_agent(agent)}\n{words.whole(more)}"


def _one(agent: Agent) -> str:
    cost = words.money(agent.usd_nano, agent.unpriced)
    return (
        f"{words.STATES[agent.state][0]} {agent.name} {agent.id}  {agent.calls} calls,"
        f" {agent.denied} denied, {words.count(agent.tokens)} tokens, {cost}"
    )


def _event(row: dict[str, object]) -> str:
    sign = words.SYMBOLS[words.verdict(row)][0]
    said = row.get("what") or row.get("path") or row.get("reason") or ""
    rule = f"{row['rule']} " if row.get("rule") else ""
    at = words.clock(int(str(row["at"])))
    return f"{at} {sign} {row['agent']} {row.get('tool') or row['event']}: {rule}{said}"
