import os
from pathlib import Path

import pytest

from pointsman.paths.repository import (
    anchored_root,
    is_worktree_of,
    main_repository,
    repository_root,
)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / ".git/worktrees/feat").mkdir(parents=True)
    (root / "src/deep").mkdir(parents=True)
    return root


def test_the_nearest_mark_is_the_root(repo: Path, tmp_path: Path) -> None:
    assert repository_root(str(repo / "src/deep")) == str(repo)
    (repo / "src/.pointsman").mkdir()
    assert repository_root(str(repo / "src")) == str(repo / "src")
    assert repository_root("relative") is None
    assert repository_root("") is None
    assert repository_root(str(repo / "not/yet/there")) == str(repo)


def test_a_session_is_held_to_its_project_wherever_it_goes(repo: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".git").mkdir(parents=True)
    assert anchored_root(str(repo), str(elsewhere)) == str(repo)
    assert anchored_root(str(repo), "") == str(repo)
    assert anchored_root("", str(repo / "src")) == str(repo)
    assert anchored_root("", "") is None
    bare = tmp_path / "bare"
    bare.mkdir()
    assert anchored_root(str(bare), str(bare)) == str(bare)


def test_a_linked_worktree_counts_as_itself(repo: Path, tmp_path: Path) -> None:
    tree = tmp_path / "feat"
    tree.mkdir()
    (tree / ".git").write_text(f"gitdir: {repo}/.git/worktrees/feat\n")
    assert not is_worktree_of(str(tree), str(repo)), "only one of the two says so"
    (repo / ".git/worktrees/feat/gitdir").write_text(f"{tree}/.git\n")
    alias = tmp_path / "alias"
    alias.symlink_to(repo)
    assert is_worktree_of(str(tree), str(alias))
    assert is_worktree_of(str(tree), str(repo))
    assert anchored_root(str(repo), str(tree)) == str(tree)


@pytest.mark.parametrize("text", ["", "gitdir: /other/.git/worktrees/x", "\xff", "worktrees"])
def test_what_only_looks_like_a_worktree_is_none(repo: Path, tmp_path: Path, text: str) -> None:
    tree = tmp_path / "feat"
    tree.mkdir()
    (tree / ".git").write_bytes(text.encode("latin-1"))
    assert not is_worktree_of(str(tree), str(repo))
    assert anchored_root(str(repo), str(tree)) == str(repo)


def test_a_pipe_in_the_place_of_a_pointer_holds_nobody_up(repo: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    os.mkfifo(tree / ".git")
    assert not is_worktree_of(str(tree), str(repo))
    assert main_repository(str(tree)) == str(tree)
