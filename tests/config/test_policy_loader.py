"""From files to a policy, and what stays in force when one of them breaks."""

import os
from pathlib import Path

import pytest

from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.hook import Role

from .repository import GUARD, Machine

STRICT = '[guards.command-safety.rules]\nrm-tree = "deny"\ngit-rewrite = "deny"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_defaults_need_no_file(machine: Machine) -> None:
    policy = machine.policy()
    assert policy.problems == ()
    assert policy.budget("PreToolUse") == 10.0
    assert policy.files == ()


def test_the_same_policy_as_long_as_nothing_changes(machine: Machine) -> None:
    machine.user(STRICT)
    machine.hook()
    machine.file(".claude/agents/b.md", "---\noutputs: {}\n---\n")
    loader = machine.loader()
    first = loader.policy_for(str(machine.root))
    assert loader.policy_for(str(machine.root)) is first
    os.utime(machine.places.user_config)
    assert loader.policy_for(str(machine.root)) is first


@pytest.mark.parametrize(
    "name", [".claude/agents/new.md", ".claude/agents/deep/new.md", ".pointsman/contracts/new.json",
             ".pointsman/hooks/new.py", ".pointsman/hooks/lib/_new.py", ".pointsman/config.toml",
             "../config/hooks/new.py"],
)  # fmt: skip
@pytest.mark.parametrize("before", [True, False], ids=["beside others", "the first"])
def test_a_file_that_comes_is_noticed(machine: Machine, name: str, before: bool) -> None:
    texts = {".md": "---\noutputs: {}\n---", ".json": "{", ".py": GUARD, ".toml": "x = 1"}
    text = texts[Path(name).suffix]
    if before:
        machine.file(f"{Path(name).parent}/old{Path(name).suffix}", text)
    loader = machine.loader()
    first = loader.policy_for(str(machine.root))
    machine.file(name, text)
    second = loader.policy_for(str(machine.root))
    assert (second != first) == ("/lib/" not in name)
    assert second == machine.policy()


@pytest.mark.parametrize("whose", ["user", "repository"])
def test_a_broken_edit_keeps_the_last_good_one(machine: Machine, whose: str) -> None:
    write = machine.user if whose == "user" else machine.settings
    path = write(STRICT)
    loader = machine.loader()
    repository = str(machine.root)
    rules = loader.policy_for(repository).guards["command-safety"]["rules"]
    assert rules["git-rewrite"] == "deny"
    write("[guards\nbroken")
    policy = loader.policy_for(repository)
    assert policy.guards["command-safety"]["rules"] == rules
    (problem,) = policy.problems
    assert (problem.file, problem.line) == (str(path), 1)
    ((kind, text),) = loader.drain_events()
    assert kind == "config broken"
    assert "the last good one stays in force" in text
    assert str(path) in text
    assert loader.policy_for(repository) is policy
    assert loader.drain_events() == []
    write("")
    assert loader.policy_for(repository).problems == ()
    assert [kind for kind, _ in loader.drain_events()] == ["config mended"]


@pytest.mark.parametrize("whose", ["user", "repository"])
def test_the_last_good_one_outlives_the_daemon(machine: Machine, whose: str) -> None:
    write = machine.user if whose == "user" else machine.settings
    write(STRICT)
    machine.policy()
    write("[guards\nbroken")
    assert machine.policy().guards["command-safety"]["rules"]["git-rewrite"] == "deny"
    write("")
    assert "rules" not in machine.policy().guards.get("command-safety", {})


def test_one_that_was_never_good_says_so(machine: Machine) -> None:
    machine.user("x = 1")
    loader = machine.loader()
    assert loader.policy_for(None).problems
    ((_, text),) = loader.drain_events()
    assert "nothing of it is in force" in text


def test_a_file_that_is_taken_away_is_not_in_force_any_more(machine: Machine) -> None:
    path = machine.user(STRICT)
    loader = machine.loader()
    loader.policy_for(None)
    path.unlink()
    assert loader.policy_for(None).guards == {}
    assert machine.policy().guards == {}


def test_many_repositories_cost_nobody_the_last_good_one(machine: Machine) -> None:
    machine.settings(STRICT)
    loader = machine.loader()
    loader.policy_for(str(machine.root))
    for number in range(70):
        loader.policy_for(str(machine.path / str(number)))
    machine.settings("broken")
    policy = loader.policy_for(str(machine.root))
    assert policy.guards["command-safety"]["rules"]["git-rewrite"] == "deny"


def test_all_files_are_reported_at_once(machine: Machine) -> None:
    machine.user("x = 1\ny = 2")
    machine.settings("z = 3")
    machine.hook("def (")
    machine.file(".claude/agents/b.md", "---\noutputs: [\n---\n")
    found = {(Path(problem.file).name, problem.key) for problem in machine.policy().problems}
    assert found == {
        ("config.toml", "x"), ("config.toml", "y"), ("config.toml", "z"), ("check.py", "file"),
        ("b.md", "file"),
    }  # fmt: skip


def test_what_a_repository_may_not_say_has_its_line(machine: Machine) -> None:
    machine.settings(
        "[budgets]\nPreEdit = 20\n[guards.scope]\nenabled = false\n"
        '[guards.command-safety.rules]\npower = "off"\n[ledger]\nretention_days = 1\n'
    )
    found = [(each.line, each.key, each.value) for each in machine.policy().problems]
    assert found == [
        (2, "budgets.PreEdit", "20"),
        (4, "guards.scope.enabled", "False"),
        (6, "guards.command-safety.rules.power", "'off'"),
        (8, "ledger.retention_days", "1"),
    ]
    assert all(str(machine.places.user_config) in each.fix for each in machine.policy().problems)


@pytest.mark.parametrize(
    "name", ["config/hooks/mine.py", "config/hooks/lib/_helper.py", "repository/script.sh",
             "repository/.pointsman/hooks/lib/_helper.py", "repository/.claude/agents/b.md"],
)  # fmt: skip
def test_an_edit_in_place_is_noticed(machine: Machine, name: str) -> None:
    machine.settings(
        '[[hooks]]\nname = "x"\nrole = "guard"\nevents = ["Stop"]\ncommand = ["sh", "script.sh"]\n'
    )
    for each in (
        "config/hooks/mine.py", "config/hooks/lib/_helper.py", "repository/script.sh",
        "repository/.pointsman/hooks/lib/_helper.py",
    ):  # fmt: skip
        path = machine.path / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GUARD)
    machine.file(".claude/agents/b.md", "---\noutputs: {allowed_modifications: [a]}\n---\n")
    machine.trust()
    loader = machine.loader()
    first = loader.policy_for(str(machine.root))
    path = machine.path / name
    text = path.read_text()
    path.write_text(text.replace("no", "NO").replace("[a]", "[b]"))
    assert loader.policy_for(str(machine.root)) != first


def test_the_users_hooks_need_no_trust_and_run_everywhere(machine: Machine) -> None:
    path = machine.path / "config/hooks/mine.py"
    path.parent.mkdir(parents=True)
    path.write_text(GUARD)
    (hook,) = machine.loader().policy_for(None).hooks
    assert (hook.name, hook.skip, hook.theirs) == ("check", "", False)
    assert set(hook.sources) == {str(path)}
    assert machine.policy().hooks == (hook,)


def test_a_repository_cannot_take_the_name_of_a_hook_of_the_users(machine: Machine) -> None:
    path = machine.path / "config/hooks/mine.py"
    path.parent.mkdir(parents=True)
    path.write_text(GUARD)
    machine.hook()
    assert [hook.name for hook in machine.policy().hooks] == ["check", "repo:check"]


def test_one_name_in_a_file_and_in_the_settings_is_told(machine: Machine) -> None:
    machine.hook()
    machine.settings(
        '[[hooks]]\nname = "check"\nrole = "guard"\nevents = ["Stop"]\ncommand = ["true"]\n'
    )
    policy = machine.policy()
    assert len(policy.hooks) == 2
    assert "2 hooks have this name" in policy.problems[0].message


def test_a_guard_of_the_users_that_cannot_be_read_stops(machine: Machine) -> None:
    path = machine.path / "config/hooks/mine.py"
    path.parent.mkdir(parents=True)
    path.write_text("from pointsman import guard\n@guard('Stop')\ndef f(")
    (hook,) = machine.policy().hooks
    assert (hook.role, hook.events) == (Role.GUARD, ("Stop",))
    assert hook.broken


def test_what_hooks_are_made_of_is_kept(machine: Machine) -> None:
    script = machine.file("scripts/check.sh", "exit 2")
    (machine.root / "link.sh").symlink_to(script)
    machine.settings(
        '[[hooks]]\nname = "x"\nrole = "guard"\nevents = ["Stop"]\ncommand = ["./link.sh"]\n'
    )
    assert {str(script), str(machine.root / "link.sh")} <= set(machine.policy().files)


@pytest.mark.parametrize("name", [".pointsman/hooks", ".pointsman/contracts", ".claude/agents"])
def test_a_file_where_a_folder_should_be_crashes_nothing(machine: Machine, name: str) -> None:
    machine.file(name, "")
    policy = machine.policy()
    assert name == ".pointsman/hooks" or policy.problems


def test_a_state_directory_that_is_not_there_is_not_made(machine: Machine) -> None:
    machine.user(STRICT)
    PolicyLoader(machine.places).policy_for(None)
    assert not machine.places.state.exists()
