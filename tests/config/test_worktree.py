"""A linked worktree is held to what holds in the repository it belongs to."""

import subprocess
from pathlib import Path

import pytest

from pointsman.model.policy import Policy
from pointsman.paths.repository import main_repository

from .repository import GUARD, Machine

CONTRACT = "---\nname: b\noutputs:\n  allowed_modifications: [{0}]\n---\n"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A repository with a commit, a worktree of it, and nothing of ours committed."""
    machine = Machine(tmp_path)
    machine.root.mkdir()
    who = ("-c", "user.name=x", "-c", "user.email=x@example.invalid")
    for words in (
        ("init", "-q"),
        (*who, "commit", "-q", "--allow-empty", "-m", "one"),
        ("worktree", "add", "-q", str(tmp_path / "tree")),
    ):
        subprocess.run(["git", *words], cwd=machine.root, check=True)
    return machine


def in_tree(machine: Machine) -> Policy:
    return machine.loader().policy_for(str(machine.root.parent / "tree"))


def test_git_says_whose_it_is(machine: Machine) -> None:
    tree = machine.root.parent / "tree"
    assert main_repository(str(tree)) == str(machine.root)
    assert main_repository(str(machine.root)) == str(machine.root)
    assert main_repository(str(machine.root.parent)) == str(machine.root.parent)


def test_settings_hooks_and_contracts_hold_though_they_are_not_checked_out(
    machine: Machine,
) -> None:
    machine.settings("[budgets]\nPreToolUse = 2\n")
    machine.file(".claude/agents/b.md", CONTRACT.format("src/**"))
    machine.hook()
    machine.trust()
    policy = in_tree(machine)
    assert policy.repository == str(machine.root)
    assert policy.budget("PreToolUse") == 2.0
    assert [contract.allowed for contract in policy.contracts["b"]] == [("src/**",)]
    assert [(hook.role, hook.skip) for hook in policy.hooks] == [("guard", "")]


def test_contracts_of_both_hold(machine: Machine) -> None:
    machine.file(".claude/agents/b.md", CONTRACT.format("src/**"))
    own = machine.root.parent / "tree/.claude/agents/b.md"
    own.parent.mkdir(parents=True)
    own.write_text(CONTRACT.format("docs/**"))
    allowed = [contract.allowed for contract in in_tree(machine).contracts["b"]]
    assert allowed == [("src/**",), ("docs/**",)]


def test_what_a_worktree_says_of_settings_and_hooks_is_not_in_force(machine: Machine) -> None:
    own = machine.root.parent / "tree/.pointsman/hooks/evil.py"
    own.parent.mkdir(parents=True)
    own.write_text(GUARD)
    (own.parents[1] / "config.toml").write_text("[budgets]\nPreToolUse = 1\n")
    policy = in_tree(machine)
    assert policy.hooks == ()
    assert policy.budget("PreToolUse") == 10.0


def test_an_edit_in_the_repository_shows_in_the_worktree(machine: Machine) -> None:
    loader, tree = machine.loader(), str(machine.root.parent / "tree")
    assert "b" not in loader.policy_for(tree).contracts
    machine.file(".claude/agents/b.md", CONTRACT.format("src/**"))
    assert "b" in loader.policy_for(tree).contracts
