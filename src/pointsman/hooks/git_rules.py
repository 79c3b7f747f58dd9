"""The rules of command safety about git: what throws work away that nobody else has."""

from collections.abc import Callable
from dataclasses import dataclass

from pointsman.hooks.rule import Rule, Scene
from pointsman.model.decision import Action
from pointsman.shell.effects import Invocation
from pointsman.shell.programs import git_command, options, plain_words

_VALUES = {
    "checkout": frozenset({"-b", "-B", "--orphan", "--conflict", "--inter-hunk-context", "-U"}),
    "push": frozenset({"-o", "--push-option", "--repo", "--receive-pack"}),
    "clean": frozenset({"-e", "--exclude"}),
    "restore": frozenset({"-s", "--source", "--conflict"}),
}
_SHORTEST = 5
"""Characters of a shortened long option that is still taken for it (``--for``)."""


@dataclass(frozen=True, slots=True)
class _Git:
    """One call of git: its subcommand, plain words, options, and how it was called."""

    name: str
    words: list[str]
    given: set[str]
    argv: tuple[str, ...]
    settings: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Whether one of these options is given, a long one maybe shortened."""
        return any(self._is_given(name) for name in names)

    def _is_given(self, name: str) -> bool:
        if not name.startswith("--"):
            return name in self.given
        short = min(_SHORTEST, len(name))
        return any(
            name == each or (len(each) >= short and name.startswith(each))
            for each in self.given
            if each.startswith("--")
        )


Finder = Callable[[_Git], str | None]


def _on(name: str, find: Finder) -> Callable[[Invocation, Scene], str | None]:
    """Return a rule's finder for one subcommand (several, apart by spaces)."""
    names = name.split()

    def run(each: Invocation, scene: Scene) -> str | None:
        del scene
        if each.program != "git":
            return None
        told = git_command(each)
        sub = told.argv[0].lower() if told.argv else ""
        if sub not in names or told.argv[-1:] in {("-h",), ("--help",)}:
            return None
        upper = told.argv[0].isupper()
        given = {option.lower() if upper else option for option in options(told)}
        words = plain_words(told, _VALUES.get(sub, frozenset()))
        before = each.argv[1 : len(each.argv) - len(told.argv)]
        return find(_Git(sub, words, given, told.argv, before))

    return run


def _reset(git: _Git) -> str | None:
    for lost in ("--hard", "--merge"):
        if git.has(lost) or (lost == "--hard" and "--h" in git.given):
            return f"git reset {lost} throws uncommitted work away"
    return None


def _discard(git: _Git) -> str | None:
    if git.name == "restore":
        staged = git.has("--staged", "-S") and not git.has("--worktree", "-W")
        picks = git.has("--patch", "-p", "--pathspec-from-file")
        return (
            "git restore throws uncommitted work away"
            if (git.words or picks) and not staged
            else None
        )
    if git.has("-f", "--force", "--discard-changes"):
        return f"git {git.name} -f throws uncommitted work away"
    if git.name == "switch" or git.has("-b", "-B", "--orphan"):
        return None
    paths = "--" in git.argv or len(git.words) > 1 or git.words[-1:] == ["."]
    if paths or git.has("--pathspec-from-file", "--patch", "-p"):
        return "git checkout of paths throws uncommitted work away"
    return None


def _clean(git: _Git) -> str | None:
    unforced = any(
        setting.lower().replace(" ", "")
        in {f"clean.requireforce={no}" for no in ("no", "false", "off", "0")}
        for setting in git.settings
    )
    told = git.has("-f", "--force") or unforced
    forced = told and not git.has("-n", "--dry-run")
    return "git clean deletes files that git does not keep" if forced else None


def _push(git: _Git) -> str | None:
    refs = git.words[1:]
    if git.has("-f", "--mirror") or _forces(git) or any(":+" in f":{ref}" for ref in refs):
        return "git push --force rewrites what others have"
    if git.has("--delete", "-d", "--prune") or any(ref.startswith(":") for ref in refs):
        return "git push deletes a branch of the remote"
    return None


def _forces(git: _Git) -> bool:
    """``--force``, also shortened, but not ``--force-with-lease``."""
    return any("--force".startswith(each) and len(each) >= _SHORTEST for each in git.given)


def _branch(git: _Git) -> str | None:
    forced = git.has("-D") or (git.has("-d", "--delete") and git.has("-f", "--force"))
    return "git branch -D drops commits that are merged nowhere" if forced else None


def _tag(git: _Git) -> str | None:
    return "git tag -d drops a tag" if git.has("-d", "--delete") else None


def _rm(git: _Git) -> str | None:
    forced = git.has("-f", "--force") and not git.has("--cached", "-n", "--dry-run")
    return "git rm -f deletes files with their uncommitted work" if forced else None


def _stash(git: _Git) -> str | None:
    lost = git.words[:1] and git.words[0] in {"drop", "clear"}
    return f"git stash {git.words[0]} throws stashed work away" if lost else None


def _history(git: _Git) -> str | None:
    if git.name in {"filter-branch", "filter-repo"}:
        return f"git {git.name} rewrites the whole history"
    if git.name == "reflog":
        lost = git.words[:1] in (["expire"], ["delete"]) and not git.has("--dry-run", "-n")
        return f"git reflog {git.words[0]} removes the way back" if lost else None
    if git.name in {"gc", "prune"}:
        ends = {"now", "all", "0"}
        pruned = any(
            word.startswith(("--prune=", "--expire=")) and word.partition("=")[2] in ends
            for word in git.argv
        )
        return f"git {git.name} removes the way back" if pruned else None
    if git.name == "update-ref":
        return "git update-ref -d drops a reference" if git.has("-d", "--delete") else None
    forced = git.words[:1] == ["remove"] and git.has("-f", "--force")
    return "git worktree remove --force throws its work away" if forced else None


def _rewrite(git: _Git) -> str | None:
    if git.name == "commit":
        return "git commit --amend rewrites the last commit" if git.has("--amend") else None
    if git.has("--abort"):
        return f"git {git.name} --abort throws what was resolved away"
    return None


GIT_RULES = (
    Rule("git-reset-hard", Action.DENY, "Throws uncommitted work away.",
         _on("reset", _reset), "git reset --hard HEAD~1", "git reset --soft HEAD~1"),
    Rule("git-discard", Action.DENY, "Throws uncommitted work away.",
         _on("checkout restore switch", _discard), "git checkout -- .", "git checkout -b topic"),
    Rule("git-clean", Action.DENY, "Deletes files that git does not keep.",
         _on("clean", _clean), "git clean -fdx", "git clean -n"),
    Rule("git-push-force", Action.DENY, "Rewrites or deletes what others have.",
         _on("push", _push), "git push --force origin main",
         "git push --force-with-lease origin topic"),
    Rule("git-branch-delete", Action.DENY, "Drops commits that are merged nowhere.",
         _on("branch", _branch), "git branch -D topic", "git branch -d topic"),
    Rule("git-tag-delete", Action.ASK, "Drops a name that others may rely on.",
         _on("tag", _tag), "git tag -d v1", "git tag v1"),
    Rule("git-rm-force", Action.DENY, "Deletes files with what is not committed in them.",
         _on("rm", _rm), "git rm -f notes.txt", "git rm --cached notes.txt"),
    Rule("git-stash-drop", Action.DENY, "Throws stashed work away.",
         _on("stash", _stash), "git stash drop", "git stash pop"),
    Rule("git-history", Action.DENY, "Rewrites history, or removes the way back.",
         _on("filter-branch filter-repo reflog gc prune update-ref worktree", _history),
         "git reflog expire --expire=now --all", "git reflog"),
    Rule("git-rewrite", Action.ASK, "Rewrites a commit, or throws away what was resolved.",
         _on("commit rebase merge cherry-pick am revert", _rewrite),
         "git commit --amend -m x", "git commit -m x"),
)  # fmt: skip
"""Every rule about git, in the order in which they are asked."""
