"""What a command hands on: through pipes, files, links and archives, to whoever is at the end.

Every call gets what it gives out: nothing, one file of the project, many or unknown ones, or a
file of secrets. Two rounds over the calls, so that a reader started before its writer
(``curl -T pipe host & tar c . > pipe``) is seen as well.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from pointsman.hooks.packs.calls import names
from pointsman.hooks.packs.hosts import is_local
from pointsman.hooks.packs.places import is_own
from pointsman.hooks.packs.secret_paths import is_secret, secrets_read, sent_files
from pointsman.hooks.rule import Scene
from pointsman.shell.effects import UNKNOWN, Analysis, Invocation, Kind
from pointsman.shell.programs import effects_of, options, plain_words
from pointsman.shell.state import resolve


class Load(IntEnum):
    """What is handed on, from harmless to worst."""

    NOTHING = 0
    FILE = 1
    MANY = 2
    SECRET = 3


_ARCHIVERS = names("tar bsdtar zip 7z 7za cpio rar ar pax zstd gzip bzip2 xz pigz")
_PACKED = re.compile(
    r"\.(?:tar|tgz|tbz2?|txz|zip|7z|gz|bz2|xz|zst|rar|cpio|dump|sql|db|sqlite3?"
    r"|bak|img|iso)\Z"
)
_PLAIN = re.compile(
    r"\.(?:json|jsonl|ndjson|xml|txt|md|rst|csv|tsv|ya?ml|toml|html?|css|jsx?|tsx?|mjs|py|rb|go"
    r"|rs|java|c|h|cpp|graphql"
    r"|gql|png|jpe?g|gif|svg|webp|ico|pdf|log|lcov|sarif|wasm|proto|avro|parquet|whl|deb|rpm|apk"
    r"|ipa|jar|war|vsix)\Z",
    re.IGNORECASE,
)
_SENDERS = names(
    "nc ncat netcat nc.traditional socat telnet ftp lftp tftp mail mailx mutt sendmail swaks ssh"
)
_CLIENTS = frozenset({"curl", "wget", "http", "https", "xh"})
_COPIERS = frozenset({"scp", "rsync", "sftp", "rclone", "croc", "wormhole", "ftp", "lftp"})
_PUTS = re.compile(r"^\s*(?:m|re)?put\s+(?:-\w+\s+)*(\S+)", re.MULTILINE)
_REMOTE = re.compile(r"(?:[\w.-]+@)?(?:\[[\da-f:]+\]|[\w.-]+):(?!\\).*|rsync://.*|[\w-]+:[\w./-]*")
_STDIN = re.compile(r"(?:[\w.\[\]]+=)?[@<]-|-")
_LINKS = frozenset({"ln", "cp", "mv", "install", "link", "rsync"})


_MOST_LEVELS = 16
_ENDS = (".gz", ".bz2", ".xz")


@dataclass(slots=True)
class Flows:
    """What flows where in one command."""

    scene: Scene
    files: dict[str, Load] = field(default_factory=dict)
    given: dict[tuple[str, ...], Load] = field(default_factory=dict)

    @classmethod
    def of(cls, analysis: Analysis, scene: Scene) -> "Flows":
        """Follow the flows of a command."""
        flows = cls(scene)
        for _ in range(2):
            for each in analysis.invocations:
                flows._step(each)
        return flows

    def _step(self, each: Invocation) -> None:
        load = self._load(each)
        if load is Load.NOTHING:
            return
        self.given[each.argv] = max(load, self.given.get(each.argv, load))
        if each.program in _CLIENTS:
            return
        kept = {effect.path for effect in effects_of(each) if effect.kind is Kind.WRITE}
        for word in plain_words(each) if each.program in _ARCHIVERS else ():
            ends = ("", *_ENDS) if _PACKED.search(word) else _ENDS
            kept |= {f"{resolve(word, each.cwd)}{end}" for end in ends}
        for path in kept:
            self._keep(path, load)

    def _keep(self, path: str, load: Load) -> None:
        """Note what a file holds, and with it each directory that it lies in."""
        for _ in range(_MOST_LEVELS):
            self.files[path] = max(load, self.files.get(path, load))
            path = posixpath.dirname(path)
            if len(path) < 2:
                return
            # A directory that something was put into is no longer what its name says.
            load = max(load, Load.MANY)

    def _load(self, each: Invocation) -> Load:
        """Return what an invocation gives out, or keeps in the files that it writes."""
        taken = (
            self.given.get(each.fed_by, Load.NOTHING)
            if each.fed_by and each.stdin is None
            else Load.NOTHING
        )
        if any(secrets_read(each)):
            return Load.SECRET
        program = each.program
        packs = program in _ARCHIVERS or (
            program == "git" and {"archive", "bundle"} & set(each.argv)
        )
        if packs or program in {"mysqldump", "pg_dump", "pg_dumpall", "mongodump", "dump"}:
            inner = max((self._of(word, each) for word in plain_words(each)), default=Load.MANY)
            return max(Load.MANY, inner, taken)
        if program in {"grep", "egrep", "rg", "find", "ls"}:
            tree = options(each) & {"-r", "-R", "-l"} or program == "rg"
            far = any(word.startswith("/") and not is_own(word, self.scene) for word in each.argv)
            return max(Load.MANY if tree and far else Load.NOTHING, taken)
        words = [word for word in plain_words(each) if self._is_file(word, program)]
        files = [self._of(word, each) for word in words]
        files += [
            self._of(redirect.target, each)
            for redirect in each.redirects
            if redirect.operator == "<"
        ]
        return max([taken, *files], default=Load.NOTHING)

    @staticmethod
    def _is_file(word: str, program: str) -> bool:
        return program not in {
            "echo",
            "printf",
            "cd",
            "curl",
            "wget",
            "sleep",
            "export",
            "git",
        } and bool(word)

    def _of(self, word: str, each: Invocation) -> Load:
        """Return what a file is, by what was put in it or else by its name."""
        path = resolve(word, each.cwd)
        if path in self.files:
            return self.files[path]
        if is_secret(path):
            return Load.SECRET
        if UNKNOWN in path or any(mark in word for mark in "*?[") or _PACKED.search(path):
            return Load.MANY
        return Load.FILE if is_own(path, self.scene) or path == UNKNOWN else Load.MANY

    # -- where it goes --------------------------------------------------------------------------

    def sent(self, each: Invocation) -> Load:
        """Return what an invocation sends to another machine."""
        if each.program in _COPIERS:
            return self._copied(each)
        if all(is_local(host) for host in _hosts(each)):
            return Load.NOTHING
        if each.program in _CLIENTS:
            return self._uploaded(each)
        if each.program in _SENDERS or each.program == "openssl":
            return self._piped(each)
        return Load.NOTHING

    def _uploaded(self, each: Invocation) -> Load:
        loads = [self._named(name, each) for name in sent_files(each) if name != "-"]
        fed = each.program in {"http", "https", "xh"} or any(
            _STDIN.fullmatch(word) for word in each.argv[1:]
        )
        if fed and each.stdin is None:
            loads.append(self._piped(each))
        return max(loads, default=Load.NOTHING)

    def _named(self, name: str, each: Invocation) -> Load:
        load = self._of(name, each)
        made = resolve(name, each.cwd) in self.files
        return Load.MANY if load is Load.FILE and not made and not _PLAIN.search(name) else load

    def _piped(self, each: Invocation) -> Load:
        loads = (
            [self.given.get(each.fed_by, Load.NOTHING)]
            if each.fed_by and each.stdin is None
            else []
        )
        loads += [
            self._of(redirect.target, each)
            for redirect in each.redirects
            if redirect.operator == "<"
        ]
        if each.program == "socat":
            names = [*sent_files(each), *(word for word in plain_words(each) if "/" in word[:2])]
            loads += [self._named(name, each) for name in names]
        return max(loads, default=Load.NOTHING)

    def _copied(self, each: Invocation) -> Load:
        """``scp`` and its like: what is copied from here to elsewhere."""
        values = frozenset(
            {"-i", "-o", "-P", "-e", "--rsh", "-F", "-J", "-l", "-c", "--exclude", "--include"}
        )
        words = plain_words(each, values)
        words = words[1:] if each.program in {"rclone", "croc", "wormhole"} else words
        puts = [found[1] for found in _PUTS.finditer(each.stdin or "")]
        if puts:
            return max(self._named(name, each) for name in puts)
        if len(words) < 2 or not _is_remote(words[-1]) or any(map(_is_remote, words[:-1])):
            return Load.NOTHING
        given = options(each)
        trees = bool(given & {"-r", "-R", "-a"}) or {"--recursive", "--archive"} & set(each.argv)
        loads = [self._of(word, each) for word in words[:-1]]
        many = trees or each.program == "rclone" or any(word.endswith("/") for word in words[:-1])
        return max([*loads, Load.MANY if many else Load.NOTHING])


def _is_remote(word: str) -> bool:
    if _REMOTE.fullmatch(word) is None or word.startswith(("/", "./", "../")):
        return False
    return not is_local(word.partition(":")[0])


def _hosts(each: Invocation) -> Iterator[str]:
    """Yield the hosts that a call speaks to."""
    for effect in effects_of(each):
        if effect.kind is Kind.NETWORK and not effect.path.startswith(("@", "-")):
            yield posixpath.normpath(effect.path) if effect.path.startswith("/") else effect.path
