"""The text that Claude Code gives to a shell for one call, and the command that stands in it.

Measured with client 2.1.330: ``PREAMBLE eval 'COMMAND' [< /dev/null] && pwd -P >| FILE``.
Before the ``eval`` come the snapshot of the user's shell, what its session hooks export, and
options; none of that is the model's, so that all of its command stands in the one quoted word.
A command that a hook or the status line is stands there bare.
"""

import re

_INNER = "'\"'\"'"
"""How the client writes a single quote within single quotes."""
# Possessive throughout: what does not fit is given up at once, however long the word is.
_WORD = r"(?:'[^']*+'|\"(?:[^\"$`\\]++|\\.)*+\"|[\w@%+=:,./~^-]++|\\.)++"
_TAIL = rf"(?: \\?< /dev/null)?(?: && pwd -P >\| {_WORD})?\s*\Z"
_EVAL = re.compile(r"(?:\A|(?<=[\s;&|]))eval ")
_WHOLE = re.compile(rf"({_WORD}){_TAIL}", re.DOTALL)
_PIECE = re.compile(r"'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|\\(.)|([^'\"\\]+)", re.DOTALL)
_ESCAPED = re.compile(r"\\([\"\\$`])")
_OPENINGS = ("source ", "{ case ", "shopt ", "setopt ", "eval ")
_MOST_TRIED = 32


def command_of(text: str) -> str | None:
    """Return the command that the model or a person gave, or ``None`` where that is not known.

    It is taken from the first ``eval`` with which the rest of the text fits the form to its end:
    what looks like another one further on is inside of the quoted command.
    """
    if not text.startswith(_OPENINGS):
        return None
    for tried, found in enumerate(_EVAL.finditer(text)):
        if tried >= _MOST_TRIED:
            return None
        whole = _WHOLE.match(text, found.end())
        if whole is not None:
            return _unquoted(whole[1])
    return None


def _unquoted(word: str) -> str:
    """Return what a shell makes of a word in which nothing is expanded."""
    parts = word[1:-1].split(_INNER)
    if word[0] == "'" == word[-1] and not any("'" in part for part in parts):
        return "'".join(parts)
    return "".join(_piece(found) for found in _PIECE.finditer(word))


def _piece(found: re.Match[str]) -> str:
    single, double, escaped, bare = found.groups()
    if double is not None:
        # Within double quotes a backslash is one, except before what it would otherwise end.
        return _ESCAPED.sub(r"\1", double)
    return next(part for part in (single, escaped, bare, "") if part is not None)
