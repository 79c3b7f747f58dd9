"""The user's own agents: held in every repository, behind a repository's agent of the same name."""

from dataclasses import replace
from pathlib import Path

import pytest

from config.repository import Machine
from pointsman.config.policy_loader import PolicyLoader
from pointsman.config.registry import Registry, of_repository
from pointsman.model.contract import EVERY_AGENT
from pointsman.model.policy import Policy

OWN = "tools: Read, Edit\noutputs: {allowed_modifications: ['docs/**']}"


class _Home:
    """A machine whose user has agents of their own."""

    def __init__(self, path: Path) -> None:
        self.machine = Machine(path)
        self.agents = path / "home/agents"
        self.machine.loader()
        self.loader = PolicyLoader(replace(self.machine.places, agents=self.agents))

    def own(self, name: str, text: str = OWN) -> Path:
        path = self.agents / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\nname: {name}\n{text}\n---\nYou work.\n")
        return path

    def theirs(self, name: str, text: str) -> None:
        self.machine.file(f".claude/agents/{name}.md", f"---\nname: {name}\n{text}\n---\nYou.\n")

    def policy(self) -> Policy:
        return self.loader.policy_for(str(self.machine.root))


@pytest.fixture
def home(tmp_path: Path) -> _Home:
    return _Home(tmp_path)


def test_they_are_held_in_the_repository(home: _Home) -> None:
    home.own("writer")
    (contract,) = home.policy().contracts["writer"]
    assert (contract.allowed, contract.root) == (("docs/**",), str(home.machine.root))
    assert home.policy().agents["writer"][0].tools == ("Read", "Edit")


def test_what_they_are_made_of_is_kept_from_agents(home: _Home) -> None:
    assert str(home.own("writer")) in home.policy().files


def test_one_of_the_repository_stands_before_one_of_the_users(home: _Home) -> None:
    home.own("writer")
    home.own("other")
    home.theirs("writer", "tools: Read\noutputs: {allowed_modifications: ['src/**']}")
    policy = home.policy()
    assert [each.allowed for each in policy.contracts["writer"]] == [("src/**",)]
    assert [card.tools for card in policy.agents["writer"]] == [("Read",)]
    assert [each.allowed for each in policy.contracts["other"]] == [("docs/**",)]


def test_one_of_the_repository_without_a_contract_stands_before_it_too(home: _Home) -> None:
    home.own("writer")
    home.theirs("writer", "tools: Read")
    assert "writer" not in home.policy().contracts


def test_a_contract_of_the_repository_binds_an_agent_of_the_users_as_well(home: _Home) -> None:
    home.own("writer")
    home.machine.file(
        ".pointsman/contracts/writer.yaml", "outputs: {allowed_modifications: [a/**]}"
    )
    allowed = [each.allowed for each in home.policy().contracts["writer"]]
    assert sorted(allowed) == [("a/**",), ("docs/**",)]


def test_one_that_comes_or_changes_is_noticed(home: _Home) -> None:
    assert "writer" not in home.policy().contracts
    path = home.own("writer")
    assert "writer" in home.policy().contracts
    path.write_text(path.read_text().replace("docs", "doc"))
    assert home.policy().contracts["writer"][0].allowed == ("doc/**",)
    path.unlink()
    assert "writer" not in home.policy().contracts


def test_a_broken_one_denies_its_own_edits_and_nobody_elses(home: _Home) -> None:
    home.own("writer", "outputs: {allowed_modification: ['docs/**']}")
    contracts = home.policy().contracts
    assert contracts["writer"][0].problems
    assert EVERY_AGENT not in contracts


def test_one_that_is_linked_in_from_elsewhere_is_read(home: _Home, tmp_path: Path) -> None:
    real = home.own("writer").rename(tmp_path / "writer.md")
    (home.agents / "writer.md").symlink_to(real)
    assert home.policy().contracts["writer"][0].allowed == ("docs/**",)


def test_their_commands_need_no_trust(home: _Home) -> None:
    checks = "validation: {postComplete: [{check: tests_pass, command: make test}]}"
    home.own("mine", checks)
    home.theirs("theirs", checks)
    contracts = home.policy().contracts
    assert not contracts["mine"][0].post_complete[0].skip
    assert contracts["theirs"][0].post_complete[0].skip


def test_a_home_that_is_the_repository_is_read_once(home: _Home, tmp_path: Path) -> None:
    home.theirs("writer", OWN)
    folder = home.machine.root / ".claude/agents"
    loader = PolicyLoader(replace(home.machine.places, agents=folder))
    assert len(loader.policy_for(str(home.machine.root)).contracts["writer"]) == 1


def test_the_committed_registry_does_not_know_them(home: _Home) -> None:
    home.own("writer")
    home.theirs("builder", OWN)
    root = str(home.machine.root)
    assert Registry(home.policy(), root).agents == ("builder", "writer")
    assert Registry(of_repository(home.policy(), root), root).agents == ("builder",)
