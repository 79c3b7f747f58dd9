import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import Kind

W, M, T = Kind.WRITE, Kind.MOVE, Kind.DELETE_TREE
N, X, O = Kind.NETWORK, Kind.EXECUTE, Kind.OPAQUE  # noqa: E741


@pytest.mark.parametrize(
    ("command", "effects"),
    [
        ("git status", []),
        ("git add a", []),
        ("git commit -m 'rm -rf /'", []),
        ("git log --output=x", [(W, "/w/x")]),
        ("git clean -fd d", [(T, "/w/d")]),
        ("git clean -nd d", []),
        ("git rm a", [(T, "/w/a")]),
        ("git mv a b", [(M, "/w/a"), (M, "/w/b")]),
        ("git restore a", [(W, "/w/a")]),
        ("git checkout -- a", [(W, "/w/a")]),
        ("git checkout main", [(W, "/w/main"), (O, "/w")]),
        ("git checkout main -- a", [(W, "/w/a")]),
        ("git cherry-pick -n main", [(O, "/w")]),
        ("git merge --stat main", [(O, "/w")]),
        ("git revert -n HEAD", [(O, "/w")]),
        ("git read-tree -n -u main", []),
        ("git checkout 'stash@{0}' -- a b", [(W, "/w/a"), (W, "/w/b")]),
        ("git switch main", [(O, "/w")]),
        ("git -C d merge x", [(O, "/w/d")]),
        # another repository than the one that the command stands in
        ("git -C /o commit -m x", [(W, "/o/.git/**")]),
        ("cd /o && git commit -m x", [(W, "/o/.git/**")]),
        ("cd /o; cd d; git add a", [(W, "/o/d/.git/**")]),
        ("(cd /o && git tag v1) && git add a", [(W, "/o/.git/**")]),
        ("pushd /o && git branch new && popd", [(W, "/o/.git/**")]),
        ("sh -c 'cd /o && git commit -m x'", [(X, ""), (W, "/o/.git/**")]),
        ("env -C /o git commit -m x", [(W, "/o/.git/**")]),
        ("cd /o && git --git-dir=.git add a", [(W, "/o/.git/**")]),
        ("cd /o && git -C /w add a", []),
        ("cd /o && cd /w && git commit -m x", []),
        ("cd d && git commit -m x", []),
        ("cd .. && git commit -m x", []),
        ("cd /o && git status", []),
        ("cd /o && git branch", []),
        ('cd "$(git rev-parse --show-toplevel)" && git commit -m x', []),
        ("git -C /o log", []),
        ("git -C /o branch", []),
        ("git -C /o branch new", [(W, "/o/.git/**")]),
        ("git -C .. commit -m x", []),
        ("git --git-dir=/o/.git add a", [(W, "/o/.git/**")]),
        ("git --git-dir .git add a", []),
        ("GIT_DIR=/o/.git git add a", [(W, "/o/.git/**")]),
        ("GIT_DIR=/o/.git; git add a", []),
        ("export GIT_DIR=/o/.git; git add a", [(W, "/o/.git/**")]),
        ("GIT_DIR=/o/.git; export GIT_DIR; git add a", [(W, "/o/.git/**")]),
        ("export GIT_DIR=/o/.git; unset GIT_DIR; git add a", []),
        ("env GIT_WORK_TREE=/o git checkout -- a", [(W, "/o/a")]),
        ("export GIT_WORK_TREE=/o; nice git checkout -- a", [(W, "/o/a")]),
        ("GIT_WORK_TREE=/w git -C d checkout -- a", [(W, "/w/d/a")]),
        ("GIT_INDEX_FILE=/o/i git add a", [(W, "/o/i")]),
        ("git --work-tree=d reset --hard", [(O, "/w/d")]),
        ("git stash pop", [(O, "/w")]),
        ("git apply x.patch", [(O, "/w")]),
        ("git apply --check x.patch", []),
        ("git apply --directory=d x.patch", [(O, "/w/d"), (W, "/w/d/**")]),
        ("git apply <<E\n--- a/x\n+++ b/y\nE", [(W, "/w/x"), (W, "/w/y")]),
        ("git clone https://h/r.git", [(W, "/w/r"), (N, "https://h/r.git")]),
        ("git clone h:r d", [(W, "/w/d"), (N, "h:r")]),
        ("git init d", [(W, "/w/d")]),
        ("git worktree add d b", [(W, "/w/d")]),
        ("git worktree remove d", [(T, "/w/d")]),
        ("git push origin main", [(N, "origin")]),
        ("git fetch", [(N, "\x00")]),
        ("git config core.hooksPath d", [(X, "/w/d")]),
        ("git config alias.x '!ls'", [(X, "")]),
        ("git config user.name me", []),
        ("git config -f d/c a.b c", [(W, "/w/d/c")]),
        ("git config core.hooksPath", []),
    ],
)
def test_what_git_does(command: str, effects: list[tuple[Kind, str]]) -> None:
    found = analyse(command, cwd="/w", home="/home/dev").effects
    assert {(each.kind, each.path) for each in found} == set(effects)


@pytest.mark.parametrize(
    "command",
    [
        "git -c alias.x='!rm a' x",
        "git -c core.pager='rm a' log",
        "git -c core.sshCommand='rm a' fetch",
        "GIT_SSH_COMMAND='rm a' git fetch",
        "GIT_EDITOR='rm a' git commit",
        "GIT_PAGER='rm a' git log",
        "git rebase --exec 'rm a' main",
        "git submodule foreach 'rm a'",
    ],
)
def test_what_git_is_told_to_run_is_run(command: str) -> None:
    found = analyse(command, cwd="/w", home="/home/dev").effects
    assert (Kind.DELETE, "/w/a") in {(each.kind, each.path) for each in found}
