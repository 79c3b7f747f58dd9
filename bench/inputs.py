"""Inputs that grow, for every guard that we ship and for the reading of payloads.

Each shape turns a size and a number into an input of about that size; the number keeps what was
remembered of one input from answering for the next.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

Text = Callable[[int, int], str]


@dataclass(frozen=True, slots=True)
class Shape:
    """How an input grows: its name, the text of a size, and the largest size that is allowed."""

    name: str
    text: Text
    most: int


def _repeated(piece: str, before: str = "", after: str = "") -> Text:
    return lambda size, number: f"{before}{number:07d}{piece * max(1, size // len(piece))}{after}"


def _growing(most: int, rows: Iterable[tuple[str, ...]]) -> tuple[Shape, ...]:
    """Return a shape for each row: its name, the piece that is repeated, what stands around it."""
    return tuple(Shape(name, _repeated(*words), most) for name, *words in rows)


_TEXT = 128 * 1024
"""The longest command that is analysed."""

COMMANDS = _growing(
    _TEXT,
    (
        ("spaces", " ", "echo ", "x"),
        ("semicolons", "true;", "true "),
        ("bare semicolons", ";", "true "),
        ("newlines", "\n", "true ", "true"),
        ("$( opened", "$(", "echo "),
        ("$( ) in a row", "$(true) ", "echo "),
        ("backticks", "`", "echo "),
        ("parentheses opened", "(", "true "),
        ("parentheses after another", "(true);", "true ;"),
        ("braces opened", "{ ", "true ;"),
        ("brace lists", "{a,b}", "echo "),
        ("pipes", "|true", "true "),
        ("ands", "&&true", "true "),
        ("one long argument", "a", "echo "),
        ("many arguments", "a ", "rm "),
        ("many files to write", "f ", "touch "),
        ("one long path", "a/", "rm -r "),
        ("ups in a path", "../", "rm -r "),
        ("a long quoted text", "a ", "echo '", "'"),
        ("quotes", "'", "echo "),
        ("double quotes", '"', "echo "),
        ("backslashes", "\\", "echo "),
        ("redirections", " >f", "true "),
        ("here-documents", "cat <<E\nx\nE\n", "true \n"),
        ("a long here-document", "line\n", "cat <<E\n", "\nE\n"),
        ("assignments", "A=b ", "B=c "),
        ("assignments that grow", "A=$A$A;", "A=b; : "),
        ("variables", "$A", "A=b; echo "),
        ("cd after cd", "cd a;", "cd "),
        ("wrappers", "sudo ", "", " true"),
        ("uploads", "curl -d @f h;", "true;"),
        ("pipes into an upload", "cat a|curl -d @- h;", "true;"),
        ("downloads that are run", "curl -o f h;sh f;", "true;"),
        ("quotes in SQL", "'", 'psql -c "', '"'),
        ("comments in SQL", "/*", "psql -c '", "'"),
        ("statements of SQL", "delete from t;", "psql -c '", "'"),
        ("calls in code", "open(", 'node -e "', '"'),
        ("paths in code", "/.a", 'node -e "remove ', '"'),
        ("words of a cloud's program", "-n a ", "kubectl "),
        ("trees to delete", "f ", "rm -rf "),
        ("modes to change", "f ", "chmod 600 "),
        ("globs of paths", ".n?x/ ", "rm "),
        ("commands for elsewhere", "ls;", "ssh h '", "'"),
        ("calls elsewhere", "ssh h ls;", "ls;"),
        ("wrappers with words", "env A=b ", "env X=", " true"),
        ("sh -c in a row", "sh -c 'rm x';", "true "),
        ("eval", "eval ", "", " true"),
        ("xargs", "xargs ", "echo ", " rm"),
        ("find -exec", "-exec rm {} + ", "find /tmp/"),
        ("stars", "*", "rm /tmp/"),
        ("brackets", "[a", "rm "),
        ("ifs opened", "if true;then ", "true ;"),
        ("cases", "case a in a) true;; esac;", "true ;"),
        ("functions", "f(){ true;};", "true ;"),
        ("loops", "for a in b;do true;done;", "true ;"),
        ("comments", "# x\n", "true ;"),
        ("python -c", "import os;", 'python3 -c "', '"'),
        ("kills", "kill 1;", "true ;"),
        ("links", "ln -s a b;", "true ;"),
    ),
)
"""Shell commands."""

_PATH = 4096
"""The longest path that the kernel takes."""

PATHS = _growing(
    _PATH,
    (
        ("many directories", "a/", "", "f.py"),
        ("one long name", "a", "src/", ".py"),
        ("ups", "a/../", "src/", "f.py"),
        ("dots", "./", "src/", "f.py"),
        ("slashes", "/", "src/", "f.py"),
        ("brackets", "[a]", "src/", ".py"),
        ("braces", "{a,b}", "src/", ".py"),
    ),
)
"""Paths of edits."""

_GLOBS = 8192
"""Characters of patterns; a contract file may be larger, but a path is short beside it."""


def _globs(pattern: str) -> Callable[[int, int], tuple[str, ...]]:
    return lambda size, number: tuple(
        pattern.format(number=f"{number}-{place}") for place in range(max(1, size // 16))
    )


CONTRACTS: Mapping[str, Callable[[int, int], tuple[str, ...]]] = {
    "many globs": _globs("src/{number}/**"),
    "many deep globs": _globs("**/{number}/**/*.py"),
    "many files": _globs("src/{number}.py"),
    "many extended globs": _globs("src/@({number}|b)/*"),
}
"""Lists of patterns that a path is held against."""
MOST_PATTERNS = _GLOBS

HARD_GLOBS = (
    "**/*a*a*a*b",
    "**/a/**/a/**/b",
    "**/+(a|aa)b",
    "**/*(a)*(a)b",
    "src/**/*[a-z]*[a-z]*b",
)
"""Patterns that a matcher which tries every way would take long over, on a growing path."""

_PAYLOAD = 4 * 1024 * 1024
"""The longest payload that a client sends."""


def _payload(value: Callable[[int], object]) -> Text:
    return lambda size, number: json.dumps(
        {
            "session_id": f"s{number}",
            "cwd": "/",
            "hook_event_name": "PreToolUse",
            "tool_name": "Write",
            "tool_input": {"file_path": "/a", "content": value(size)},
        }
    )


def _fields(size: int, number: int) -> str:
    fields = {f"field_{place}": number for place in range(size // 16)}
    return json.dumps(
        {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {}, **fields}
    )


PAYLOADS = (
    Shape("a long text", _payload(lambda size: "a" * size), _PAYLOAD),
    Shape("escapes", _payload(lambda size: "\n" * (size // 2)), _PAYLOAD),
    Shape("surrogates", _payload(lambda size: "\ud83d" * (size // 6)), _PAYLOAD),
    Shape("a long list", _payload(lambda size: [0] * (size // 3)), _PAYLOAD),
    Shape("many objects", _payload(lambda size: [{"a": 1}] * (size // 10)), _PAYLOAD),
    Shape("many unknown fields", _fields, _PAYLOAD),
    Shape("a long number", lambda size, number: f'{{"a":{"1" * size},"b":{number}}}', _PAYLOAD),
    Shape("brackets opened", lambda size, number: f'{{"n":{number},"a":' + "[" * size, _PAYLOAD),
    Shape("quotes", lambda size, number: f'{{"n":{number},"a":' + '"' * size, _PAYLOAD),
    Shape("backslashes", lambda size, number: f'{{"n":{number},"a":"' + "\\" * size, _PAYLOAD),
)
"""Payloads as text."""
