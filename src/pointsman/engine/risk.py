"""What can be said of a call's risk: from the rule that asks, and from what the call does.

Everything is data. What no row speaks of is not known, and said to be; nothing is made up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pointsman.model.approval import NOT_KNOWN, Risk
from pointsman.shell.analyse import analyse

REACHES = ("files", "repository", "machine", "network", "other people")
"""How far something goes, from near to far."""

_FILES, _REPOSITORY, _MACHINE, _NETWORK, _PEOPLE = REACHES
_LONGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of every call that a rule of this pattern asks about, or of one effect."""

    of: str
    reach: tuple[str, ...] = ()
    reversible: str = NOT_KNOWN
    rollback: str = NOT_KNOWN
    cost: str = NOT_KNOWN


RULES = (
    Row("*git-push-force*", (_REPOSITORY, _NETWORK, _PEOPLE), "while somebody has the old commit",
        "git push --force-with-lease REMOTE OLD-COMMIT:BRANCH, with the commit that "
        "`git reflog show REMOTE/BRANCH` had before"),
    Row("*git-push*", (_REPOSITORY, _NETWORK, _PEOPLE), "not for whoever has fetched it",
        "git revert COMMIT, and push that"),
    Row("*git-tag-delete*", (_REPOSITORY,), "yes, while the commit is there",
        "git tag NAME COMMIT, with the commit that the deletion prints"),
    Row("*git-branch-delete*", (_REPOSITORY,), "yes, until git gc drops the commits",
        "git branch NAME COMMIT, with the commit that the deletion prints"),
    Row("*git-stash-drop*", (_REPOSITORY,), "only by the commit it prints",
        "git stash store COMMIT, with the commit that the drop prints"),
    Row("*git-rewrite*", (_REPOSITORY,), "yes, while the reflog is there",
        "git reset --soft ORIG_HEAD, or the entry before in `git reflog`"),
    Row("*git-reset-hard*", (_FILES, _REPOSITORY), "commits yes, uncommitted work no",
        "the commit: git reset --hard ORIG_HEAD; uncommitted work: none"),
    Row("*git-discard*", (_FILES, _REPOSITORY), "no", "none: git does not keep what was discarded"),
    Row("*git-clean*", (_FILES,), "no", "none: git does not know untracked files"),
    Row("*git-history*", (_REPOSITORY,), "only from a clone", "git fetch from a clone that has it"),
    Row("*rm-tree*", (_FILES,), "only what is committed, or in a backup",
        "committed files: git restore PATH; others: a backup"),
    Row("*write-system-file*", (_MACHINE,), "only with a copy of the file",
        "restore the file from a copy made before, or from its package"),
    Row("*chmod*", (_FILES,), "only with the old modes noted",
        "chmod back; the modes before: stat -c '%a %n' PATH, made before"),
    Row("*secret*", (_FILES,), "no: what was read stays read",
        "revoke the credential and issue another"),
    Row("*raw-socket*", (_NETWORK,), "no: what was sent stays sent", "none"),
    Row("*publish*", (_NETWORK, _PEOPLE), "mostly not", "withdraw the version where that is taken"),
    Row("*power*", (_MACHINE,), "yes", "start the machine again"),
    Row("*disk-detach*", (_MACHINE,), "yes", "mount or attach it again"),
    Row("*disk*", (_MACHINE,), "no", "none, but a backup"),
    Row("*find-delete*", (_FILES,), "only what is committed, or in a backup",
        "committed files: git restore PATH; others: a backup"),
    Row("*tree-by-code*", (_FILES,), "only what is committed, or in a backup",
        "committed files: git restore PATH; others: a backup"),
    Row("*git-config*", (_REPOSITORY,), "yes, with the old value noted",
        "git config KEY OLD-VALUE; the values before: git config --list, made before"),
    Row("*git-remote*", (_REPOSITORY, _NETWORK), "yes, with the old address noted",
        "git remote set-url NAME OLD-ADDRESS"),
    Row("*git-no-verify*", (_REPOSITORY,), "yes, while it is not pushed",
        "git reset --soft HEAD~1"),
    Row("*git-hidden*", (_REPOSITORY,), "yes",
        "git update-index --no-skip-worktree --no-assume-unchanged PATH"),
    Row("*git-hook*", (_REPOSITORY,), "the file yes, what it ran not",
        "delete or restore the hook"),
    Row("*git-*", (_REPOSITORY, _MACHINE)),
    Row("*files-sent*", (_NETWORK,), "no: what was sent stays sent", "none"),
    Row("*archive-elsewhere*", (_NETWORK,), "no: what was sent stays sent", "none"),
    Row("*tunnel*", (_NETWORK, _MACHINE), "the tunnel yes, what went through not",
        "end the process"),
    Row("*way-in*", (_NETWORK, _MACHINE), "the way yes, what came through not", "end the process"),
    Row("*kill-by-name*", (_MACHINE,), "the processes can be started again, unsaved work is lost",
        "start the processes again"),
    Row("*service-stop*", (_MACHINE,), "yes", "systemctl start NAME (enable, unmask)"),
    Row("*network-off*", (_MACHINE, _NETWORK), "yes, from the machine itself",
        "bring the interface up again"),
    Row("*clock*", (_MACHINE,), "yes", "set the clock by NTP"),
    Row("*immutable*", (_FILES,), "yes", "the same with + for - and - for +"),
    Row("*schedule*", (_MACHINE,), "yes, while it has not run", "remove the job"),
    Row("*crontab*", (_MACHINE,), "only with a copy",
        "crontab FILE, with `crontab -l` made before"),
    Row("*start-file*", (_MACHINE,), "only with a copy of the file", "restore it from a copy"),
    Row("*package-remove*", (_MACHINE,), "yes, its settings perhaps not", "install it again"),
    Row("*package-*", (_MACHINE, _NETWORK), "the package yes, what its scripts did not",
        "uninstall the package"),
    Row("*container-*", (_MACHINE,), "images can be pulled again, volumes cannot", "none for data"),
    Row("*cluster-delete*", (_NETWORK, _PEOPLE), "from manifests only; data in it is lost",
        "kubectl apply -f MANIFEST"),
    Row("*infrastructure-destroy*", (_NETWORK, _PEOPLE), "resources from code, their data not",
        "apply the configuration again; data: a backup"),
    Row("*cloud-delete*", (_NETWORK, _PEOPLE), "mostly not",
        "a backup, or the provider's versions"),
    Row("*cloud-access*", (_NETWORK, _PEOPLE), "yes, with the old policy noted",
        "put the old policy back"),
    Row("*http-delete*", (_NETWORK, _PEOPLE)),
    Row("*database-reset*", (_MACHINE,), "no", "a backup"),
    Row("*log-tampering*", (_MACHINE,), "no", "none"),
    Row("*process-memory*", (_MACHINE,), "no: what was read stays read", "none"),
    Row("*agent-*", (_MACHINE, _REPOSITORY)),
    Row("*installed-program*", (_MACHINE,), "only with a copy of the file", "install it again"),
    Row("*shell-environment*", (_MACHINE,)),
    Row("*root-shell*", (_MACHINE,)),
    Row("*kernel-setting*", (_MACHINE,), "yes, with the old value noted", "sysctl KEY=OLD-VALUE"),
    Row("*name-space*", (_MACHINE,)),
    Row("*descriptor-run*", (_MACHINE,)),
    Row("*words-as-code*", (_MACHINE,)),
    Row("*nesting*", (_MACHINE,)),
)  # fmt: skip
"""By the id of a rule, the first that fits; the ids are those of docs/guards.md."""

EFFECTS = {
    "read": Row("read", (_FILES,), "yes: nothing is changed", "nothing is to be undone"),
    "write": Row("write", (_FILES,), "only what is committed, or in a backup",
                 "committed files: git restore PATH"),
    "delete": Row("delete", (_FILES,), "only what is committed, or in a backup",
                  "committed files: git restore PATH"),
    "delete tree": Row("delete tree", (_FILES,), "only what is committed, or in a backup",
                       "committed files: git restore PATH"),
    "move": Row("move", (_FILES,), "yes, where nothing was replaced", "mv TARGET SOURCE"),
    "chmod": Row("chmod", (_FILES,), "only with the old modes noted", "chmod back"),
    "network": Row("network", (_NETWORK,)),
    "process": Row("process", (_MACHINE,)),
    "privilege": Row("privilege", (_MACHINE,)),
}  # fmt: skip
"""By what a shell command does; an effect that no row speaks of adds nothing that is not known."""

TOOLS = {
    "Edit": Row("Edit", (_FILES,), "yes", "the same edit with old and new text exchanged"),
    "Write": EFFECTS["write"],
    "NotebookEdit": EFFECTS["write"],
    "MultiEdit": Row("MultiEdit", (_FILES,), "yes", "the same edits with the texts exchanged"),
    "Read": EFFECTS["read"],
    "Glob": EFFECTS["read"],
    "Grep": EFFECTS["read"],
    "WebFetch": Row("WebFetch", (_NETWORK,)),
    "WebSearch": Row("WebSearch", (_NETWORK,)),
}
"""By the host's tool; of an MCP server's tools nothing is known."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call is made: working directory, repository (empty: none), the user's home."""

    cwd: str
    repository: str
    home: str


def risk_of(rules: Iterable[str], tool: str, tool_input: Mapping[str, Any], where: Place) -> Risk:
    """Return what is known of a call, of all rows that speak of it.

    What the rule that asks says goes before what the effects alone say.
    """
    rows = [row for rule in rules if (row := _of_rule(rule))]
    effects, paths = _of_call(tool, tool_input, where)
    said = rows or effects
    reach = {far for row in (*rows, *effects) for far in row.reach}
    if any(_leaves(path, where.repository) for path in paths):
        reach.add(_MACHINE)
    return Risk(
        reversible=_told(row.reversible for row in said),
        reach=tuple(far for far in REACHES if far in reach),
        cost=_told(row.cost for row in said),
        rollback=_told(row.rollback for row in said),
    )


def _of_rule(rule: str) -> Row | None:
    return next((row for row in RULES if fnmatchcase(rule, row.of)), None)


def _of_call(tool: str, tool_input: Mapping[str, Any], where: Place) -> tuple[list[Row], list[str]]:
    """Return what is known of a call by itself, and the paths that it changes."""
    if tool in TOOLS:
        named = tool_input.get("file_path")
        changes = TOOLS[tool].of != "read" and isinstance(named, str)
        return [TOOLS[tool]], [str(named)] if changes else []
    command = tool_input.get("command")
    if not isinstance(command, str) or len(command) > _LONGEST:
        return [], []
    effects = analyse(command, cwd=where.cwd, home=where.home).effects
    # Beside something that changes, that something is read is no news.
    changes_too = [effect for effect in effects if str(effect.kind) != "read"]
    kinds = dict.fromkeys(str(effect.kind) for effect in changes_too or effects)
    return [EFFECTS[kind] for kind in kinds if kind in EFFECTS], [each.path for each in changes_too]


def _leaves(path: str, repository: str) -> bool:
    """Whether a path plainly lies outside of the repository."""
    inside = f"{repository.rstrip('/')}/"
    return bool(repository) and path.startswith("/") and not f"{path}/".startswith(inside)


def _told(texts: Iterable[str]) -> str:
    known = dict.fromkeys(text for text in texts if text != NOT_KNOWN)
    return "; ".join(known) or NOT_KNOWN
