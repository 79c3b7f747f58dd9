"""Which repository a directory belongs to."""

from pathlib import Path

_MARKS = (".git", ".pointsman")
_MOST_LEVELS = 128


def repository_root(directory: str) -> str | None:
    """Return the nearest ancestor that holds ``.git`` or ``.pointsman``, or ``None``."""
    if not directory.startswith("/"):
        return None
    path = Path(directory)
    for candidate in (path, *path.parents)[:_MOST_LEVELS]:
        if any(_exists(candidate / mark) for mark in _MARKS):
            return str(candidate)
    return None


def is_worktree_of(directory: str, repository: str) -> bool:
    """Whether ``directory`` is the root of a linked git worktree of ``repository``."""
    try:
        text = (Path(directory) / ".git").read_text(encoding="utf-8")[:4096]
    except (OSError, ValueError):
        return False
    target = text.removeprefix("gitdir:").strip()
    return text.startswith("gitdir:") and target.startswith(f"{repository}/.git/worktrees/")


def anchored_root(project: str, cwd: str) -> str | None:
    """Return the repository that a session is held to.

    That is the project's, wherever the agent has gone since, so that ``cd`` leads out of no
    contract; a linked worktree of it counts as itself.
    """
    here = repository_root(cwd)
    anchor = repository_root(project) or (project if project.startswith("/") else None)
    if anchor is None:
        return here
    if here is not None and here != anchor and is_worktree_of(here, anchor):
        return here
    return anchor


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
