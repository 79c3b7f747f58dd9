"""A repository tightens what the user has chosen, and never loosens it."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.assembly import Setups
from pointsman.case import Delivery
from pointsman.config.merge import Merged, merge
from pointsman.config.schema import EVENT_NAMES, RULE_NAMES, SETTINGS
from pointsman.hooks.edits import edited_paths
from pointsman.hooks.packs.all_packs import PACK_OF, RULES
from pointsman.model.budget import LONGEST, OTHER_EVENTS
from pointsman.model.contract import Contract
from pointsman.model.decision import Action
from pointsman.model.errors import PayloadError
from pointsman.model.places import Places
from pointsman.model.policy import McpWriter, Policy
from pointsman.runtime import Runtime

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Time is no part of a property: the machine may be busy."""

_SECONDS = st.floats(0.001, LONGEST) | st.integers(1, 20)
_NAMES = st.sampled_from(["PreToolUse", "PreEdit", "SessionStart", "Stop"])
_GLOBS = st.lists(st.sampled_from(["src/**", "*.md", "docs/*", "**/.env"]), max_size=3)
_WORDS = st.sampled_from(["deny", "ask", "off"])
_TOOLS = ["mcp__fs__write", "mcp__filesystem__write_file", "mcp__fs__*", "mcp__*"]
_WRITERS = st.lists(
    st.fixed_dictionaries(
        {
            "tool": st.sampled_from(_TOOLS),
            "paths": st.lists(st.sampled_from(["path", "content", "to"]), min_size=1, max_size=2),
        }
    ),
    max_size=3,
)
_GUARD = {"enabled": st.booleans()}
SETTINGS_FILES = st.fixed_dictionaries(
    {},
    optional={
        "budgets": st.dictionaries(_NAMES, _SECONDS),
        "guards": st.fixed_dictionaries(
            {},
            optional={
                "scope": st.fixed_dictionaries({}, optional=_GUARD),
                "command-safety": st.fixed_dictionaries(
                    {},
                    optional={
                        **_GUARD,
                        "rules": st.dictionaries(st.sampled_from(RULE_NAMES[:4]), _WORDS),
                    },
                ),
                "self-protection": st.fixed_dictionaries({}, optional={**_GUARD, "paths": _GLOBS}),
            },
        ),
        "mcp_writers": _WRITERS,
        "escalation": st.fixed_dictionaries(
            {},
            optional={
                "denial_burst": st.integers(2, 50),
                "window": st.floats(1, 1000),
                "repeat_after": st.floats(1, 1000),
            },
        ),
        "ledger": st.fixed_dictionaries({}, optional={"retention_days": st.integers(1, 365)}),
        "sandbox": st.fixed_dictionaries(
            {},
            optional={
                "enabled": st.booleans(),
                "mechanism": st.sampled_from(["auto", "landlock", "none"]),
            },
        ),
    },
)
_STRICT = {"off": 0, "ask": 1, "deny": 2}


def effective(merged: Merged) -> dict[str, Any]:
    """Return what is in force, without what was refused."""
    return {
        "budgets": merged.budgets,
        "guards": {name: table for name, table in merged.guards.items() if table},
        "mcp_writers": merged.mcp_writers,
        "escalation": merged.escalation,
        "ledger": {"retention_days": merged.retention_days},
        "sandbox": {"enabled": merged.sandbox, "mechanism": merged.mechanism},
    }


def enabled(merged: Merged, guard: str) -> bool:
    return merged.guards.get(guard, {}).get("enabled", True) is True


def rules(merged: Merged) -> Mapping[str, str]:
    given: Mapping[str, str] = merged.guards.get("command-safety", {}).get("rules", {})
    return {rule.id: given.get(rule.id, rule.action.value) for rule in RULES.values()}


def written(merged: Merged, tool: str, tool_input: Mapping[str, Any]) -> set[str] | None:
    """Return the files that a call is held to change; ``None`` where it is stopped at once."""
    writers = [
        McpWriter(tool=each["tool"], paths=tuple(each["paths"])) for each in merged.mcp_writers
    ]
    try:
        return set(edited_paths(tool, tool_input, writers) or ())
    except PayloadError:
        return None


@UNHURRIED
@given(SETTINGS_FILES, SETTINGS_FILES)
def test_nothing_is_allowed_that_the_users_own_file_denies(
    user: dict[str, Any], repository: dict[str, Any]
) -> None:
    alone, both = merge(user, {}), merge(user, repository)
    for event in EVENT_NAMES:
        limit = alone.budgets.get(event, OTHER_EVENTS)
        assert both.budgets.get(event, OTHER_EVENTS) <= limit
        assert both.own_budgets.get(event, OTHER_EVENTS) == limit
    for guard in ("scope", "command-safety", "self-protection"):
        assert enabled(both, guard) >= enabled(alone, guard)
    before, after = rules(alone), rules(both)
    assert all(_STRICT[after[rule]] >= _STRICT[before[rule]] for rule in RULES)
    kept = alone.guards.get("self-protection", {}).get("paths", [])
    assert {*kept} <= {*both.guards.get("self-protection", {}).get("paths", [])}
    assert both.retention_days == alone.retention_days
    assert both.sandbox is alone.sandbox
    assert both.mechanism == alone.mechanism
    assert both.escalation.get("denial_burst", 5) <= alone.escalation.get("denial_burst", 5)
    assert both.escalation.get("window", 60) >= alone.escalation.get("window", 60)
    assert both.escalation.get("repeat_after", 300) <= alone.escalation.get("repeat_after", 300)


@UNHURRIED
@given(SETTINGS_FILES, SETTINGS_FILES, st.sampled_from([t for t in _TOOLS if "*" not in t]))
def test_a_call_that_edits_files_edits_no_fewer(
    user: dict[str, Any], repository: dict[str, Any], tool: str
) -> None:
    call = {"path": "/a", "content": "/b"}
    alone = written(merge(user, {}), tool, call)
    both = written(merge(user, repository), tool, call)
    assert both is None or (alone is not None and both >= alone)
    assert fnmatchcase(tool, "mcp__*")


@UNHURRIED
@given(SETTINGS_FILES, SETTINGS_FILES)
def test_merging_again_changes_nothing(user: dict[str, Any], repository: dict[str, Any]) -> None:
    once = merge(user, repository)
    again = merge(effective(once), repository)
    assert effective(again) == effective(once)


@UNHURRIED
@given(SETTINGS_FILES)
def test_a_repository_that_says_nothing_changes_nothing(user: dict[str, Any]) -> None:
    merged = merge(user, {})
    assert not merged.refused
    assert merged.budgets == merged.own_budgets


@UNHURRIED
@given(SETTINGS_FILES, SETTINGS_FILES, SETTINGS_FILES)
def test_the_order_of_two_tightenings_is_no_matter(
    user: dict[str, Any], one: dict[str, Any], two: dict[str, Any]
) -> None:
    def in_turn(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
        values = effective(merge(effective(merge(user, first)), second))
        kept = values["guards"].get("self-protection", {}).get("paths", [])
        if kept:
            values["guards"]["self-protection"]["paths"] = sorted(kept)
        values["mcp_writers"] = sorted(
            values["mcp_writers"], key=lambda each: (each["tool"], each["paths"])
        )
        return values

    assert in_turn(one, two) == in_turn(two, one)


@UNHURRIED
@given(SETTINGS_FILES, SETTINGS_FILES)
def test_the_files_are_left_alone(user: dict[str, Any], repository: dict[str, Any]) -> None:
    before = repr((user, repository))
    merge(user, repository)
    assert repr((user, repository)) == before


@UNHURRIED
@given(SETTINGS_FILES)
def test_what_is_generated_checks_out(values: dict[str, Any]) -> None:
    """The properties are about files that are in force."""
    SETTINGS.check(values, (), lambda *finding: pytest.fail(str(finding)))


REFUSED = {
    "a longer budget": ({"budgets": {"PreToolUse": 20.0}}, ("budgets", "PreToolUse")),
    "a guard off": ({"guards": {"scope": {"enabled": False}}}, ("guards", "scope", "enabled")),
    "a rule off": (
        {"guards": {"command-safety": {"rules": {"rm-tree": "off"}}}},
        ("guards", "command-safety", "rules", "rm-tree"),
    ),
    "a rule asked about": (
        {"guards": {"command-safety": {"rules": {"rm-tree": "ask"}}}},
        ("guards", "command-safety", "rules", "rm-tree"),
    ),
    "a later burst": ({"escalation": {"denial_burst": 99}}, ("escalation", "denial_burst")),
    "a weaker sandbox": ({"sandbox": {"mechanism": "none"}}, ("sandbox", "mechanism")),
    "a longer yes": ({"approvals": {"valid_for": 600}}, ("approvals", "valid_for")),
    "questions to nobody": ({"approvals": {"ask": "host"}}, ("approvals", "ask")),
    "the sandbox off": ({"sandbox": {"enabled": False}}, ("sandbox", "enabled")),
    "the reading switched off": ({"cost": {"enabled": False}}, ("cost", "enabled")),
    "the record sent elsewhere": ({"telemetry": {"sinks": []}}, ("telemetry", "sinks")),
    "a shorter record": ({"ledger": {"retention_days": 1}}, ("ledger", "retention_days")),
}


@pytest.mark.parametrize(("repository", "key"), REFUSED.values(), ids=REFUSED)
def test_what_would_loosen_is_refused_and_told(
    repository: dict[str, Any], key: tuple[str, ...]
) -> None:
    merged = merge({}, repository)
    assert [refused for refused, _, _ in merged.refused] == [key]
    assert merged.budgets == merge({}, {}).budgets
    assert merged.escalation in ({}, {"denial_burst": 5})
    assert enabled(merged, "scope")
    assert rules(merged) == rules(merge({}, {}))


def test_the_user_may_loosen_the_defaults() -> None:
    merged = merge({"budgets": {"PreToolUse": 20.0}, "guards": {"scope": {"enabled": False}}}, {})
    assert merged.budgets["PreToolUse"] == 20.0
    assert not enabled(merged, "scope")
    assert not merged.refused


def test_the_schema_knows_every_rule() -> None:
    assert {*RULE_NAMES} == {*RULES, *PACK_OF.values(), "unverified"}


class Fixed:
    """What a merge amounts to, as the only policy."""

    def __init__(self, merged: Merged) -> None:
        writers = [
            McpWriter(tool=each["tool"], paths=tuple(each["paths"])) for each in merged.mcp_writers
        ]
        contract = Contract(agent="builder", source="", root="/r", allowed=("src/**",))
        self.policy = Policy(
            repository="/r",
            budgets=merged.budgets,
            own_budgets=merged.own_budgets,
            guards=merged.guards,
            mcp_writers=tuple(writers),
            contracts={"builder": (contract,)},
            context={"enabled": False},  # It waits, and adds text: it has no say in this.
        )

    def policy_for(self, repository: str | None) -> Policy:
        return self.policy


def decided(merged: Merged, tool: str, tool_input: Mapping[str, str]) -> Action | None:
    places = Places(state=Path("/nowhere/state"), config=Path("/nowhere/config"))
    runtime = Runtime(Setups(Fixed(merged), places), None)
    payload = {
        "hook_event_name": "PreToolUse", "session_id": "s", "cwd": "/r", "agent_type": "builder",
        "agent_id": "a", "tool_name": tool, "tool_input": tool_input, "tool_use_id": "t",
    }  # fmt: skip
    data = json.dumps(payload).encode()
    case = runtime.open(Delivery(host="claude-code", event="PreToolUse", payload=data))
    assert case.at_once
    return runtime.finish_at_once(case).decision.action


_RANK = {None: 0, Action.ASK: 1, Action.DENY: 2}
CALLS: list[tuple[str, dict[str, str]]] = [
    ("Bash", {"command": "rm -rf /"}),
    ("Bash", {"command": "echo x > /etc/passwd"}),
    ("Bash", {"command": "shred x"}),
    ("Write", {"file_path": "/r/src/a.py"}),
    ("Write", {"file_path": "/r/docs/a.md"}),
    ("Write", {"file_path": "/r/.pointsman/config.toml"}),
    ("mcp__filesystem__write_file", {"path": "/r/docs/a.md", "content": "/r/src/a.py"}),
    ("mcp__fs__write", {"path": "/r/docs/a.md", "content": "/r/src/a.py"}),
]


@settings(UNHURRIED, max_examples=60)
@given(SETTINGS_FILES, SETTINGS_FILES, st.sampled_from(CALLS))
def test_no_call_gets_further_than_the_users_own_file_lets_it(
    user: dict[str, Any], repository: dict[str, Any], call: tuple[str, dict[str, str]]
) -> None:
    # A guard that is slower than its budget stops the call: time is no part of this.
    generous = user | {"budgets": {}}
    hasty = repository | {"budgets": {}}
    alone = decided(merge(generous, {}), *call)
    assert _RANK[decided(merge(generous, hasty), *call)] >= _RANK[alone]
