import pytest

from pointsman.shell.effects import UNKNOWN, Invocation
from pointsman.shell.printed import feeding, printed


def call(*argv: str, stdin: str | None = None) -> Invocation:
    return Invocation(argv, "/w", stdin=stdin)


@pytest.mark.parametrize(
    ("each", "text"),
    [
        (call("echo", "a", "b"), "a b\n"),
        (call("echo", "-n", "a"), "a \n".replace(" ", "")),
        (call("echo", "-e", "a\\tb"), "a\tb\n"),
        (call("printf", "%s-%s\\n", "a", "b", "c"), "a-b\nc-\n"),
        (call("printf", "%b", "a b"), "a b"),
        (call("printf", "plain"), "plain"),
        (call("cat", stdin="x"), "x"),
        (call("cat", "file"), UNKNOWN),
        (call("base64", "-d", stdin="YQ=="), "a"),
        (call("xxd", "-r", "-p", stdin="61"), "a"),
        (call("rev", stdin="abc"), "cba"),
        (call("pwd"), "/w"),
        (call("which", "rm"), "rm"),
        (call("command", "-v", "rm"), "rm"),
        (call("ssh-agent", "-s"), ""),
        (call("date"), UNKNOWN),
    ],
)
def test_what_a_command_prints(each: Invocation, text: str) -> None:
    assert printed([each]) == text


def test_a_pipe_is_fed_the_text_where_all_of_it_is_known() -> None:
    assert feeding([call("echo", "a"), call("echo", "b")]) == (("echo", "b"), "a\nb\n")
    assert feeding([call("echo", "a"), call("date")]) == (("date",), None)
    assert feeding([]) == ((), None)
