"""Contracts in both dialects; what cannot be read denies."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config.contracts import AGENTS, CONTRACTS, load_contracts, watched
from pointsman.model.contract import ALLOW_ALL, EVERY_AGENT

BOOK: Mapping[str, Any] = {
    "inputs": {
        "spec_file": {"type": "path", "required": True},
        "memory": {"type": "context", "required": False},
    },
    "outputs": {
        "allowed_modifications": ["src/**/*.ts", "docs/**/*.md"],
        "forbidden_patterns": ["**/node_modules/**", "**/.git/**"],
    },
}
SCHEMA: Mapping[str, Any] = {
    "requires": [{"type": "spec_file", "key": "spec", "path": "docs/spec.md"}],
    "produces": {
        "files": {"scope": "app/src/{api,mcp}/**", "exclude": ["**/*.snap"]},
        "tests": {"scope": "app/tests/**", "colocated": False, "requiresTests": True},
        "memory": {"allowed": ["decision"]},
    },
    "contextSource": "spec_file",
    "validation": {"postComplete": [{"check": "tests_pass", "command": "bun test"}]},
}


def agent(root: Path, text: str, name: str = "builder") -> Path:
    path = root / AGENTS / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"---\n{text}\n---\nYou build.\n")
    return path


def contract(root: Path, name: str, text: str) -> Path:
    path = root / CONTRACTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


FORMS = {
    "book, frontmatter": lambda root: agent(
        root, yaml.safe_dump({"name": "b", **BOOK}, sort_keys=False)
    ),
    "book, under contextContract": lambda root: agent(
        root, yaml.safe_dump({"name": "b", "contextContract": BOOK}, sort_keys=False)
    ),
    "book, JSON": lambda root: contract(root, "b.json", json.dumps(BOOK)),
    "book, YAML with the agent's name": lambda root: contract(
        root, "other.yaml", yaml.safe_dump({"agent": "b", **BOOK}, sort_keys=False)
    ),
    "book, TOML": lambda root: contract(
        root,
        "b.toml",
        '[inputs]\nspec_file = {type = "path", required = true}\n'
        'memory = {type = "context", required = false}\n[outputs]\n'
        'allowed_modifications = ["src/**/*.ts", "docs/**/*.md"]\n'
        'forbidden_patterns = ["**/node_modules/**", "**/.git/**"]\n',
    ),
}


@pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
def test_the_first_dialect(tmp_path: Path, write: Any) -> None:
    write(tmp_path)
    found = load_contracts(tmp_path)
    assert not found.problems
    (one,) = found.by_agent["b"]
    assert one.allowed == ("src/**/*.ts", "docs/**/*.md")
    assert one.forbidden == ("**/node_modules/**", "**/.git/**")
    assert [(each.key, each.required) for each in one.requires] == [
        ("spec_file", True), ("memory", False),
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["contextContract", "contract", None])
def test_the_second_dialect(tmp_path: Path, key: str | None) -> None:
    body = {key: SCHEMA} if key else SCHEMA
    agent(tmp_path, yaml.safe_dump({"name": "db-build-agent", **body}))
    found = load_contracts(tmp_path)
    assert not found.problems
    (one,) = found.by_agent["db-build-agent"]
    assert one.allowed == ("app/src/{api,mcp}/**", "app/tests/**")
    assert one.forbidden == ("**/*.snap",)
    assert [(each.type, each.path) for each in one.requires] == [("spec_file", "docs/spec.md")]


UNDECLARED = {
    "no frontmatter": "",
    "a name and tools": "---\nname: builder\ntools: Read, Edit\n---\n",
    "inputs only": "---\nname: builder\ncontextContract: {inputs: {}}\n---\n",
    "readOnly: false": "---\nname: builder\nreadOnly: false\n---\n",
    "empty": "---\n---\n",
}


@pytest.mark.parametrize("text", UNDECLARED.values(), ids=UNDECLARED)
def test_an_agent_that_declares_nothing_is_free(tmp_path: Path, text: str) -> None:
    agent(tmp_path, "").write_text(text)
    found = load_contracts(tmp_path)
    assert not found.problems
    assert not found.by_agent


def test_an_empty_side_allows_everything_and_an_empty_list_nothing(tmp_path: Path) -> None:
    agent(tmp_path, "outputs: {forbidden_patterns: [x]}", "one")
    agent(tmp_path, "produces: {files: {exclude: [x]}}", "two")
    agent(tmp_path, "outputs: {allowed_modifications: []}", "three")
    agent(tmp_path, "produces: {files: {scope: []}}", "four")
    found = load_contracts(tmp_path).by_agent
    assert [found[name][0].allowed for name in ("one", "two")] == [ALLOW_ALL, ALLOW_ALL]
    assert [found[name][0].allowed for name in ("three", "four")] == [(), ()]


def test_read_only_counts_wherever_it_stands(tmp_path: Path) -> None:
    agent(tmp_path, "readOnly: true", "one")
    agent(tmp_path, "contextContract: {readOnly: true}", "two")
    found = load_contracts(tmp_path).by_agent
    assert found["one"][0].read_only
    assert found["two"][0].read_only


def test_several_declarations_of_one_agent_all_count(tmp_path: Path) -> None:
    agent(tmp_path, "name: b\noutputs: {allowed_modifications: [src/**]}")
    contract(tmp_path, "b.json", json.dumps(BOOK))
    assert len(load_contracts(tmp_path).by_agent["b"]) == 2


MISTAKES = {
    "broken YAML": ("name: b\noutputs: [", "cannot be parsed", 4),
    "outputs is a list": ("name: b\noutputs: [src/**]", "no mapping", 3),
    "outputs is empty": ("name: b\noutputs:", "no mapping", 3),
    "a misspelled key": ("name: b\noutputs: {allowed_modification: [x]}", "is not known", 3),
    "a key of the other dialect": ("name: b\nproduces: {file: {scope: x}}", "is not known", 3),
    "output for outputs": ("name: b\noutput: {allowed_modifications: [x]}", "is not known", 3),
    "another spelling": ("name: b\ncontext_contract: {}", "is not known", 3),
    "inside contextContract": ("name: b\ncontextContract: {output: {}}", "is not known", 3),
    "contextContract is a text": ("name: b\ncontextContract: src", "no mapping", 3),
    "no list of globs": ("name: b\noutputs: {allowed_modifications: 3}", "no list of globs", 3),
    "no list at all": ("name: b\noutputs: {allowed_modifications: }", "no list of globs", 3),
    "an empty glob": ("name: b\noutputs: {allowed_modifications: ['']}", "it is empty", 3),
    "a negated glob": ("name: b\noutputs: {forbidden_patterns: ['!x']}", "cannot begin", 3),
    "readOnly is a text": ("name: b\nreadOnly: 'yes'", "neither true nor false", 3),
    "a list of names": ("name: [b, c]\noutputs: {}", "it is no name", 2),
    "the name is a number": ("name: 7\noutputs: {}", "it is no name", 2),
    "not closed": ("name: b\n", "no closing line", 1),
    "nested without end": ("name: b\noutputs: " + "[" * 100_000, "nested more than", 1),
    "an alias bomb": (
        "name: b\na: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        )
        + "outputs: *i",
        "no mapping",
        12,
    ),
    "a tag that runs code": ("name: b\noutputs: !!python/object/apply:os.system [x]", "parsed", 3),
}


@pytest.mark.parametrize(("text", "said", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_declaration_with_a_mistake_denies(
    tmp_path: Path, text: str, said: str, line: int
) -> None:
    path = agent(tmp_path, text)
    if said == "no closing line":
        path.write_text(f"---\n{text}")
    found = load_contracts(tmp_path)
    problem = found.problems[0]
    assert said in problem.message
    assert problem.line == line
    assert problem.fix
    assert len(problem.value) < 200
    assert {"builder"} <= set(found.by_agent)
    assert all(one.problems for several in found.by_agent.values() for one in several)


@pytest.mark.parametrize(
    ("name", "text", "whom"),
    [
        ("file.json", '{"agent": "worker", "outputs": [', {"worker", "file"}),
        ("file.yaml", "agent: 'worker'\noutputs: {", {"worker", "file"}),
        ("file.toml", 'agent = "worker"\n[outputs', {"worker", "file"}),
        ("file.md", "---\nname: worker\n: : :\n- x\n---\n", {"worker", "file"}),
    ],
)
def test_a_broken_file_binds_the_agent_that_it_names(
    tmp_path: Path, name: str, text: str, whom: set[str]
) -> None:
    contract(tmp_path, name, text)
    assert set(load_contracts(tmp_path).by_agent) == whom


def test_what_cannot_be_read_at_all_binds_everybody(tmp_path: Path) -> None:
    (tmp_path / CONTRACTS).mkdir(parents=True)
    os.mkfifo(tmp_path / CONTRACTS / "pipe.json")
    assert set(load_contracts(tmp_path).by_agent) == {EVERY_AGENT}


@pytest.mark.parametrize("name", ["builder.txt", "builder", "builder.json5"])
def test_a_contract_in_no_format_binds_everybody(tmp_path: Path, name: str) -> None:
    contract(tmp_path, name, json.dumps(BOOK))
    found = load_contracts(tmp_path)
    assert "no contract has this suffix" in found.problems[0].message
    assert found.by_agent[EVERY_AGENT][0].problems


def test_a_file_for_git_and_a_readme_are_no_contract(tmp_path: Path) -> None:
    contract(tmp_path, ".gitkeep", "")
    contract(tmp_path, "README.md", "# Contracts\n")
    found = load_contracts(tmp_path)
    assert not found.problems
    assert not found.by_agent


def test_a_suffix_in_capitals_is_read(tmp_path: Path) -> None:
    contract(tmp_path, "b.JSON", json.dumps(BOOK))
    assert set(load_contracts(tmp_path).by_agent) == {"b"}


def test_a_link_out_of_the_repository_denies(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("---\nname: builder\noutputs: {}\n---\n")
    root = tmp_path / "repository"
    (root / AGENTS).mkdir(parents=True)
    (root / AGENTS / "linked.md").symlink_to(outside)
    found = load_contracts(root)
    assert "a link out of the repository" in found.problems[0].message
    assert set(found.by_agent) == {"linked", "builder"}


def test_more_files_than_are_read_bind_everybody(tmp_path: Path) -> None:
    (tmp_path / AGENTS).mkdir(parents=True)
    for number in range(2001):
        (tmp_path / AGENTS / f"a{number}.md").touch()
    assert load_contracts(tmp_path).by_agent[EVERY_AGENT][0].problems


def test_a_mistake_in_one_leaves_the_others(tmp_path: Path) -> None:
    agent(tmp_path, "outputs: [", "broken")
    agent(tmp_path, "outputs: {allowed_modifications: [src/**]}", "sound")
    found = load_contracts(tmp_path).by_agent
    assert not found["sound"][0].problems
    assert found["broken"][0].problems


def test_what_is_watched_tells_of_every_edit(tmp_path: Path) -> None:
    path = agent(tmp_path, "outputs: {}", "deep/builder")
    assert set(watched(tmp_path)) == {
        str(tmp_path / CONTRACTS), str(tmp_path / AGENTS), str(path.parent), str(path),
    }  # fmt: skip


def test_more_text_than_is_read_denies(tmp_path: Path) -> None:
    body = "#" * (250 * 1024)
    for number in range(34):
        agent(tmp_path, f"name: a{number:02}\n{body}", f"a{number:02}")
    found = load_contracts(tmp_path)
    assert set(found.by_agent) == {"a32", "a33"}
    assert all("all together" in problem.message for problem in found.problems)


@pytest.mark.parametrize("text", ["overview: [", "agent: builder\nreadOnly: true\n", "\x00"])
def test_a_sheet_of_expertise_declares_nothing(tmp_path: Path, text: str) -> None:
    sheet = tmp_path / ".claude/agents/experts/api/expertise.yaml"
    sheet.parent.mkdir(parents=True)
    sheet.write_text(text)
    (sheet.parent / "contract.yaml").write_text("agent: other\nreadOnly: true\n")
    found = load_contracts(tmp_path)
    assert found.problems == []
    assert set(found.by_agent) == {"other"}
    assert str(sheet) not in found.files
