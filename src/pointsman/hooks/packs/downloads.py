"""Files that one command fetches, or decodes, and then runs: code that nobody has read."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from pointsman.shell.arguments import option_value
from pointsman.shell.carried import SHELLS, is_interpreter
from pointsman.shell.effects import UNKNOWN, Invocation, Kind
from pointsman.shell.programs import effects_of, plain_words
from pointsman.shell.state import resolve

FETCHERS = frozenset({"curl", "wget", "fetch", "aria2c", "http", "https", "lynx", "axel"})
_DECODERS = frozenset({"base64", "base32", "xxd", "openssl", "gpg", "uudecode"})
_SOCKETS = frozenset({"nc", "ncat", "netcat", "ftp", "lftp", "socat", "telnet"})
_COPIERS = frozenset({"mv", "cp", "ln", "install"})
_VALUES = {
    "curl": frozenset({"-o", "-d", "-H", "-X", "-u", "-A", "-e", "-F", "-T"}),
    "wget": frozenset({"-O", "-o", "-P", "-U"}),
}
_REMOTE = re.compile(r"[\w.@-]+:[^/].*|[\w.@-]+:/.*|rsync://.*")
_PLACES = ("-P", "--directory-prefix", "--output-dir", "-d", "--dir")
"""Options of those that fetch: the directory that files are put in."""


def run_unread(invocations: Iterable[Invocation]) -> tuple[Invocation, str] | None:
    """Return the first call that runs a file the command itself has fetched, and that file."""
    fetched: set[str] = set()
    for each in invocations:
        for path in _runs(each):
            if path in fetched:
                return each, path
        fetched.update(_fetches(each))
        if each.program in _COPIERS:
            words = [resolve(word, each.cwd) for word in plain_words(each)]
            if fetched & set(words[:-1]):
                fetched.update(_written(each))
    return None


def _runs(each: Invocation) -> Iterator[str]:
    """Yield the files that a call runs as code."""
    if not each.argv:
        return
    if "/" in each.argv[0]:
        yield resolve(each.argv[0], each.cwd)
    reads = each.program in SHELLS or is_interpreter(each.program)
    if reads or each.program in {"source", "."}:
        for word in plain_words(each)[:1]:
            yield resolve(word, each.cwd)
        for redirect in each.redirects:
            if redirect.operator == "<":
                yield redirect.target


def _fetches(each: Invocation) -> Iterator[str]:
    """Yield the files that a call fills with what comes from elsewhere."""
    feeder = each.fed_by[0].rsplit("/", 1)[-1] if each.fed_by else ""
    if each.program in FETCHERS:
        yield from _written(each)
        for word, following in pairwise((*each.argv, "")):
            # Glued to others: `wget -qO file`, `curl -sLo file`.
            if re.fullmatch(r"-[a-zA-Z]*[oO]", word) and following:
                yield resolve(following, each.cwd)
        place = option_value(each, *_PLACES) or "."
        for word in plain_words(each, _VALUES.get(each.program, frozenset())):
            # Whatever it is called, an address with a path ends in the name of the file.
            name = posixpath.basename(re.split(r"[?#]", word, maxsplit=1)[0])
            if "/" in word and name and not word.startswith(("/", ".")):
                yield resolve(f"{place}/{name}", each.cwd)
    elif (
        feeder in FETCHERS
        or each.program in _SOCKETS
        or (each.program in _DECODERS and UNKNOWN not in "".join(each.argv))
    ):
        yield from _written(each)
    elif each.program in {"scp", "rsync", "sftp"}:
        words = plain_words(each, frozenset({"-i", "-o", "-P", "-e", "--rsh"}))
        if any(_REMOTE.fullmatch(word) for word in words[:-1]):
            yield from _written(each)


def _written(each: Invocation) -> Iterator[str]:
    return (effect.path for effect in effects_of(each) if effect.kind is Kind.WRITE)
