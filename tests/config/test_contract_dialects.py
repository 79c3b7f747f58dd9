"""Everything that both dialects may say, and what is wrong with it."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.config.contracts import AGENTS, CONTRACTS, load_contracts
from pointsman.model.contract import (
    ALLOW_ALL,
    EVERY_AGENT,
    AgentCard,
    Contract,
    PostComplete,
    PreSpawn,
    Requirement,
    cycles,
)

WHOLE = """\
contextContract:
  contextSource: hybrid
  network: none
  blocked_by: planner
  requires:
    - {type: spec_file, key: SPEC, path: docs/spec.md, description: what to build}
    - {type: expertise, path: experts/db.yaml}
    - {type: memory, key: failures, scope: failures, required: false}
    - {type: env, key: DATABASE_URL}
  produces:
    files: {scope: "src/**", exclude: ["**/*.snap"]}
    tests: {scope: ["tests/**"], colocated: true, requiresTests: true}
    memory: {allowed: [decision]}
  validation:
    preSpawn: [{check: file_exists, target: go.mod}, {check: memory_available}]
    postComplete: [{check: tests_pass, command: " make test "}, {check: scope_valid}]
"""


def agent(root: Path, text: str, name: str = "b") -> None:
    path = root / AGENTS / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\nname: {name}\n{text}\n---\nYou build.\n")


def one(root: Path, text: str) -> Contract:
    agent(root, text)
    found = load_contracts(root)
    assert found.problems == []
    (contract,) = found.by_agent["b"]
    return contract


def test_everything_that_the_second_dialect_says(tmp_path: Path) -> None:
    found = one(tmp_path, WHOLE)
    assert found.requires == (
        Requirement(type="spec_file", key="SPEC", path="docs/spec.md"),
        # The key is left out of entries in use.
        Requirement(type="expertise", key="expertise", path="experts/db.yaml"),
        Requirement(type="memory", key="failures", scope="failures", required=False),
        Requirement(type="env", key="DATABASE_URL"),
    )
    assert found.pre_spawn == (
        PreSpawn(check="file_exists", target="go.mod"), PreSpawn(check="memory_available"),
    )  # fmt: skip
    assert found.post_complete == (
        PostComplete(check="tests_pass", command="make test"), PostComplete(check="scope_valid"),
    )  # fmt: skip
    assert (found.allowed, found.code, found.tests) == (
        ("src/**", "tests/**"), ("src/**",), ("tests/**",),
    )  # fmt: skip
    assert (found.colocated, found.requires_tests) == (True, True)
    assert (found.network, found.blocked_by) == ("none", ("planner",))
    assert (found.memories, found.context_source) == (("decision",), "hybrid")
    assert found.forbidden == ("**/*.snap",)


RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "a council": ("council: true", {"council": True, "read_only": True, "allowed": ALLOW_ALL}),
    "read-only": ("readOnly: true", {"council": False, "read_only": True}),
    "no network": ("network: none", {"network": "none", "allowed": ALLOW_ALL}),
    "a list": ("blocked_by: [a, b]", {"blocked_by": ("a", "b")}),
    "the other spelling": ("contract: {blockedBy: a}", {"blocked_by": ("a",)}),
    "needs alone": ("requires: [{type: prompt, key: x}]", {"allowed": ALLOW_ALL}),
    "inputs alone": (
        "inputs: {spec_file: {type: path, required: true}}",
        {"requires": (Requirement(type="path", key="spec_file"),)},
    ),
    "checks alone": (
        "validation: {postComplete: [{check: lint_pass, command: x}]}",
        {"post_complete": (PostComplete(check="lint_pass", command="x"),)},
    ),
    "beside a contract": (
        "readOnly: true\ncontextContract: {outputs: {}}\n",
        {},
    ),
}


@pytest.mark.parametrize(("text", "said"), RULES.values(), ids=RULES)
def test_a_rule_makes_a_contract(tmp_path: Path, text: str, said: dict[str, Any]) -> None:
    agent(tmp_path, text)
    found = load_contracts(tmp_path)
    assert found.problems == []
    contracts = found.by_agent["b"]
    for key, value in said.items():
        assert getattr(contracts[0], key) == value
    if not said:
        assert any(each.read_only for each in contracts)


MISTAKES = {
    "a type": ("requires: [{type: spec, key: x}]", "requires.type", 3),
    "an entry": ("requires: [x]", "requires", 3),
    "no list": ("requires: {type: env}", "requires", 3),
    "an unknown key": ("requires:\n- {type: env, key: A, maybe: true}", "requires.maybe", 4),
    "a variable": ("requires: [{type: env, key: 'A B'}]", "requires.key", 3),
    "required": ("requires: [{type: env, key: A, required: maybe}]", "required", 3),
    "a path": ("requires: [{type: file, key: a, path: [x]}]", "requires.path", 3),
    "an input": ("outputs: {}\ninputs: {a: 3}", "inputs.a", 4),
    "no type": ("outputs: {}\ninputs: {a: {required: true}}", "inputs.a.type", 4),
    "validation": ("validation: [x]", "validation", 3),
    "a stage": ("validation: {preDeploy: []}", "validation.preDeploy", 3),
    "a check": ("validation: {postComplete: [{check: tests}]}", "postComplete.check", 3),
    "a command": (
        "validation: {postComplete: [{check: tests_pass, command: [make]}]}", "command", 3,
    ),
    "the key of the other stage": (
        "validation: {preSpawn: [{check: env_set, command: x}]}", "validation.preSpawn.command", 3,
    ),
    "a network": ("network: some", "network", 3),
    "council": ("council: yes please", "council", 3),
    "blocked_by": ("blocked_by: 3", "blocked_by", 3),
    "blocked_by nobody": ("blocked_by: ['']", "blocked_by", 3),
    "its spelling": ("blocked-by: a", "blocked-by", 3),
    "a source": ("outputs: {}\ncontextSource: mail", "contextSource", 4),
    "a memory": ("produces: {memory: {allowed: [gossip]}}", "allowed", 3),
    "tests without a place": ("produces: {tests: {requiresTests: true}}", "requiresTests", 3),
    "tools": ("tools: {a: b}", "tools", 3),
    "a model": ("model: [a]", "model", 3),
}  # fmt: skip


@pytest.mark.parametrize(("text", "key", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found_and_denies(tmp_path: Path, text: str, key: str, line: int) -> None:
    agent(tmp_path, text)
    found = load_contracts(tmp_path)
    (problem,) = found.problems
    assert (problem.key, problem.line) == (key, line)
    assert problem.fix
    assert all(each.problems for each in found.by_agent["b"])


UNBOUND = {
    "tools and a model": "tools: Read\nmodel: haiku",
    "inputs of another tool": "inputs: [a, b]",
    "no inputs": "inputs: {}",
    "all is false": "readOnly: false\ncouncil: false",
}


@pytest.mark.parametrize("text", UNBOUND.values(), ids=UNBOUND)
def test_what_binds_nobody_makes_no_contract(tmp_path: Path, text: str) -> None:
    agent(tmp_path, text)
    found = load_contracts(tmp_path)
    assert (found.problems, found.by_agent) == ([], {})


CARDS: dict[str, tuple[str, dict[str, Any]]] = {
    "a text": ("tools: Read, Bash(git *), mcp__db__*", {"tools": ("Read", "Bash", "mcp__db__*")}),
    "a list": ("tools: [Read, 'Grep, Glob']", {"tools": ("Read", "Grep", "Glob")}),
    "spaces": ("tools: Read Grep", {"tools": ("Read", "Grep")}),
    "nothing": ("tools:", {"tools": None}),
    "none": ("tools: []", {"tools": ()}),
    "taken away": ("disallowedTools: Bash", {"disallowed": ("Bash",), "tools": None}),
    "whom it starts": ("tools: 'Agent(a, b), Read'", {"spawns": ("a", "b")}),
    "the rest": (
        "model: haiku\nisolation: worktree\ndescription: >\n  builds\n  things",
        {"model": "haiku", "isolation": "worktree", "description": "builds things"},
    ),
}


@pytest.mark.parametrize(("text", "said"), CARDS.values(), ids=CARDS)
def test_what_an_agent_says_of_itself(tmp_path: Path, text: str, said: dict[str, Any]) -> None:
    agent(tmp_path, text)
    (card,) = load_contracts(tmp_path).cards["b"]
    for key, value in said.items():
        assert getattr(card, key) == value


def test_a_contract_elsewhere_may_name_tools(tmp_path: Path) -> None:
    path = tmp_path / CONTRACTS / "b.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("tools: Read\nreadOnly: true\n")
    (card,) = load_contracts(tmp_path).cards["b"]
    assert card == AgentCard(name="b", source=str(path), tools=("Read",))


@pytest.mark.parametrize(
    "description",
    ["Use this when: the user asks", 'Says "x": y # z', "a: b: c\\n\\n<example>d: e</example>"],
)
def test_a_description_that_is_no_yaml_binds_nobody(tmp_path: Path, description: str) -> None:
    found = one(tmp_path, f"description: {description}\noutputs: {{allowed_modifications: [a]}}")
    assert found.allowed == ("a",)
    (card,) = load_contracts(tmp_path).cards["b"]
    assert card.description == description


def test_a_mistake_beside_such_a_description_is_still_found(tmp_path: Path) -> None:
    agent(tmp_path, "description: a: b\noutputs: [")
    assert load_contracts(tmp_path).by_agent["b"][0].problems


def test_the_hash_is_that_of_the_declaration(tmp_path: Path) -> None:
    before = one(tmp_path, WHOLE).digest
    path = tmp_path / AGENTS / "b.md"
    path.write_text(path.read_text() + "More words.\n")
    assert load_contracts(tmp_path).by_agent["b"][0].digest == before
    assert one(tmp_path, WHOLE.replace("make test", "make")).digest != before


def waits(**names: str) -> dict[str, tuple[Contract, ...]]:
    return {
        agent: (Contract(agent=agent, source="", root="", blocked_by=tuple(before.split())),)
        for agent, before in names.items()
    }


@pytest.mark.parametrize(
    ("names", "rounds"),
    [
        ({"a": "b", "b": "c", "c": ""}, []),
        ({"a": "a"}, [("a",)]),
        ({"b": "a", "a": "b"}, [("a", "b")]),
        ({"a": "b c", "b": "d", "c": "d", "d": ""}, []),
        ({"x": "a", "a": "b", "b": "a c", "c": "c"}, [("a", "b"), ("c",)]),
        ({"a": "nobody"}, []),
    ],
)
def test_rounds_of_waiting(names: dict[str, str], rounds: list[tuple[str, ...]]) -> None:
    assert sorted(cycles(waits(**names))) == sorted(rounds)


def test_a_long_chain_is_no_round() -> None:
    chain = waits(**{f"a{n}": f"a{n + 1} a{n + 2}" for n in range(3000)})
    assert cycles(chain) == []
    assert len(cycles({**chain, **waits(a3001="a0")})) >= 1
    assert EVERY_AGENT not in chain
