"""What becomes of the texts of files that a command has written."""

import posixpath

from pointsman.shell.arguments import option_value, options, plain_words
from pointsman.shell.effects import UNKNOWN, Invocation, Kind
from pointsman.shell.files import Files
from pointsman.shell.filters import FILTERS
from pointsman.shell.programs import effects_of
from pointsman.shell.state import resolve

_COPIERS = frozenset({"cp", "mv", "ln", "install"})
_HARMLESS = frozenset({"chmod", "chown", "touch", "mkdir", "cat", "ls", "chgrp"})


def keep_files(each: Invocation, files: Files) -> None:
    """Follow the texts of files through one invocation."""
    program = each.program
    if program in _HARMLESS or not program or each.remote:
        return
    if program == "tee":
        for word in plain_words(each):
            append = bool(options(each) & {"-a", "--append"})
            files.write(resolve(word, each.cwd), each.stdin, append=append)
    elif program in _COPIERS:
        _copy(each, files)
    elif program == "dd" and not any(word.startswith("if=") for word in each.argv):
        for word in each.argv[1:]:
            if word.startswith("of="):
                files.write(resolve(word[3:], each.cwd), each.stdin)
    elif program == "sed" and options(each) & {"-i", "--in-place"}:
        _edit(each, files)
    else:
        redirected = {redirect.target for redirect in each.redirects}
        for effect in effects_of(each):
            if effect.kind is Kind.WRITE and effect.path not in redirected:
                files.write(effect.path, None)


def _copy(each: Invocation, files: Files) -> None:
    words = plain_words(each, frozenset({"-t", "-S", "-m", "-o", "-g"}))
    into = option_value(each, "-t", "--target-directory")
    sources, target = (words, into) if into else (words[:-1], words[-1] if words else "")
    for source in sources[:64]:
        place = resolve(source, each.cwd)
        files.copy(place, resolve(target, each.cwd))
        files.copy(place, resolve(f"{target}/{posixpath.basename(source)}", each.cwd))


def _edit(each: Invocation, files: Files) -> None:
    words = plain_words(each, frozenset({"-e", "--expression"}))
    scripted = option_value(each, "-e", "--expression")
    script = scripted or (words[0] if words else "")
    for word in words if scripted else words[1:]:
        path = resolve(word, each.cwd)
        known = files.written(path)
        if known is not None:
            told = Invocation(("sed", script), each.cwd, stdin=known)
            text = FILTERS["sed"](told, lambda _path: None)
            files.write(path, None if UNKNOWN in text else text)
