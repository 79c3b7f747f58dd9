"""The registry: what an agent can do is read from its tools and its contract."""

import json
from pathlib import Path

import pytest

from config.repository import Machine
from pointsman.config.registry import Registry, drift, of_repository
from pointsman.paths.overlap import Overlap


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def agent(machine: Machine, name: str, text: str = "") -> None:
    machine.file(f".claude/agents/{name}.md", f"---\nname: {name}\n{text}\n---\nYou work.\n")


def registry(machine: Machine, *, own: bool = False) -> Registry:
    policy, root = machine.policy(), str(machine.root)
    return Registry(of_repository(policy, root) if own else policy, root)


OWNS = "outputs: {allowed_modifications: [src/**]}"
CAPABILITIES = {
    "all tools": ("", ("read", "write", "execute", "start agents", "network")),
    "a builder by name only": ("tools: Read, Grep", ("read",)),
    "a writer": ("tools: Read, Edit", ("read", "write")),
    "a shell": ("tools: Bash", ("execute",)),
    "read-only with every tool": ("readOnly: true", ("read", "execute", "network")),
    "nothing is allowed": (
        "tools: Read, Write\noutputs: {allowed_modifications: []}",
        ("read",),
    ),
    "a contract makes the team flat": (f"tools: Task, Write\n{OWNS}", ("write",)),
    "an orchestrator": ("tools: Task, Read", ("read", "start agents")),
    "taken away": ("disallowedTools: Bash, PowerShell, Agent, Web*", ("read", "write")),
    "a scout": ("tools: Read, WebFetch", ("read", "network")),
}


@pytest.mark.parametrize(("text", "can"), CAPABILITIES.values(), ids=CAPABILITIES)
def test_what_an_agent_can_do(machine: Machine, text: str, can: tuple[str, ...]) -> None:
    agent(machine, "build-agent", text)
    assert registry(machine).can("build-agent") == can


def test_indices(machine: Machine) -> None:
    agent(machine, "builder", f"tools: Read, Write, mcp__db__query\nmodel: sonnet\n{OWNS}")
    agent(machine, "runner", "tools: Bash\nmodel: haiku")
    agent(machine, "elder", "tools: Read, Bash\nmodel: haiku\ncouncil: true")
    found = registry(machine).as_dict()
    assert found["capabilityIndex"]["can_write"] == ["builder", "runner"]
    assert found["capabilityIndex"]["read_only"] == ["elder"]
    assert found["modelIndex"] == {"haiku": ["elder", "runner"], "sonnet": ["builder"]}
    assert found["toolMatrix"]["Bash"] == ["elder", "runner"]
    assert found["toolMatrix"]["mcp__db__query"] == ["builder"]
    assert found["toolMatrix"]["WebFetch"] == []
    assert found["agents"]["builder"]["mayWrite"] == ["src/**"]
    assert found["agents"]["elder"]["council"] is True
    assert found["agents"]["runner"]["files"] == [".claude/agents/runner.md"]


def test_who_may_write(machine: Machine) -> None:
    agent(machine, "api", "outputs: {allowed_modifications: ['src/api/**/*.ts']}")
    agent(machine, "docs", "outputs: {allowed_modifications: ['docs/**']}")
    agent(machine, "reviewer", "tools: Read")
    agent(machine, "free")
    found = registry(machine)

    def may(path: str) -> list[str]:
        return [name for name in found.agents if found.may_write(name, path).witness]

    assert may("src/api/a.ts") == ["api", "free"]
    assert may("src/api/a.py") == ["free"]
    assert may("**/*.ts") == ["api", "docs", "free"]
    assert may("src/**/*.ts") == ["api", "free"]
    assert may("README.md") == ["free"]


def test_a_path_of_an_agent_in_several_contracts(machine: Machine) -> None:
    agent(machine, "api", "outputs: {allowed_modifications: ['src/**']}")
    machine.file(
        ".pointsman/contracts/api.json", '{"outputs": {"forbidden_patterns": ["src/x/**"]}}'
    )
    found = registry(machine)
    assert found.may_write("api", "src/a") == Overlap(witness="src/a")
    assert found.may_write("api", "src/x/a").witness is None
    assert found.may_write("api", "src/x/**").witness is None


def kinds(machine: Machine) -> list[str]:
    return [fault.kind for fault in registry(machine, own=True).faults()]


def test_nothing_is_wrong_with_a_sound_team(machine: Machine) -> None:
    agent(machine, "api", "tools: Read, Write\noutputs: {allowed_modifications: ['src/api/**']}")
    agent(machine, "web", "outputs: {allowed_modifications: ['src/web/**']}\nblocked_by: api")
    agent(machine, "reviewer", "tools: Read, mcp__kotadb__*, mcp__x")
    assert kinds(machine) == []


FAULTS = {
    "a broken declaration": ("outputs: [", "broken declaration"),
    "a tool that there is not": ("tools: Read, Wriet", "unknown tool"),
    "an agent that there is not": ("blocked_by: nobody", "unknown agent"),
    "itself": ("blocked_by: one", "cycle of blocked_by"),
    "an overlap": (OWNS, "overlap"),
}


@pytest.mark.parametrize(("text", "kind"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_found(machine: Machine, text: str, kind: str) -> None:
    agent(machine, "one", text)
    agent(machine, "two", "tools: Read, Write\noutputs: {allowed_modifications: ['src/*.py']}")
    assert kind in kinds(machine)


def test_a_round_is_shown_from_end_to_end(machine: Machine) -> None:
    for name, before in (("a", "b"), ("b", "[c, d]"), ("c", "a"), ("d", "[]")):
        agent(machine, name, f"blocked_by: {before}")
    (fault,) = registry(machine).faults()
    assert fault.text == "they wait for one another: a → b → c → a"


@pytest.mark.parametrize("apart", ["blocked_by: one", "isolation: worktree", "tools: Read"])
def test_who_never_runs_beside_another_does_not_overlap(machine: Machine, apart: str) -> None:
    agent(machine, "one", OWNS)
    agent(machine, "two", f"{OWNS}\n{apart}")
    assert "overlap" not in kinds(machine)


def test_an_overlap_has_its_witness(machine: Machine) -> None:
    agent(machine, "one", OWNS)
    agent(machine, "two", "outputs: {allowed_modifications: ['**/*.py']}")
    (fault,) = registry(machine).faults()
    assert fault.text == "'one' and 'two' both own src/a.py"


def test_what_is_committed_depends_on_no_user(machine: Machine) -> None:
    agent(machine, "one")
    machine.settings('[roles.one]\ntools = ["Read", "Bash"]\n')
    committed = registry(machine, own=True).text()
    machine.user('[roles.one]\ntools = ["Read"]\n[team]\nnested = "allow"\n')
    assert registry(machine, own=True).text() == committed
    assert not registry(machine).may_use("one", "Bash")
    assert "Bash" in json.loads(committed)["agents"]["one"]["tools"]


def test_drift_names_what_differs(machine: Machine) -> None:
    agent(machine, "one", "model: haiku")
    agent(machine, "two")
    committed = registry(machine).text()
    assert list(drift(registry(machine), committed)) == []
    agent(machine, "one", "model: opus")
    agent(machine, "three")
    (machine.root / ".claude/agents/two.md").unlink()
    assert list(drift(registry(machine), committed)) == [
        "agent 'one' differs in model", "agent 'three' is new", "agent 'two' is gone",
    ]  # fmt: skip
    assert "no JSON" in next(drift(registry(machine), "{"))
    assert list(drift(registry(machine), registry(machine).text().replace("1,", "2,", 1)))


@pytest.mark.parametrize(("glob", "found"), [
    ("src", True), ("src/", True), ("src/**", False), ("src/a.py", False), ("gone", False),
])  # fmt: skip
def test_a_directory_is_no_glob_of_its_files(machine: Machine, glob: str, found: bool) -> None:
    machine.file("src/a.py", "")
    agent(machine, "builder", f"tools: Read, Write\noutputs: {{allowed_modifications: ['{glob}']}}")
    faults = registry(machine).faults()
    assert [fault.kind for fault in faults] == ["directory"] * found
    assert all(fault.fix == "write src/**" for fault in faults)
