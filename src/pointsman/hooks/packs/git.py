"""Git: work thrown away that nobody else has, history that others have, code that git runs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pointsman.hooks.packs.calls import calls, names
from pointsman.hooks.rule import Call, Pack, Rule, Scene
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


def _on(table: Mapping[str, Finder]) -> Call:
    """Return the test for subcommands, by their names (several, apart by spaces)."""
    finders = {name: find for line, find in table.items() for name in line.split()}

    def run(each: Invocation, scene: Scene) -> str | None:
        del scene
        if each.program != "git":
            return None
        told = git_command(each)
        sub = told.argv[0].lower() if told.argv else ""
        if sub not in finders or told.argv[-1:] in {("-h",), ("--help",)}:
            return None
        # Where a file system does not tell upper case from lower, `git PUSH -F` finds git-push.
        upper = told.argv[0].isupper()
        given = {option.lower() if upper else option for option in options(told)}
        words = plain_words(told, _VALUES.get(sub, frozenset()))
        before = each.argv[1 : len(each.argv) - len(told.argv)]
        return finders[sub](_Git(sub, words, given, told.argv, before))

    return Call(frozenset({"git"}), run)


def _given(says: str, *options: str, unless: tuple[str, ...] = ()) -> Finder:
    """Return what finds one of these options and none of those; ``{}`` is the subcommand."""

    def find(git: _Git) -> str | None:
        return says.format(git.name) if git.has(*options) and not git.has(*unless) else None

    return find


_TRIES = ("--dry-run", "-n")


def _reset(git: _Git) -> str | None:
    for lost in ("--hard", "--merge"):
        if git.has(lost) or (lost == "--hard" and "--h" in git.given):
            return f"git reset {lost} throws uncommitted work away"
    return None


def _restore(git: _Git) -> str | None:
    # Told to leave the work tree alone, it changes the index at most.
    if git.argv[-1] == "--no-worktree" or "--no-worktree" in git.argv[2:]:
        return None
    staged = git.has("--staged", "-S") and not git.has("--worktree", "-W")
    picks = git.has("--patch", "-p", "--pathspec-from-file")
    lost = (git.words or picks) and not staged
    return "git restore throws uncommitted work away" if lost else None


_switch = _given("git {} -f throws uncommitted work away", "-f", "--force", "--discard-changes")


def _checkout(git: _Git) -> str | None:
    found = _switch(git)
    if found or git.has("-b", "-B", "--orphan"):
        return found
    # A branch that follows another is made, and git refuses paths beside it.
    words = git.words[1:] if _follows(git) else git.words
    paths = "--" in git.argv or len(words) > 1 or git.words[-1:] == ["."]
    if paths or git.has("--pathspec-from-file", "--patch", "-p"):
        return "git checkout of paths throws uncommitted work away"
    return None


def _follows(git: _Git) -> bool:
    """Whether a word behind an option may be its value: ``--track direct``, of older versions."""
    values = {"--track": {"direct", "inherit"}, "--recurse-submodules": {"checkout", "on-demand"}}
    pairs = zip(git.argv, git.argv[1:], strict=False)
    return any(after in values.get(word, ()) for word, after in pairs)


def _clean(git: _Git) -> str | None:
    unforced = any(
        setting.lower().replace(" ", "")
        in {f"clean.requireforce={no}" for no in ("no", "false", "off", "0")}
        for setting in git.settings
    )
    told = git.has("-f", "--force") or unforced
    forced = told and not git.has(*_TRIES)
    return "git clean deletes files that git does not keep" if forced else None


def _push(git: _Git) -> str | None:
    refs = git.words[1:]
    if git.has(*_TRIES):
        return None
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


def _stash(git: _Git) -> str | None:
    lost = git.words[:1] and git.words[0] in {"drop", "clear"}
    return f"git stash {git.words[0]} throws stashed work away" if lost else None


def _reflog(git: _Git) -> str | None:
    lost = git.words[:1] in (["expire"], ["delete"]) and not git.has(*_TRIES)
    return f"git reflog {git.words[0]} removes the way back" if lost else None


def _pruned(git: _Git) -> str | None:
    """``gc`` and ``prune``: what no name leads to is the way back for two weeks, unless told so."""
    ends = {"now", "all", "0"}
    glued = (
        word.partition("=")[2] for word in git.argv if word.startswith(("--prune=", "--expire="))
    )
    apart = (after for word, after in pairwise(git.argv) if word in {"--expire", "--prune"})
    now = not ends.isdisjoint([*glued, *apart])
    kept = git.has(*_TRIES) or any(word.startswith("--expire") for word in git.argv)
    lost = now or (git.name == "prune" and not kept)
    return f"git {git.name} removes the way back" if lost else None


def _worktree(git: _Git) -> str | None:
    forced = git.words[:1] == ["remove"] and git.has("-f", "--force")
    return "git worktree remove --force throws its work away" if forced else None


_HISTORY: Mapping[str, Finder] = {
    "filter-branch filter-repo": lambda git: f"git {git.name} rewrites the whole history",
    "reflog": _reflog,
    "gc prune": _pruned,
    "update-ref": _given("git update-ref -d drops a reference", "-d", "--delete"),
    "worktree": _worktree,
}
_REWRITE: Mapping[str, Finder] = {
    "commit": _given("git commit --amend rewrites the last commit", "--amend"),
    "rebase merge cherry-pick am revert": _given(
        "git {} --abort throws what was resolved away", "--abort"
    ),
}


_TRANSPORT = names("push fetch pull clone ls-remote archive remote submodule fetch-pack send-pack")
_RUNS = re.compile(
    r"(?:^|\s)(?:export\s+)?(GIT_SSH_COMMAND|GIT_SSH_VARIANT|GIT_SSH|GIT_PROXY_COMMAND"
    r"|GIT_EXEC_PATH|GIT_TEMPLATE_DIR"
    r"|GIT_CONFIG_PARAMETERS|GIT_CONFIG_GLOBAL|GIT_CONFIG_SYSTEM|GIT_CONFIG|GIT_EXTERNAL_DIFF"
    r"|GIT_ASKPASS)=(\S*)"
    r"|(GIT_CONFIG_(?:KEY|VALUE)_\d+)=(alias\.\S*|core\.hooks\S*|!\S*)"
)
_CONFIGURED = re.compile(
    r"(?:core\.(?:sshcommand|gitproxy)|remote\.\w+\.(?:receivepack"
    r"|uploadpack|proxy))=(.*)",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"[\"']?(?:/usr/bin/)?ssh(?:\s|[\"']|\Z)|/dev/null|[\"']?(?:true|echo|:"
    r"|cat|)[\"']?\Z"
)


def _foreign_program(each: Invocation, scene: Scene) -> str | None:
    """A program named in the call that git starts to reach another machine, or its settings."""
    del scene
    told = git_command(each)
    sub = told.argv[0].lower() if told.argv else ""
    for word in each.argv[1 : len(each.argv) - len(told.argv)]:
        if word.startswith("--exec-path="):
            return f"git is given {word[:60]} for this call"
        found = _CONFIGURED.fullmatch(word)
        if found and _reaches(sub, told.argv[1:]) and not _HARMLESS.match(found[1]):
            return f"git {sub} starts {found[1][:60]!r}"
    for found in _RUNS.finditer(each.text.partition(sub or "git")[0] if sub else each.text):
        name, value = found[1] or found[3], found[2] or found[4] or ""
        reaches = not name.startswith("GIT_SSH") or _reaches(sub, told.argv[1:])
        if reaches and not _HARMLESS.match(value):
            return f"git is given {name} for this call"
    return None


def _reaches(sub: str, words: tuple[str, ...]) -> bool:
    """Whether a subcommand of git speaks to another machine."""
    only = _ONLY_WITH.get(sub)
    return sub in _TRANSPORT and (only is None or any(word.startswith(only) for word in words))


_ONLY_WITH = {"remote": ("update", "prune", "show", "add"), "archive": ("--remote",),
              "submodule": ("update", "add", "foreach")}  # fmt: skip
_EXECUTES = (
    "core.hooksPath|core.hookspath|core.sshCommand|core.sshcommand|core.fsmonitor|core.pager"
    "|core.editor|core.gitproxy"
    "|credential.*|url.*|alias.*|filter.*|diff.*.command|diff.*.textconv|diff.external"
    "|merge.*.driver|init.templateDir"
    "|init.templatedir|include.path|includeIf.*|http.proxy|http.sslVerify|http.sslverify"
    "|http.*.sslVerify|gpg.program"
    "|gpg.*|protocol.*|receive.*|uploadpack.*|safe.directory|remote.*|core.worktree|sendemail.*"
    "|sequence.editor|pager.*"
    "|commit.gpgsign|core.attributesFile|core.askPass|core.askpass|transfer.*"
)
_PASSES = "!--get|--get-all|--list|-l|get|list|--get-regexp|--get-urlmatch|--unset|--show-origin"


def _config(each: Invocation, scene: Scene) -> str | None:
    found = _SETS.find(each, scene)
    if found is None:
        return None
    told = [word for word in git_command(each).argv[1:] if not word.startswith("-")]
    told = told[1:] if told[:1] == ["set"] else told
    # With no value it only prints; whose alias is plain git is no program's.
    harmless = len(told) < 2 or (
        told[0].lower().startswith(("alias.", "diff.")) and not told[1].startswith("!")
    )
    return None if harmless and "-e" not in each.argv and "--edit" not in each.argv else found


_SETS = calls("changes what git runs by itself", f"git config {_EXECUTES} {_PASSES}",
              f"git config set|add {_EXECUTES}", "git config -e|--edit")  # fmt: skip

PACK = Pack("git", "Git.", (
    Rule("git-reset-hard", Action.DENY, "Throws uncommitted work away.",
         _on({"reset": _reset}), "git reset --hard HEAD~1", "git reset --soft HEAD~1", plain=True),
    Rule("git-discard", Action.DENY, "Throws uncommitted work away.",
         _on({"checkout": _checkout, "restore": _restore, "switch": _switch}),
         "git checkout -- .", "git checkout -b topic", plain=True),
    Rule("git-clean", Action.DENY, "Deletes files that git does not keep.",
         _on({"clean": _clean}), "git clean -fdx", "git clean -n", plain=True),
    Rule("git-push-force", Action.DENY, "Rewrites or deletes what others have.",
         _on({"push": _push}), "git push --force origin main",
         "git push --force-with-lease origin topic", plain=True),
    Rule("git-branch-delete", Action.DENY, "Drops commits that are merged nowhere.",
         _on({"branch": _branch}), "git branch -D topic", "git branch -d topic", plain=True),
    Rule("git-tag-delete", Action.ASK, "Drops a name that others may rely on.",
         _on({"tag": _given("git tag -d drops a tag", "-d", "--delete")}),
         "git tag -d v1", "git tag v1"),
    Rule("git-rm-force", Action.DENY, "Deletes files with what is not committed in them.",
         _on({"rm": _given("git rm -f deletes files with their uncommitted work", "-f", "--force",
                           unless=("--cached", *_TRIES))}),
         "git rm -f notes.txt", "git rm --cached notes.txt", plain=True),
    Rule("git-stash-drop", Action.DENY, "Throws stashed work away.",
         _on({"stash": _stash}), "git stash drop", "git stash pop", plain=True),
    Rule("git-history", Action.DENY, "Rewrites history, or removes the way back.",
         _on(_HISTORY),
         "git reflog expire --expire=now --all", "git reflog", plain=True),
    Rule("git-rewrite", Action.ASK, "Rewrites a commit, or throws away what was resolved.",
         _on(_REWRITE),
         "git commit --amend -m x", "git commit -m x", plain=True),
    Rule("git-runs", Action.ASK, "Runs a program that the command brings along.",
         Call(frozenset({"git"}), _foreign_program), "GIT_SSH_COMMAND=./helper git fetch",
         "GIT_SSH_COMMAND='ssh -i key' git fetch"),
    Rule("git-config", Action.ASK, "Changes what git runs, or where work goes, from now on.",
         Call(frozenset({"git"}), _config), "git config core.hooksPath /tmp/hooks",
         "git config user.name dev", plain=True),
    Rule("git-remote", Action.ASK, "Changes where work goes from now on.",
         calls("changes where work goes", "git remote set-url|remove|rm|rename",
             "git remote set-head -d|--delete"),
         "git remote set-url origin https://example.com/x.git", "git remote -v", plain=True),
    Rule("git-no-verify", Action.ASK, "Goes past the checks that the project has put there.",
         calls("goes past the hooks of the project", "git commit|push|merge|rebase|am --no-verify",
               "git commit|cherry-pick -n !--dry-run"),
         "git commit --no-verify -m x", "git commit -m x", "Mend what the check says.", plain=True),
    Rule("git-hidden", Action.ASK, "Whoever looks at the tree later does not see them.",
         calls("hides changes",
             "git update-index --assume-unchanged|--skip-worktree|--force-remove",
               "git replace *", "git notes remove|prune",
               "git symbolic-ref -d|--delete",
               "git update-ref --stdin"),
         "git update-index --assume-unchanged a.py", "git update-index --refresh"),
    Rule("git-submodule", Action.ASK, "Throws work away, or moves a name off it.",
         calls("throws work away", "git submodule deinit -f|--force",
               "git submodule update -f|--force", "git read-tree -u|--reset",
               "git checkout-index -f|--force",
               "git sparse-checkout set|init",
               "git branch -f|--force !-d|-D|--delete", "git tag -f|--force",
               "git lfs prune -f|--force", "git bisect reset", "git rebase --skip|--quit",
               "git reset --keep",
               "git pull -f|--force", "git fetch *:* -f|--force"),
         "git submodule deinit -f lib", "git submodule status", plain=True),
))  # fmt: skip
"""Rules about git, in the order in which they are asked."""
