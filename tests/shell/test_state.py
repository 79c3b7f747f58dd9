import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.effects import CHANGES, UNKNOWN
from pointsman.shell.state import resolve, walked


def changed(command: str, read: bytes | None = None) -> list[str]:
    found = analyse(command, cwd="/w", home="/h", read=lambda _path: read)
    return [each.path for each in found.effects if each.kind in CHANGES]


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("X=a; rm $X", ["/w/a"]),
        ("X=a; . ./e; rm $X", [UNKNOWN]),
        ("X=a; source <(ls); rm $X", [UNKNOWN]),
        ('X=a; source "$F"; rm $X', [UNKNOWN]),
        ("X=a; f() { . ./e; }; f; rm $X", [UNKNOWN]),
        ("X=(a); . ./e; rm ${X[0]}", [UNKNOWN]),
        ("set -- a; . ./e; rm $1", [UNKNOWN]),
        ("X=a; eval $F; rm $X", [UNKNOWN]),
        ("X=a; (. ./e); rm $X", ["/w/a"]),
        ("X=a; ./e; rm $X", ["/w/a"]),
        ("X=a; echo X=b > e; . ./e; rm $X", ["/w/e", "/w/b"]),
    ],
)
def test_a_file_that_nobody_has_read_may_set_any_variable(command: str, paths: list[str]) -> None:
    assert changed(command) == paths


def test_one_that_was_read_sets_what_it_says() -> None:
    assert changed("X=a; . ./e; rm $X", b"X=c") == ["/w/c"]


def test_a_loop_over_what_is_not_known_may_have_no_turn() -> None:
    assert changed("for y in $x; do cd d; done; rm a") == [f"{UNKNOWN}/a", "/w/a"]
    assert changed("for y in z; do cd d; done; rm a") == ["/w/d/a"]


@pytest.mark.parametrize(
    ("path", "cwd", "as_walked"),
    [
        ("a/b", "/w", None),
        ("a..b", "/w", None),
        ("l/../t", "/w", "/w/l/../t"),
        ("../t", "/w/l", "/w/l/../t"),
        ("/l/..", "/w", "/l/.."),
        ("../t", UNKNOWN, None),
    ],
)
def test_behind_a_link_dots_are_left_to_whoever_can_look(
    path: str, cwd: str, as_walked: str | None
) -> None:
    assert walked(path, cwd) == as_walked


@pytest.mark.parametrize(
    "command",
    [
        "echo > l/../t",
        "cd l && touch ../t",
        "python3 -c \"open('l/../t', 'w')\"",
        "dd if=a of=l/../t",
        "cp t l/..",
    ],
)
def test_both_ways_of_a_path_with_dots_are_said(command: str) -> None:
    assert {"/w/t", "/w/l/../t"} <= set(changed(command))


def test_a_directory_that_the_kernel_cannot_take_is_not_known() -> None:
    assert changed("cd " + "a/" * 3000 + "; rm b") == [f"{UNKNOWN}/b"]
    assert resolve("a", "/" + "b" * 5000) == f"{UNKNOWN}/a"
