import pytest

from pointsman.shell.carried import Prefix, after_options, is_interpreter, these
from pointsman.shell.carriers import carried
from pointsman.shell.effects import UNKNOWN, Invocation


def call(*argv: str, stdin: str | None = None, fed_by: tuple[str, ...] = ()) -> Invocation:
    return Invocation(argv, "/w", stdin=stdin, fed_by=fed_by)


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("-u root -n rm x", "rm x"),
        ("-nu root rm x", "rm x"),
        ("-uroot rm x", "rm x"),
        ("-- rm x", "rm x"),
        ("A=b rm x", "rm x"),
        ("-n", ""),
        ("--user=x rm", "rm"),
    ],
)
def test_a_programs_own_options_end_where_its_command_begins(words: str, rest: str) -> None:
    prefix = Prefix(these("-u"), assignments=True)
    assert " ".join(after_options(words.split(), prefix)) == rest


@pytest.mark.parametrize(
    ("each", "runs"),
    [
        (call("ls", "-c", "x"), []),
        (call("timeout", "-s", "KILL", "5", "rm", "x"), [("rm", "x")]),
        (call("uv", "pip", "install", "x"), []),
        (call("uv", "run", "x"), [("x",)]),
        (call("command", "-v", "x"), []),
        (call("xargs", "-n", "1", "rm", stdin="a b"), [("rm", "a", "b")]),
        (call("xargs", "rm", fed_by=("cat", "x")), [("rm", UNKNOWN)]),
        (call("xargs", stdin="a"), []),
        (call("xargs", "-a", "f", "rm", stdin="a"), [("rm", UNKNOWN)]),
        (call("find", ".", "-name", "-exec", "-exec", "a", "{}", ";"), [("a", "./**/-exec")]),
    ],
)
def test_what_a_carrier_runs(each: Invocation, runs: list[tuple[str, ...]]) -> None:
    assert [inner.argv for inner in carried(each)] == runs


@pytest.mark.parametrize(
    ("each", "text"),
    [
        (call("sh", "-c", "x y"), "x y"),
        (call("bash", "-lc", "x"), "x"),
        (call("sh", stdin="x"), "x"),
        (call("eval", "x", "y"), "x y"),
        (call("env", "-S", "x y"), "x y"),
        (call("env", "GIT_PAGER=x y", "git", "log"), "x y"),
        (call("at", "now", stdin="x"), "x"),
        (call("crontab", "-", stdin="A=b\n* * * * * x y"), "x y"),
        (call("crontab", "-", stdin="@reboot x"), "x"),
        (call("ssh", "localhost", "x", "y"), "x y"),
        (call("ssh", "-o", "ProxyCommand=x y", "h"), "x y"),
        (call("scp", "-qvoProxyCommand=x", "a", "h:b"), "x"),
        (call("rsync", "-ae", "x y", "a", "h:b"), "x y"),
        (call("tar", "--to-command=x y", "-xf", "a"), "x y"),
        (call("git", "-c", "core.sshCommand=x", "fetch"), "x"),
        (call("git", "-c", "alias.a=!x y", "a"), "x y"),
        (call("tmux", "new-session", "-ds", "n", "x y"), "x y"),
        (call("trap", "x", "EXIT"), "x"),
        (call("parallel", ":::", "x y"), "x y"),
        (call("parallel", stdin="x y\n"), "x y"),
        (call("source", UNKNOWN, stdin="x"), "x"),
    ],
)
def test_the_text_that_a_carrier_runs(each: Invocation, text: str) -> None:
    assert text in [inner.script for inner in carried(each)]


@pytest.mark.parametrize(
    "each",
    [
        call("sh", "-c", UNKNOWN),
        call("sh", fed_by=("cat", "x")),
        call("bash", UNKNOWN),
        call("source", UNKNOWN),
        call("eval", UNKNOWN),
        call("xargs", "-I{}", "sh", "-c", "echo {}", fed_by=("cat", "x")),
    ],
)
def test_a_text_that_is_not_known_is_unverified(each: Invocation) -> None:
    assert any(inner.unverified for inner in carried(each))


def test_interpreters_are_known_with_their_versions() -> None:
    assert is_interpreter("python3.12")
    assert is_interpreter("node")
    assert not is_interpreter("cat")
