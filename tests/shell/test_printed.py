import pytest

from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.printed import formatted, prints


def call(*argv: str, stdin: str | None = None) -> Invocation:
    return Invocation(argv, "/w", stdin=stdin)


@pytest.mark.parametrize(
    ("each", "text"),
    [
        (call("echo", "a", "b"), "a b\n"),
        (call("echo", "-n", "a"), "a"),
        (call("echo", "-e", "a\\tb"), "a\tb\n"),
        (call("printf", "%s-%s\\n", "a", "b", "c"), "a-b\nc-\n"),
        (call("printf", "%b", "a b"), "a b"),
        (call("printf", "plain"), "plain"),
        (call("printf", "%03d%%%c", "7", "xy"), "007%x"),
        (call("cat", stdin="x"), "x"),
        (call("cat", "file"), UNKNOWN),
        (call("cat", "-n", stdin="x"), UNKNOWN),
        (call("base64", "-d", stdin="YQ=="), "a"),
        (call("base64", stdin="a"), "YQ==\n"),
        (call("openssl", "base64", "-d", stdin="YQ=="), "a"),
        (call("xxd", "-r", "-p", stdin="61"), "a"),
        (call("rev", stdin="abc"), "cba"),
        (call("tac", stdin="a\nb\n"), "b\na\n"),
        (call("tr", "a-c", "A-C", stdin="abcd"), "ABCd"),
        (call("tr", "-d", "x", stdin="axb"), "ab"),
        (call("head", "-n", "1", stdin="a\nb\n"), "a\n"),
        (call("tail", "-1", stdin="a\nb\n"), "b\n"),
        (call("cut", "-d:", "-f2", stdin="a:b\n"), "b\n"),
        (call("sort", "-u", stdin="b\na\nb\n"), "a\nb\n"),
        (call("sed", "s/x/a/g", stdin="xx\n"), "aa\n"),
        (call("sed", "s/x./a/", stdin="xx\n"), UNKNOWN),
        (call("seq", "2", "3"), "2\n3\n"),
        (call("basename", "a/b.c", ".c"), "b\n"),
        (call("dirname", "a/b"), "a\n"),
        (call("realpath", "../x"), "/x\n"),
        (call("mktemp", "-d"), f"/tmp/tmp.{UNKNOWN}\n"),
        (call("pwd"), "/w\n"),
        (call("which", "rm"), "rm"),
        (call("command", "-v", "rm"), "rm"),
        (call("ssh-agent", "-s"), ""),
        (call("rm", "x"), ""),
        (call("date"), UNKNOWN),
    ],
)
def test_what_a_command_prints(each: Invocation, text: str) -> None:
    assert prints(each) == text


def test_a_filter_reads_files_whose_text_is_known() -> None:
    texts = {"/w/a": "x\n", "/w/b": "y\n"}
    assert prints(call("cat", "a", "b"), texts.get) == "x\ny\n"
    assert prints(call("cat", "a", "c"), texts.get) == UNKNOWN


def test_a_format_is_used_until_all_values_are() -> None:
    assert formatted("%s\\n", ["a", "b"]) == "a\nb\n"
    assert formatted("%d", ["x"]) == UNKNOWN
