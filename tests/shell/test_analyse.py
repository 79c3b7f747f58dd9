from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import UNKNOWN, Analysis


def look(command: str, **variables: str) -> Analysis:
    return analyse(command, cwd="/home/dev/proj", home="/home/dev", variables=variables)


def programs(command: str) -> list[str]:
    return [each.program for each in look(command).invocations]


def words(command: str, program: str = "rm") -> list[tuple[str, ...]]:
    return [each.argv[1:] for each in look(command).invocations if each.program == program]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("ls", ["ls"]),
        ("a; b && c || d | e & f", ["a", "b", "c", "d", "e", "f"]),
        ("(a; { b; })", ["a", "b"]),
        ("sudo -u x env A=b timeout 5 rm x", ["sudo", "env", "timeout", "rm"]),
        ("sh -c 'a; b'", ["sh", "a", "b"]),
        ("echo $(a `b`)", ["b", "a", "echo"]),
        ("a <(b) > >(c)", ["b", "c", "a"]),
        ("f() { a; }; f; f", ["f", "a", "f", "a"]),
        ("f() { a; }", []),
        ("alias x='a b'; x c", ["alias", "x", "eval", "a"]),
        ("GIT_PAGER='a b' git log", ["git", "eval", "a"]),
        ("if a; then b; else c; fi", ["a", "b", "c"]),
        ("case x in y) a;; *) b;; esac", ["a", "b"]),
        ("find . -exec a {} \\; -exec b {} +", ["find", "a", "b"]),
        ("echo 'a; b' | sh", ["echo", "sh", "a", "b"]),
        ("cat <<E\na\nE", ["cat"]),
        ("cat <<E | sh\na\nE", ["cat", "sh", "a"]),
        ("GIT.EXE log", ["git"]),
    ],
)
def test_every_command_that_runs_is_found(command: str, found: list[str]) -> None:
    assert sorted(programs(command)) == sorted(found)


@pytest.mark.parametrize(
    ("command", "given"),
    [
        ("rm a 'b c' \"d\"", [("a", "b c", "d")]),
        ("rm a\\ b \\$x", [("a b", "$x")]),
        ("rm $'a\\tb\\x41\\101'", [("a\tbAA",)]),
        ("rm {a,b}{1,2}", [("a1", "a2", "b1", "b2")]),
        ("rm x{1..3}", [("x1", "x2", "x3")]),
        ("rm '{a,b}' \"{c,d}\"", [("{a,b}", "{c,d}")]),
        ("rm ~ ~/x ~root/x '~'", [("/home/dev", "/home/dev/x", "/home/root/x", "~")]),
        ("X='a b'; rm $X \"$X\"", [("a", "b", "a b")]),
        ("X=a; X+=b; rm ${X} ${Y:-c} ${X:+d}", [("ab", "c", "d")]),
        ("IFS=:; X=a:b; rm $X", [("a", "b")]),
        ("A=(a 'b c'); rm \"${A[@]}\" ${A[1]}", [("a", "b c", "b", "c")]),
        ("rm $(echo a b) `printf c`", [("a", "b", "c")]),
        ('rm $UNSET"$U"x', [(f"{UNKNOWN}{UNKNOWN}x",)]),
        ('set -- a b; rm "$2" $1', [("b", "a")]),
        ("f() { rm $1 $2; }; f a b", [("a", "b")]),
        ("read x y <<< 'a b c'; rm $x \"$y\"", [("a", "b c")]),
        ("for i in a b; do rm $i; done", [("a",), ("b",)]),
        ("rm 2>/dev/null a >x b", [("a", "b")]),
        ("A=x; declare -n B=A; rm $B", [("x",)]),
        ("echo a b | xargs rm -f", [("-f", "a", "b")]),
        ("printf 'a\\nb\\n' | xargs -I{} rm x/{}", [("x/a",), ("x/b",)]),
        ("find d -name '*.o' | xargs rm", [("d/**/*.o",)]),
        ("parallel rm -r ::: a b", [("-r", "a"), ("-r", "b")]),
        ("rm \u00e9 '\U0001f600 x'", [("\u00e9", "\U0001f600 x")]),
        ("rm $(pwd)/a", [("/home/dev/proj/a",)]),
    ],
)
def test_words_are_what_the_shell_would_make_of_them(
    command: str, given: list[tuple[str, ...]]
) -> None:
    assert words(command) == given


@pytest.mark.parametrize(
    ("command", "cwd"),
    [
        ("cd src; rm x", "/home/dev/proj/src"),
        ("cd; rm x", "/home/dev"),
        ("cd ..; rm x", "/home/dev"),
        ("cd /a && cd b && rm x", "/a/b"),
        ("(cd /a); rm x", "/home/dev/proj"),
        ("(cd /a; rm x)", "/a"),
        ("pushd /a; rm x", "/a"),
        ("cd -; rm x", UNKNOWN),
        ("cd $X; rm x", UNKNOWN),
    ],
)
def test_the_directory_is_followed(command: str, cwd: str) -> None:
    [each] = [each for each in look(command).invocations if each.program == "rm"]
    assert each.cwd == cwd


def test_a_command_says_what_it_was_found_in_and_what_feeds_it() -> None:
    [rm] = [each for each in look("sudo sh -c 'cat a | rm b'").invocations if each.program == "rm"]
    assert rm.via == ("sudo", "sh")
    assert rm.fed_by[0] == "cat"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("echo 'a", "no well-formed"),
        ("$X a", "not known"),
        ("eval $X", "not known"),
        ("a | sh", "piped into it"),
        ("echo '" + "a" * 200_000 + "'", "longer than"),
        ("(" * 100 + "a" + ")" * 100, "nested too deeply"),
        ("eval " * 5000 + "a", "nested too deeply"),
        ("f(){ f; f; }; " + "f;" * 9000, "steps"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_not_known_is_said(command: str, says: str) -> None:
    found = look(command).unverified
    assert any(says in reason for reason in found) or any("steps" in reason for reason in found)


def test_variables_of_the_caller_are_known() -> None:
    assert look("rm $D", D="/srv").effects[0].path == "/srv"


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "a;" * n,
        lambda n: "a | " * n + "a",
        lambda n: "a " * n,
        lambda n: "".join(f"v{i}=$v{i - 1}x;" for i in range(n)),
        lambda n: "sh -c 'a';" * n,
        lambda n: "sh <<E\n" + "a\n" * n + "E",
        lambda n: "for i in " + "a " * n + "; do b $i; done",
        lambda n: "f() { a; };" + "f;" * n,
        lambda n: "echo " + "a " * n + "| xargs rm",
    ],
)
def test_the_work_grows_with_the_text_and_no_faster(make: Callable[[int], str]) -> None:
    once, twice = (look(make(n)).steps for n in (400, 800))
    assert twice <= 2.2 * once


_PIECES = st.sampled_from([
    "rm", " ", "-rf", "/", "$X", "${", "}", "$(", ")", "`", "'", '"', "\\", "{", "a,b", "|", "&",
    ";", "\n", "<<E\n", "E\n", "<(", ">", "if", "then", "fi", "for", "do", "done", "in", "=", "é",
    "\x00", "x()", "eval", "sh -c ", "xargs -I{} ", "find . -exec ", "case", "esac", "[", "]", "$'",
])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_PIECES, max_size=25).map("".join) | st.text(max_size=60))
def test_no_text_breaks_it(command: str) -> None:
    found = look(command)
    assert not any(reason.startswith("the analysis broke") for reason in found.unverified)
