"""Which git commands change the repository, and which only look."""

import pytest

from hooks.crew import Crew, crew, rule
from pointsman.hooks.git_records import recorded_by
from pointsman.shell.analyse import analyse

team = pytest.fixture(crew)

RECORDS = (
    "git commit -m x", "git -C sub commit -am x", "git add .", "git checkout -b q", "git branch x",
    "git branch -D x", "git tag v1", "git stash", "git stash pop", "git push", "git pull",
    "git remote add o u", "git worktree add ../x", "git config user.name x", "git notes add -m x",
    "git config --unset a.b", "git config set a.b c", "git update-ref refs/heads/x HEAD",
    "git reflog expire --all", "git reset --soft HEAD~1", "true && git rm --cached a",
    "sh -c 'git commit -m x'", "git submodule update",
)  # fmt: skip
LOOKS = (
    "git status", "git log --oneline", "git diff", "git show HEAD", "git branch", "git branch -a",
    "git branch --contains HEAD", "git branch --show-current", "git tag", "git tag -l 'v*'",
    "git stash list", "git remote -v", "git remote show o", "git remote get-url o",
    "git worktree list", "git config user.name", "git config --get a.b", "git config get a.b",
    "git config --list", "git notes show", "git reflog", "git blame a", "git grep x", "git",
    "echo git commit", "git submodule status",
)  # fmt: skip


def told(command: str) -> str:
    found = (recorded_by(each) for each in analyse(command, cwd="/r", home="/h").invocations)
    return next((each for each in found if each), "")


@pytest.mark.parametrize("command", RECORDS)
def test_it_records(command: str) -> None:
    assert told(command).startswith("git ")


@pytest.mark.parametrize("command", LOOKS)
def test_it_looks(command: str) -> None:
    assert told(command) == ""


def test_one_that_only_reads_records_nothing(team: Crew) -> None:
    team.agent("elder", "council: true")
    team.agent("builder", "outputs: {allowed_modifications: ['**']}")
    handled = team.call("Bash", "elder", command="git commit -m x")
    assert rule(handled) == "roles.read-only"
    for said in ("'elder'", "git commit", "read-only", "elder.md", "Report what should"):
        assert said in handled.decision.reason
    assert rule(team.call("Bash", "elder", command="git log")) == ""
    assert rule(team.call("Bash", "builder", command="git commit -m x")) == ""
