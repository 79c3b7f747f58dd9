"""What self-protection keeps: the files that say what an agent may do, and the daemon's own."""

import itertools
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path

from pointsman.model.expertise import IMPROVERS
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.paths.canonical import canonical, real_path
from pointsman.paths.client_command import client_command, exec_command
from pointsman.paths.globs import Globs
from pointsman.shell.effects import UNKNOWN, Effect, Kind

NAME = "self-protection"
HOLDERS = (".claude", ".pointsman")
"""The directories of a repository, or of a home, in which something is kept."""

SHEETS = ".claude/agents/experts/*/expertise.y*ml"
"""Where shared expertise lies below a repository, or a home."""
OURS = (
    "Settings, contracts, hooks, the record and the daemon of Pointsman are not an agent's to "
    "change; a person does that in a terminal of their own."
)
WHY = {
    "self.expertise": (
        "What is known of a domain is shared: a worker does not write it. Say what you have "
        "learnt in your result; the improve step writes it down, an agent that `improvers` under "
        "[expertise] names. A person sees who that is with: pointsman expertise list"
    )
}
"""By rule, why what it keeps is kept; ``OURS`` is for the rest."""

_SETTINGS = re.compile(
    r"(^|/)\.claude/(settings[^/]*\.json|hooks|managed-settings[^/]*)(/|\Z)", re.IGNORECASE
)
_CONTRACT = re.compile(r"(^|/)(\.claude/agents|\.pointsman)(/|\Z)", re.IGNORECASE)
_EXPERTISE = re.compile(r"(^|/)\.claude/agents/experts/[^/]+/expertise\.ya?ml\Z", re.IGNORECASE)
_STATE = re.compile(r"(^|/)(\.config|\.local/state)/pointsman(/|\Z)")
_PROGRAM = re.compile(r"(^|/)bin/pointsman(-hook|-exec)?\Z")
_SITE = re.compile(r"(^|/)site-packages/_?pointsman([-.][^/]*)?(/|\Z)")
_PATTERNS = (
    (_SETTINGS, "self.settings"),
    (_CONTRACT, "self.contract"),
    (_STATE, "self.state"),
    (_PROGRAM, "self.state"),
    (_SITE, "self.state"),
)
_SHARED = ((re.compile(""), "self.expertise"),)
_MENTION = re.compile(
    r"\.claude/(settings|agents|hooks)|\.pointsman\b|managed-settings|settings\.local\.json"
    r"|(\.config|state)/pointsman|bin/pointsman|['\"/ =]\.claude(['\"/ ;)]|\Z)",
    re.IGNORECASE,
)
_LITERALS = (".claude", "pointsman", "managed-settings", "settings.local")
"""One of these stands in whatever the pattern matches, and is found at a hundredth of the price."""

_KNOWN_FILES = (
    ".claude/settings.json", ".claude/settings.local.json", ".claude/agents/agent.md",
    ".claude/agents/experts/domain/expertise.yaml", ".claude/hooks/hook",
    ".pointsman/config.toml", ".pointsman/contracts/contract.yaml", ".pointsman/hooks/hook.py",
    ".mcp.json",
)  # fmt: skip
"""What a repository may hold, so that a wildcard that would match it is seen."""
_STATE_FILES = (
    "config.toml",
    "ledger.db",
    "approvals.db",
    "trust.json",
    "daemon.lock",
    "daemon.sock",
)
_SERVERS = ("/.mcp.json", "/.claude.json")
_MOST_SERVERS = 4 * 1024 * 1024
_MADE_BY = ("mkdir", "touch")
_TREES = frozenset({Kind.DELETE_TREE, Kind.MOVE, Kind.DELETE})
CHANGES = frozenset({Kind.WRITE, Kind.CHMOD}) | _TREES


def mentions(text: str) -> bool:
    """Whether a text speaks of what is kept."""
    lowered = text.lower()
    return any(each in lowered for each in _LITERALS) and _MENTION.search(text) is not None


@dataclass(frozen=True)
class Keep:
    """What is kept: directories that are ours alone, files by pattern, the daemon."""

    policy: Policy
    places: Places
    cwd: str = "/"
    host_config: str = ""
    agent: str = ""
    hidden: bool = False
    """Whether the command's wildcards match names that begin with a dot."""
    _of_words: dict[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def home(self) -> str:
        """The home directory of the user whose daemon this is."""
        return os.environ.get("HOME", str(self.places.config.parent.parent))

    @property
    def roots(self) -> tuple[str, ...]:
        """The directories and files in which everything is kept."""
        return _roots(str(self.places.state), str(self.places.config))

    @cached_property
    def holders(self) -> tuple[str, ...]:
        """The directories whose ``.claude`` and ``.pointsman`` are in force here."""
        named = (self.policy.repository, self.home, self.cwd)
        real = (real_path(each) for each in named if each and each.startswith("/"))
        return tuple(dict.fromkeys(real))

    @cached_property
    def _declared(self) -> Globs:
        return Globs(self.policy.guards.get(NAME, {}).get("paths", ()))

    def rule_of(self, path: str) -> str:
        """Return the id of the rule that keeps this path, or the empty string."""
        patterns: tuple[tuple[re.Pattern[str], str], ...] = _PATTERNS
        if self._is_expertise(path):
            patterns = () if self.improves else _SHARED
        for pattern, rule in patterns:
            if pattern.search(path):
                return rule
        if any(path == root or path.startswith(f"{root}/") for root in self.roots):
            return "self.state"
        of_host = self.host_config and _of_host(path, self.host_config)
        if of_host or (path.endswith(_SERVERS) and _registers_us(path)):
            return "self.settings"
        if path in self.policy.files:
            return "self.contract"
        relative = path.removeprefix(f"{self.policy.repository}/")
        return (
            "self.declared" if self._declared.match(relative) or self._declared.match(path) else ""
        )

    @cached_property
    def improves(self) -> bool:
        """Whether this agent is one that may write shared expertise."""
        named = self.policy.guidance.get("expertise", {}).get("improvers", IMPROVERS)
        return any(fnmatchcase(self.agent, each) for each in named)

    def _is_expertise(self, path: str) -> bool:
        if _EXPERTISE.search(path):
            return True
        host = self.host_config.rstrip("/")
        below = host and path.startswith(f"{host}/")
        return bool(below and _EXPERTISE.search(f".claude/{path[len(host) + 1 :]}"))

    def rule_of_word(self, word: str, cwd: str) -> str:
        """Return the id of the rule that keeps what a command's word names.

        Looked up once for each word: a carrier has those of all that it carries.
        """
        rule = self._of_words.get((word, cwd))
        if rule is None:
            rule = self._of_words[word, cwd] = self.rule_of(absolute(word, cwd))
        return rule

    def rule_of_effect(self, effect: Effect) -> str:
        """Return the id of the rule that an effect breaks, or the empty string."""
        if effect.kind not in CHANGES:
            return ""
        path = effect.path
        if any(mark in path for mark in "*?[("):
            return self._rule_of_glob(effect)
        if UNKNOWN in path:
            return self._rule_of_name(path, effect)
        real = path
        if not effect.construct.startswith(("rm", "unlink", "mv", "find")):
            real = canonical(path, "/").path
        parent = canonical(posixpath.dirname(path) or "/", "/").path
        named = f"{parent.rstrip('/')}/{posixpath.basename(path)}"
        for each in dict.fromkeys((path, real, named)):
            rule = self._rule_of_name(each, effect)
            if rule:
                return rule
        return "self.settings" if self._swallows(named, effect) else ""

    def inside(self, directory: str) -> bool:
        """Whether something that is kept lies in this directory."""
        prefix = f"{directory.rstrip('/')}/"
        if any(root.startswith(prefix) for root in self.roots):
            return True
        if os.path.lexists(f"{prefix}bin/pointsman"):
            return True
        return any(
            f"{holder}/{name}".startswith(prefix) and os.path.lexists(f"{holder}/{name}")
            for holder in self.holders
            for name in HOLDERS
        )

    def _rule_of_name(self, path: str, effect: Effect) -> str:
        rule = self.rule_of(path)
        if rule or path.rsplit("/", 1)[-1].lower() not in HOLDERS:
            return rule
        # The directory itself may be made, not replaced, moved, closed or filled from elsewhere.
        if effect.kind is Kind.WRITE:
            made = effect.construct.startswith(_MADE_BY)
            here = path.startswith(UNKNOWN) or posixpath.dirname(path) in self.holders
            return "self.settings" if here and not made else ""
        return "self.settings"

    def _swallows(self, path: str, effect: Effect) -> bool:
        if effect.kind in _TREES:
            return self.inside(path)
        closes = effect.kind is Kind.CHMOD and "closes" in effect.construct
        return closes and self.inside(path)

    def _rule_of_glob(self, effect: Effect) -> str:
        """Judge a glob by what it would match; what is taken away must be there."""
        base = _static(effect.path)
        # Of a place that is not known there is nothing to look up; the holders may be it.
        known = [] if UNKNOWN in base else [base, real_path(base)]
        places = dict.fromkeys([*self.holders, *known])
        files = [f"{place}/{name}" for place in places for name in _KNOWN_FILES]
        files += [f"{root}/{name}" for root in self.roots for name in _STATE_FILES]
        files += [*self.policy.files, *(self._present(base) if known else ())]
        files += [
            str(each) for place in places for each in itertools.islice(Path(place).glob(SHEETS), 64)
        ]
        takes = effect.kind is not Kind.WRITE
        pattern = [part for part, _ in itertools.groupby(effect.path.split("/"))]
        for file in files:
            if _reaches(pattern, file.split("/"), takes, self.hidden) and (
                not takes or os.path.lexists(file)
            ):
                return self.rule_of(file) or "self.settings"
        return ""

    @staticmethod
    def _present(base: str) -> Iterator[str]:
        """Yield what is there beside the names we know: the contracts of any agent."""
        if not re.search(r"\.(claude|pointsman)(/|\Z)", base):
            return
        try:
            with os.scandir(base) as entries:
                for _, entry in zip(range(512), entries, strict=False):
                    if _SETTINGS.search(entry.path) or _CONTRACT.search(entry.path):
                        yield entry.path
        except OSError:
            return


def absolute(word: str, cwd: str) -> str:
    """Return where a command's word leads, or the word where it names no file that is known."""
    if word.startswith(("-", UNKNOWN)) or not word:
        return word
    text = word if word.startswith("/") else f"{cwd}/{word}"
    return real_path(text) if UNKNOWN not in text else text


@lru_cache(maxsize=16)
def _roots(state: str, config: str) -> tuple[str, ...]:
    """Return what is ours alone; looked up once, since every path of every call is held to it."""
    clients = (client_command(), exec_command())
    mine = (state, config, *(client.argv[0] for client in clients if client.native))
    package = str(Path(__file__).resolve().parent.parent)
    return (*(os.path.realpath(each) for each in mine), "/etc/claude-code", package)


def _of_host(path: str, directory: str) -> bool:
    if not path.startswith(f"{directory.rstrip('/')}/"):
        return False
    rest = path[len(directory.rstrip("/")) + 1 :]
    return bool(_SETTINGS.search(f".claude/{rest}") or _CONTRACT.search(f".claude/{rest}"))


def _registers_us(file: str) -> bool:
    """Whether a file of MCP servers has ours among them; one that cannot be read may have."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - as the client opens it
            return b'"pointsman"' in opened.read(_MOST_SERVERS)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True


def _static(pattern: str) -> str:
    """Return the directory of a pattern before its first wildcard."""
    kept = []
    for part in pattern.split("/"):
        if any(mark in part for mark in "*?[("):
            break
        kept.append(part)
    return "/".join(kept) or "/"


def _reaches(pattern: list[str], file: list[str], tree: bool, hidden: bool) -> bool:
    """Whether a pattern, segment by segment, matches a file (or, for a tree, one above it)."""
    if not pattern:
        return tree or not file
    if pattern[0] == "**":
        rests = (file[index:] for index in range(len(file) + 1))
        return any(_reaches(pattern[1:], rest, tree, hidden) for rest in rests)
    if not file or not _is_match(file[0], pattern[0], hidden):
        return False
    return _reaches(pattern[1:], file[1:], tree, hidden)


def _is_match(name: str, pattern: str, hidden: bool) -> bool:
    if "(" in pattern or UNKNOWN in pattern:
        return True
    if name.startswith(".") and pattern[:1] in {"*", "?"} and not hidden:
        return False
    return fnmatchcase(name, pattern)
