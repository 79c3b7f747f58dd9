"""Who may write what, and what is wrong with it, by the command."""

import json

import pytest

from .conftest import Machine


def agent(machine: Machine, name: str, text: str) -> None:
    machine.write(f".claude/agents/{name}.md", f"---\nname: {name}\n{text}\n---\nYou work.\n")


@pytest.fixture
def crew(machine: Machine) -> Machine:
    agent(
        machine,
        "builder",
        "tools: Read, Edit, Write\nmodel: sonnet\n"
        "outputs: {allowed_modifications: [src/**], forbidden_patterns: ['**/*.lock']}",
    )
    agent(machine, "reviewer", "tools: Read, Grep\nmodel: haiku\ncouncil: true")
    agent(machine, "runner", "tools: Bash, Read\nmodel: haiku\nreadOnly: true")
    return machine


QUERIES = {
    "everybody": ((), ["builder", "reviewer", "runner"]),
    "a path": (("--may-write", "src/a.py"), ["builder"]),
    "a forbidden one": (("--may-write", "src/a.lock"), []),
    "an absolute one": (("--may-write", "{root}/src/a.py"), ["builder"]),
    "a glob": (("--may-write", "**/*.py"), ["builder"]),
    "a model": (("--model", "haiku"), ["reviewer", "runner"]),
    "a tool": (("--tool", "Bash"), ["runner"]),
    "both": (("--model", "haiku", "--tool", "Grep"), ["reviewer"]),
}


@pytest.mark.parametrize(("options", "names"), QUERIES.values(), ids=QUERIES)
def test_queries(crew: Machine, options: tuple[str, ...], names: list[str]) -> None:
    options = tuple(each.replace("{root}", str(crew.repository)) for each in options)
    done = crew.run("agents", *options, "--json")
    assert (done.code, list(json.loads(done.out)["agents"])) == (0, names)
    shown = [line.partition(" ")[0] for line in crew.run("agents", *options).out.splitlines()
             if line and line[0] != " "]  # fmt: skip
    assert shown == (names or ["no"])


def test_what_is_shown_of_one(crew: Machine) -> None:
    out = crew.run("agents", "--may-write", "src/a").out
    for said in ("builder (sonnet): read, write", "src/**", "**/*.lock", "agents/builder.md"):
        assert said in out


def test_the_committed_registry_is_compared(crew: Machine) -> None:
    done = crew.run("agents", "--check")
    assert (done.code, "no committed registry" in done.out) == (0, True)
    assert crew.run("agents", "--check", "--file", "missing.json").code == 1
    file = str(crew.repository / ".pointsman/agents.json")
    assert crew.run("agents", "--write", file).code == 0
    assert crew.run("agents", "--check").code == 0
    agent(crew, "reviewer", "tools: Read\nmodel: opus")
    done = crew.run("agents", "--check")
    assert done.code == 1
    assert "agent 'reviewer' differs in model, tools" in done.out
    assert f"next step: pointsman agents --write {file}" in done.out
    assert crew.run("agents", "--write", file, "--check").code == 0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("outputs: [", "broken declaration"),
        ("tools: Reed", "unknown tool"),
        ("outputs: {allowed_modifications: ['**/*.py']}", "overlap"),
        ("blocked_by: extra", "cycle of blocked_by"),
    ],
)
def test_what_is_wrong_ends_with_1(crew: Machine, text: str, kind: str) -> None:
    agent(crew, "extra", text)
    done = crew.run("agents", "--check", "--json")
    assert done.code == 1
    row = json.loads(done.out)
    assert row["ok"] is False
    (fault,) = [each for each in row["faults"] if each["kind"] == kind]
    assert ".claude/agents/" in fault["file"]
    assert fault["fix"]


def test_a_path_of_elsewhere_is_a_mistake(crew: Machine) -> None:
    assert crew.run("agents", "--may-write", "/etc/passwd").code == 2


def test_commands_of_contracts_are_trusted_with_the_hooks(crew: Machine) -> None:
    agent(crew, "tested", "validation: {postComplete: [{check: tests_pass, command: make}]}")
    name = ".claude/agents/tested.md"
    shown = json.loads(crew.run("trust", "--show", "--json").out)
    assert shown["checks"] == [{"contract": name, "trusted": False}]
    assert f"contract: {name}: its commands do not run" in crew.run("trust", "--show").out
    trusted = json.loads(crew.run("trust", "--json").out)
    assert trusted["checks"] == [{"contract": name, "trusted": True}]
    assert name in trusted["files"]
    agent(crew, "tested", "validation: {postComplete: [{check: tests_pass, command: rm}]}")
    assert json.loads(crew.run("trust", "--show", "--json").out)["checks"][0]["trusted"] is False
    assert crew.run("trust", "--forget").code == 0
