"""Inputs that grow, for every guard that we ship and for the reading of payloads.

Each shape turns a size and a number into an input of about that size; the number keeps what was
remembered of one input from answering for the next.
"""

import json
from collections.abc import Callable, Mapping
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


_TEXT = 128 * 1024
"""The longest command that is analysed."""

COMMANDS = (
    Shape("spaces", _repeated(" ", "echo ", "x"), _TEXT),
    Shape("semicolons", _repeated("true;", "true "), _TEXT),
    Shape("bare semicolons", _repeated(";", "true "), _TEXT),
    Shape("newlines", _repeated("\n", "true ", "true"), _TEXT),
    Shape("$( opened", _repeated("$(", "echo "), _TEXT),
    Shape("$( ) in a row", _repeated("$(true) ", "echo "), _TEXT),
    Shape("backticks", _repeated("`", "echo "), _TEXT),
    Shape("parentheses opened", _repeated("(", "true "), _TEXT),
    Shape("parentheses after another", _repeated("(true);", "true ;"), _TEXT),
    Shape("braces opened", _repeated("{ ", "true ;"), _TEXT),
    Shape("brace lists", _repeated("{a,b}", "echo "), _TEXT),
    Shape("pipes", _repeated("|true", "true "), _TEXT),
    Shape("ands", _repeated("&&true", "true "), _TEXT),
    Shape("one long argument", _repeated("a", "echo "), _TEXT),
    Shape("many arguments", _repeated("a ", "rm "), _TEXT),
    Shape("many files to write", _repeated("f ", "touch "), _TEXT),
    Shape("one long path", _repeated("a/", "rm -r "), _TEXT),
    Shape("ups in a path", _repeated("../", "rm -r "), _TEXT),
    Shape("a long quoted text", _repeated("a ", "echo '", "'"), _TEXT),
    Shape("quotes", _repeated("'", "echo "), _TEXT),
    Shape("double quotes", _repeated('"', "echo "), _TEXT),
    Shape("backslashes", _repeated("\\", "echo "), _TEXT),
    Shape("redirections", _repeated(" >f", "true "), _TEXT),
    Shape("here-documents", _repeated("cat <<E\nx\nE\n", "true \n"), _TEXT),
    Shape("a long here-document", _repeated("line\n", "cat <<E\n", "\nE\n"), _TEXT),
    Shape("assignments", _repeated("A=b ", "B=c "), _TEXT),
    Shape("assignments that grow", _repeated("A=$A$A;", "A=b; : "), _TEXT),
    Shape("variables", _repeated("$A", "A=b; echo "), _TEXT),
    Shape("cd after cd", _repeated("cd a;", "cd "), _TEXT),
    Shape("wrappers", _repeated("sudo ", "", " true"), _TEXT),
    Shape("uploads", _repeated("curl -d @f h;", "true;"), _TEXT),
    Shape("pipes into an upload", _repeated("cat a|curl -d @- h;", "true;"), _TEXT),
    Shape("downloads that are run", _repeated("curl -o f h;sh f;", "true;"), _TEXT),
    Shape("quotes in SQL", _repeated("'", 'psql -c "', '"'), _TEXT),
    Shape("comments in SQL", _repeated("/*", "psql -c '", "'"), _TEXT),
    Shape("statements of SQL", _repeated("delete from t;", "psql -c '", "'"), _TEXT),
    Shape("calls in code", _repeated("open(", 'node -e "', '"'), _TEXT),
    Shape("paths in code", _repeated("/.a", 'node -e "remove ', '"'), _TEXT),
    Shape("words of a cloud's program", _repeated("-n a ", "kubectl "), _TEXT),
    Shape("trees to delete", _repeated("f ", "rm -rf "), _TEXT),
    Shape("modes to change", _repeated("f ", "chmod 600 "), _TEXT),
    Shape("globs of paths", _repeated(".n?x/ ", "rm "), _TEXT),
    Shape("commands for elsewhere", _repeated("ls;", "ssh h '", "'"), _TEXT),
    Shape("calls elsewhere", _repeated("ssh h ls;", "ls;"), _TEXT),
    Shape("wrappers with words", _repeated("env A=b ", "env X=", " true"), _TEXT),
    Shape("sh -c in a row", _repeated("sh -c 'rm x';", "true "), _TEXT),
    Shape("eval", _repeated("eval ", "", " true"), _TEXT),
    Shape("xargs", _repeated("xargs ", "echo ", " rm"), _TEXT),
    Shape("find -exec", _repeated("-exec rm {} + ", "find /tmp/"), _TEXT),
    Shape("stars", _repeated("*", "rm /tmp/"), _TEXT),
    Shape("brackets", _repeated("[a", "rm "), _TEXT),
    Shape("ifs opened", _repeated("if true;then ", "true ;"), _TEXT),
    Shape("cases", _repeated("case a in a) true;; esac;", "true ;"), _TEXT),
    Shape("functions", _repeated("f(){ true;};", "true ;"), _TEXT),
    Shape("loops", _repeated("for a in b;do true;done;", "true ;"), _TEXT),
    Shape("comments", _repeated("# x\n", "true ;"), _TEXT),
    Shape("python -c", _repeated("import os;", 'python3 -c "', '"'), _TEXT),
    Shape("kills", _repeated("kill 1;", "true ;"), _TEXT),
    Shape("links", _repeated("ln -s a b;", "true ;"), _TEXT),
)
"""Shell commands."""

_PATH = 4096
"""The longest path that the kernel takes."""

PATHS = (
    Shape("many directories", _repeated("a/", "", "f.py"), _PATH),
    Shape("one long name", _repeated("a", "src/", ".py"), _PATH),
    Shape("ups", _repeated("a/../", "src/", "f.py"), _PATH),
    Shape("dots", _repeated("./", "src/", "f.py"), _PATH),
    Shape("slashes", _repeated("/", "src/", "f.py"), _PATH),
    Shape("brackets", _repeated("[a]", "src/", ".py"), _PATH),
    Shape("braces", _repeated("{a,b}", "src/", ".py"), _PATH),
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
