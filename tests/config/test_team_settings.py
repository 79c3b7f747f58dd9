"""A repository makes a team stricter, and never laxer."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.team_settings import DEFAULTS, merge_team, tool_rules
from pointsman.model.contract import ToolRule
from pointsman.model.tools import grants

_ORDERS = {"nested": ["allow", "", "deny"], "overlap": ["off", "ask", "deny"]}
_TEAM = st.fixed_dictionaries(
    {},
    optional={
        "nested": st.sampled_from(["allow", "deny"]),
        "overlap": st.sampled_from(["off", "ask", "deny"]),
        "attempts": st.integers(1, 10),
    },
)


def rank(key: str, value: Any) -> int:
    return _ORDERS[key].index(value) if key in _ORDERS else int(value)


@given(_TEAM, _TEAM)
def test_the_stricter_of_both_is_in_force(user: dict[str, Any], repository: dict[str, Any]) -> None:
    refused: list[tuple[tuple[str, ...], Any, str]] = []
    merged = merge_team(user, repository, refused)
    for key, default in DEFAULTS.items():
        own = user.get(key, default)
        theirs = repository.get(key, own)
        assert rank(key, merged[key]) == max(rank(key, own), rank(key, theirs))
        was_refused = rank(key, theirs) < rank(key, own)
        assert [at for at, _, _ in refused].count(("team", key)) == int(was_refused)


_NAMES = st.sampled_from(["Read", "Bash", "mcp__a__*", "*"])
_ROLES = st.dictionaries(
    st.sampled_from(["builder", "scout"]),
    st.fixed_dictionaries(
        {}, optional={"tools": st.lists(_NAMES, max_size=2), "disallowed": st.lists(_NAMES)}
    ),
)


def granted(rules: tuple[ToolRule, ...], agent: str) -> set[str]:
    declared = list(grants(agent, {}, rules))
    tools = ("Read", "Bash", "Write", "mcp__a__b")
    return {tool for tool in tools if not any(each.fault(tool) for each in declared)}


@given(_ROLES, _ROLES, st.sampled_from(["builder", "scout", "main"]))
def test_one_role_more_gives_nothing(
    user: dict[str, Any], repository: dict[str, Any], agent: str
) -> None:
    own = tool_rules(("user", user))
    both = tool_rules(("user", user), ("repository", repository))
    assert granted(both, agent) <= granted(own, agent)
