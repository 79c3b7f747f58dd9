"""The head of a declaration: what stands before its body, as the language writes it.

Brackets, strings and comments are followed, and nothing else of the grammar: where a declaration
ends, a server has said. Every function is linear in the text, of which ``MOST`` characters count.
"""

import re

from pointsman.lsp.table import GO, PYTHON, TYPESCRIPT

MOST = 8_000
_SHOWN = 400

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/|\#[^\n]*)
    |(?P<string>\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    |(?P<word>[\w$]+)
    |(?P<mark>=>|->|==|[^\s\w$])""",
    re.VERBOSE | re.DOTALL,
)
_OPEN = {"(": ")", "[": "]", "{": "}", "<": ">"}
_TYPE_FOLLOWS = frozenset((":", "|", "&", "=>", "<", ",", "=", "is", "extends", "keyof"))
"""What stands before a brace that opens a type and not a body."""
_GO_TYPES = frozenset(("interface", "struct"))
_PREFIX = re.compile(
    r"(?:export|default|declare|abstract|async|const|let|var|readonly|static|public|private"
    r"|protected|override|accessor|pub(?:\([^)\n]{0,40}\))?|unsafe|type|func|def|class)\b"
)
_KEYWORD = re.compile(
    r"\b(class|interface|enum|namespace|module|function|type|def|func|fn|struct|trait|impl|union"
    r"|mod|const|let|var|static)\b"
)


def begin(line: str, index: int) -> int:
    """Return where a declaration begins in its line: a server may leave out its first words."""
    before = line[:index]
    left = _PREFIX.sub("", before)
    return len(before) - len(before.lstrip()) if not left.strip() else index


def head(text: str, family: str) -> str:
    """Return what a declaration says before its body, on one line."""
    text = text[:MOST]
    end = _python_end(text) if family == PYTHON else _brace_end(text, family)
    return flat(text[:end], family)


def flat(text: str, family: str) -> str:
    """Return a text on one line, without comments, at most so long that it can be shown."""
    comments = _PYTHON_COMMENT if family == PYTHON else _COMMENT
    words = " ".join(comments.sub(_kept, text).split()).rstrip(" ;,")
    return words if len(words) <= _SHOWN else f"{words[: _SHOWN - 2]} …"


def word(head_: str) -> str:
    """Return the language's own word for what a declaration declares, or the empty string."""
    # What stands in brackets belongs to parameters: `(type: string)`.
    found = _KEYWORD.search(re.split(r"[(=:{<]", head_, maxsplit=1)[0])
    return found[1] if found else ""


_COMMENT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|//[^\n]*|/\*.*?\*/", re.DOTALL)

_PYTHON_COMMENT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*")


def _kept(found: re.Match[str]) -> str:
    return found[0] if found[0][0] in "\"'" else " "


def _brace_end(text: str, family: str) -> int:
    """Return where the body begins, or a value, or the declaration ends."""
    closing: list[str] = []
    before = ""
    whole = False
    # What a function of Go gives back may be a type with a brace of its own.
    types = _GO_TYPES if family == GO and text.startswith("func") else frozenset()
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if token["comment"] and not mark.startswith("#"):
            continue
        if token["word"] or token["string"]:
            # A type's alias is all type: nothing of it is a value.
            whole = whole or (mark == "type" and family == TYPESCRIPT and not closing)
        elif not closing and _ends(mark, before, whole, types):
            return token.start()
        else:
            _follow(closing, mark, before)
        before = mark
    return len(text)


def _ends(mark: str, before: str, whole: bool, types: frozenset[str]) -> bool:
    if mark == ";":
        return True
    if mark == "=":
        return not whole
    if mark != "{" or whole:
        return False
    return before not in types and before not in _TYPE_FOLLOWS


def _follow(closing: list[str], mark: str, before: str) -> None:
    if closing and mark == closing[-1]:
        closing.pop()
    elif mark in _OPEN and (mark != "<" or before != "<"):
        closing.append(_OPEN[mark])
    elif mark in ")]}":
        # An angle that was none, as in `a < b`, is closed by the bracket around it.
        while closing and closing.pop() != mark:
            continue


def _python_end(text: str) -> int:
    """Return where a suite begins, or a value that has a type before it, or the line ends."""
    depth, typed, seen, decorator, start = 0, False, "", False, True
    last = 0
    for token in _PYTHON.finditer(text):
        mark = token[0]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif depth > 0 or mark[0] in "#\"'":
            pass
        elif mark == "\n":
            if not decorator and not start:
                return token.start()
            decorator, start = False, True
            continue
        elif mark == "@" and start:
            decorator = True
        elif mark == ":" and not decorator:
            if seen in {"def", "class"}:
                return token.start()
            typed = True
        elif mark == "=" and typed:
            return token.start()
        elif mark in {"def", "class"} and not decorator:
            seen = seen or mark
        start, last = False, token.end()
    return last or len(text)


_PYTHON = re.compile(
    r"\"{3}.*?\"{3}|'{3}.*?'{3}|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|\#[^\n]*|\n|\w+|[^\s\w]",
    re.DOTALL,
)
