"""What of a git store is writable, and what leads git to other programs."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pointsman.sandbox.git_store import KEPT, planted, store_of

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


def git(folder: Path, *words: str) -> None:
    own = ["-c", "user.name=n", "-c", "user.email=e", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *own, "-C", folder, *words], check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = (tmp_path / "repo").resolve()
    made.mkdir()
    git(made, "init", "-q")
    git(made, "commit", "-q", "--allow-empty", "-m", "first")
    return made


def test_a_plain_repository(root: Path) -> None:
    found = store_of(str(root))
    assert found.writable == (f"{root}/.git",)
    assert {f"{root}/.git/hooks", f"{root}/.git/config"} <= set(found.protected)
    assert found.limits == ()


def test_missing_hooks_are_made_empty(root: Path) -> None:
    shutil.rmtree(root / ".git/hooks")
    assert f"{root}/.git/hooks" in store_of(str(root)).protected
    assert list((root / ".git/hooks").iterdir()) == []


def test_configuration_of_worktrees_is_kept_where_git_reads_it(root: Path) -> None:
    assert not any("config.worktree" in path for path in store_of(str(root)).protected)
    git(root, "config", "extensions.worktreeConfig", "true")
    assert f"{root}/.git/config.worktree" in store_of(str(root)).protected


def test_a_linked_worktree_has_both_stores(root: Path) -> None:
    tree = root.parent / "tree"
    git(root, "worktree", "add", "-q", str(tree))
    found = store_of(str(tree))
    own = f"{root}/.git/worktrees/tree"
    assert found.writable == (own, f"{root}/.git")
    kept = set(found.protected)
    assert {f"{own}/commondir", f"{own}/gitdir", f"{root}/.git/hooks"} <= kept
    # From the other side its pointers are kept as well.
    assert f"{own}/commondir" in store_of(str(root)).protected


def test_a_submodule_is_kept_from_its_parent_and_has_its_own_store(root: Path) -> None:
    other = root.parent / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "first")
    git(root, "submodule", "add", "-q", str(other), "lib/sub")
    store = f"{root}/.git/modules/lib/sub"
    kept = set(store_of(str(root)).protected)
    assert {f"{store}/hooks", f"{store}/config", f"{root}/lib/sub/.git"} <= kept
    assert store_of(str(root / "lib/sub")).writable == (store,)


def test_what_the_configuration_names_is_kept(root: Path) -> None:
    for name in ("own-hooks", "more.config"):
        (root / ".git" / name).mkdir()
    git(root, "config", "core.hooksPath", ".git/own-hooks")
    git(root, "config", "include.path", "more.config")
    kept = set(store_of(str(root)).protected)
    assert {f"{root}/.git/own-hooks", f"{root}/.git/more.config"} <= kept


@pytest.mark.parametrize("inside", ["", "HEAD", "HEAD objects/"])
def test_a_pointer_to_what_is_no_store_of_ours_is_not_followed(tmp_path: Path, inside: str) -> None:
    root, target = tmp_path / "repo", tmp_path / "precious"
    root.mkdir()
    target.mkdir()
    for name in inside.split():
        (target / name).mkdir() if name.endswith("/") else (target / name).touch()
    (root / ".git").write_text(f"gitdir: {target}\n")
    found = store_of(str(root))
    assert (found.writable, found.protected) == ((), ())
    assert "stays read-only" in found.limits[0]


def test_a_link_is_not_followed(root: Path) -> None:
    other = root.parent / "linked"
    other.mkdir()
    (other / ".git").symlink_to(root / ".git")
    assert store_of(str(other)).writable == ()


def test_a_planted_commondir_closes_the_store(root: Path) -> None:
    assert planted(str(root)) == ()
    (root / ".git/commondir").write_text("/tmp/evil\n")
    assert planted(str(root)) == (f"{root}/.git/commondir",)
    assert store_of(str(root)).writable == ()


def test_no_repository_has_no_store(tmp_path: Path) -> None:
    found = store_of(str(tmp_path))
    assert (found.writable, found.protected, found.limits) == ((), (), ())


def test_every_name_has_a_reason() -> None:
    assert all(reason for _, reason in KEPT)
