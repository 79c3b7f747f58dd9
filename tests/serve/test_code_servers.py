"""The daemon's language servers: the user's terms, a person's trust, and what status shows."""

import os
from pathlib import Path

import pytest

from pointsman.cli.server_lines import server_findings, server_lines
from pointsman.config.policy_loader import PolicyLoader
from pointsman.lsp.keeper import Terms
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.serve.code_servers import code_servers, is_trusted, terms_of


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "state", tmp_path / "config")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = (tmp_path / "repository").resolve()
    (root / ".git").mkdir(parents=True)
    return root


def trust(places: Places, root: Path) -> None:
    loader = PolicyLoader(places)
    loader.trust.trust(root, loader.repository_hooks(str(root)))


def test_the_terms_are_the_users() -> None:
    assert terms_of(Policy()) == Terms()
    said = {"enabled": False, "most": 2, "idle_minutes": 1, "memory_mb": 64}
    expected = Terms(enabled=False, most=2, idle=60.0, memory=64 * 1024 * 1024)
    assert terms_of(Policy(code_servers=said)) == expected


def test_a_repository_does_not_set_them(places: Places, repository: Path) -> None:
    places.config.mkdir()
    places.user_config.write_text("[code_servers]\nmost = 2\n", encoding="utf-8")
    (repository / ".pointsman").mkdir()
    theirs = repository / ".pointsman/config.toml"
    theirs.write_text("[code_servers]\nmost = 50\n", encoding="utf-8")
    policy = PolicyLoader(places).policy_for(str(repository))
    assert policy.code_servers == {"most": 2}
    (problem,) = policy.problems
    assert "what the daemon runs is the user's own" in problem.message


def test_trust_is_given_by_a_person_and_lost_with_a_change(
    places: Places, repository: Path
) -> None:
    assert is_trusted(places, str(repository)) is False
    trust(places, repository)
    assert is_trusted(places, str(repository)) is True
    hooks = repository / ".pointsman/hooks"
    hooks.mkdir(parents=True)
    (hooks / "new.py").write_text("print()\n", encoding="utf-8")
    assert is_trusted(places, str(repository)) is False


def test_a_linked_worktree_is_trusted_as_its_repository(
    places: Places, repository: Path, tmp_path: Path
) -> None:
    linked = tmp_path.resolve() / "linked"
    linked.mkdir()
    named = repository / ".git/worktrees/linked"
    named.mkdir(parents=True)
    (linked / ".git").write_text(f"gitdir: {named}\n", encoding="utf-8")
    (named / "gitdir").write_text(f"{linked}/.git\n", encoding="utf-8")
    trust(places, repository)
    assert is_trusted(places, str(linked)) is True


def test_none_runs_before_one_is_needed(places: Places) -> None:
    keeper = code_servers(places, Policy, lambda _kind, _text: None)
    assert keeper.status() == []


ROW = {
    "root": "/r", "language": "python", "server": "ty", "program": "/bin/ty", "state": "ready",
    "pid": 7, "memory": 200 << 20, "problem": "",
}  # fmt: skip
GONE = {**ROW, "server": "", "pid": None, "memory": None, "problem": "ty crashed (exit code 101)"}


def test_status_names_what_runs_and_what_went_wrong() -> None:
    assert list(server_lines({})) == []
    assert list(server_lines({"code_servers": [ROW, GONE]})) == [
        "servers    python in /r: ty, ready, process 7, 200 MB (/bin/ty)",
        "warning    python in /r: ty crashed (exit code 101)",
    ]


def test_doctor_names_what_is_found_too(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ty").write_text("#!/bin/false\n", encoding="utf-8")
    (programs / "ty").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr("os.environ", dict(os.environ))
    status = {"repository": str(repository), "code_servers": [ROW, GONE]}
    findings = list(server_findings(status))
    assert [(each.ok, each.text) for each in findings] == [
        (None, f"python: ty ({programs}/ty); started when needed"),
        (True, "python in /r: ty, ready, process 7, 200 MB (/bin/ty)"),
        (None, "python in /r: ty crashed (exit code 101). The index answers without it"),
    ]
