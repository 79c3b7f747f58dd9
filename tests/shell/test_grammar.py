import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.grammar import near, parse


def test_a_tree_comes_back_and_an_error_is_shown_where_it_is() -> None:
    tree = parse(b"echo a; ls")
    assert tree is not None
    assert not tree.root_node.has_error
    broken = parse(b"ls; if true; then )")
    assert broken is not None
    assert broken.root_node.has_error
    assert near(broken.root_node)


def test_text_of_several_slices_is_read_to_its_end() -> None:
    tree = parse(b"ls;" * 20_000)
    assert tree is not None
    assert tree.root_node.end_byte == 60_000


def test_a_parse_that_would_not_end_is_given_up() -> None:
    assert parse(b")(" * 60_000) is None


def test_characters_beyond_the_scanners_tables_do_no_harm() -> None:
    text = "I\u00e1\U000f44f0\n\U000644e9\U00042ee4{\U000f9d29\u0099;\U0005d210 rm \u00e9x".encode()
    tree = parse(text)
    assert tree is not None
    assert tree.root_node.end_byte == len(text)
    for code in range(0x80, 0x110000, 997):
        if not 0xD800 <= code <= 0xDFFF:
            assert parse(f"{{{chr(code)}; {chr(code)}=1; ${chr(code)}\n".encode()) is not None


@pytest.mark.parametrize(
    ("command", "run"),
    [
        ("coproc { rm a; }", [("/w", ("rm", "a"))]),
        ("coproc X { cd d; rm a; }; rm b", [("/w/d", ("rm", "a")), ("/w", ("rm", "b"))]),
        ("ls; coproc X (rm a)", [("/w", ("rm", "a"))]),
        ("if x; then coproc X { rm a; }; fi", [("/w", ("rm", "a"))]),
        ("coproc X while x; do rm a; done", [("/w", ("rm", "a"))]),
        ("coproc rm a", [("/w", ("rm", "a"))]),
        ("echo coproc X '{ rm a; }'", []),
        ("echo '; coproc X { rm a; }'", []),
    ],
)
def test_a_coprocess_runs_beside_the_shell(
    command: str, run: list[tuple[str, tuple[str, ...]]]
) -> None:
    found = analyse(command, cwd="/w", home="/h")
    calls = [(each.cwd, each.argv) for each in found.invocations if each.program == "rm"]
    assert calls == run
    assert not found.unverified


@pytest.mark.parametrize(
    ("command", "stdin", "words"),
    [
        ("cat > f <<< 'a b'", "a b\n", ("cat",)),
        ("cat 2>g >>f <<<a b", "a\n", ("cat", "b")),
        ("cat <<< a > f", "a\n", ("cat",)),
    ],
)
def test_a_text_behind_another_redirection_is_fed(
    command: str, stdin: str, words: tuple[str, ...]
) -> None:
    found = analyse(command, cwd="/w", home="/h")
    assert [(each.stdin, each.argv) for each in found.invocations] == [(stdin, words)]
    assert not found.unverified
