import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.paths.globs import Globs, check, forbidding

MINIMATCH = [
    # pattern, paths that it matches, paths that it does not
    ("*", ["a", ".env", "a.ts"], ["a/b", ".", "..", "../a"]),
    ("**", ["a", "a/b", ".env", ".a/.b/c"], ["..", "../a"]),
    ("**/*", ["a", "a/b/c", ".git/config"], ["../a", "../../etc/passwd"]),
    ("*.ts", ["a.ts", ".ts", ".a.ts"], ["a.TS", "src/a.ts", "a.tsx"]),
    ("src/*", ["src/a", "src/.hidden"], ["src", "src/a/b", "xsrc/a"]),
    ("src/**", ["src/a", "src/a/b", "src/.h/x", "src/"], ["src", "srcx/a"]),
    ("src/**/*.ts", ["src/a.ts", "src/a/b/.c.ts"], ["a.ts", "src/a.js"]),
    ("**/*.ts", ["a.ts", "x/y/a.ts"], ["a.tsx"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "b", "a/xb"]),
    ("**/a/**", ["a/b", "x/a/b"], ["a", "xa/b"]),
    ("a**b", ["ab", "axxb", "a.b"], ["a/b", "a/x/b"]),
    ("a**/b", ["a/b", "ax/b"], ["a/x/b"]),
    ("**/.env*", [".env", "x/.env.local"], ["x/env"]),
    (".*", [".a", ".env"], [".", "..", "a"]),
    (".*/**", [".a/b"], ["../a"]),
    ("?", ["a", "]"], ["", "ab", "/"]),
    ("a?c", ["abc", "a.c"], ["ac", "a/c"]),
    ("[ab]", ["a", "b"], ["c", "ab"]),
    ("[!ab]", ["c", "-"], ["a", "b"]),
    ("[^ab]", ["c"], ["a"]),
    ("[a-c]x", ["ax", "cx"], ["dx"]),
    ("[]a]", ["a", "]"], ["b"]),
    ("[a-]", ["a", "-"], ["b"]),
    ("[[:digit:]]*", ["1x", "1"], ["x1"]),
    ("[a", ["[a"], ["a"]),
    ("{a,b}", ["a", "b"], ["ab", "c"]),
    ("{a}", ["{a}"], ["a"]),
    ("{,x}y", ["y", "xy"], ["x"]),
    ("{a,{b,c}}", ["a", "b", "c"], ["d"]),
    ("x{1..3}", ["x1", "x3"], ["x4", "x"]),
    ("x{3..1}", ["x1", "x3"], ["x0"]),
    ("x{01..03}", ["x01", "x03"], ["x1"]),
    ("x{a..c}", ["xa", "xc"], ["xd"]),
    ("${a,b}", ["${a,b}"], ["$a"]),
    ("{a,b", ["{a,b"], ["a"]),
    ("src/{a,b}/**/*.{ts,js}", ["src/a/q.js", "src/b/c/q.ts"], ["src/c/q.ts"]),
    ("?(a)b", ["b", "ab"], ["aab"]),
    ("*(a)b", ["b", "aab"], ["cb"]),
    ("+(a)b", ["ab", "aab"], ["b"]),
    ("@(a|b)", ["a", "b"], ["ab", "a|b"]),
    ("@(src|docs)/**", ["src/a", "docs/x"], ["test/a"]),
    ("src/!(x)/**", ["src/y/z", "src/.y/z"], ["src/x/z"]),
    ("\\*", ["*"], ["a"]),
    ("\\[x\\]", ["[x]"], ["x"]),
    ("\\#a", ["#a"], ["a"]),
    ("src/", ["src/"], ["src", "src/a"]),
    ("a//b", ["a/b", "a//b"], ["ab"]),
    ("a/../b", ["b"], ["a/b"]),
    ("../a", ["../a"], ["a"]),
    ("/a/**", ["/a/b"], ["a/b", "/a"]),
    ("~/a", ["~/a"], ["a"]),
    ("a b", ["a b"], ["ab"]),
    ("\u00e9", ["\u00e9"], ["e\u0301"]),
    ("a+b", ["a+b"], ["aab"]),
    ("a|b", ["a|b"], ["a"]),
    ("a,b", ["a,b"], ["a"]),
    ("***", ["a"], ["a/b"]),
    ("**/**", ["a/b", "a"], [".."]),
    ("**/node_modules/**", ["node_modules/x", "a/node_modules/.bin/x"], ["node_modules"]),
    ("package.json", ["package.json"], ["x/package.json", "PACKAGE.json"]),
]
"""Measured on minimatch 10 with ``dot: true``."""


@pytest.mark.parametrize(("pattern", "matching", "other"), MINIMATCH)
def test_a_pattern_matches_what_minimatch_matches(
    pattern: str, matching: list[str], other: list[str]
) -> None:
    globs = Globs([pattern])
    assert globs.problems == []
    assert [path for path in matching if globs.match(path) is None] == []
    assert [path for path in other if globs.match(path) is not None] == []


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("src/[id]/page.tsx", "src/[id]/page.tsx"),
        ("src/[id]/page.tsx", "src/i/page.tsx"),
        ("src/[id]/**", "src/[id]/deep/page.tsx"),
        ("src/[...slug]/*.tsx", "src/[...slug]/page.tsx"),
        ("src/[[...slug]]/**", "src/[[...slug]]/page.tsx"),
        ("./src/a.ts", "src/a.ts"),
        ("src/{a,b}", "src/{a,b}"),
    ],
)
def test_brackets_are_read_to_the_letter_too_and_a_leading_dot_is_nothing(
    pattern: str, path: str
) -> None:
    assert Globs([pattern]).match(path) == pattern


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("!src/**", "cannot begin with '!'"),
        ("!(a)", "cannot begin with '!'"),
        ("#src", "comment"),
        ("a" * 1025, "longer than 1024"),
        ("{1..5000}", "compiled"),
        ("*(+(a))b", "repeats"),
        ("*a@(b)*c*d", "wildcards"),
    ],
)
def test_a_pattern_that_cannot_be_used_says_why(pattern: str, says: str) -> None:
    assert says in check(pattern)
    globs = Globs([pattern, "ok"])
    assert [found for found, _ in globs.problems] == [pattern]
    assert globs.match("ok") == "ok"


def test_only_an_absolute_pattern_speaks_of_absolute_paths() -> None:
    globs = Globs(["**/*.md", "/srv/shared/**"])
    assert globs.match_absolute("/home/other/a.md") is None
    assert globs.match_absolute("/srv/shared/a") == "/srv/shared/**"


def test_what_forbids_a_tree_forbids_its_directory() -> None:
    globs = Globs(forbidding(["**/.git/**", "/**"]))
    assert globs.match("sub/.git") is not None
    assert forbidding(["/**"]) == ("/**",)


_SEGMENT = st.text("ab.[]{}()!@+*?,-\\é ", min_size=1, max_size=6)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_pattern_and_no_path_breaks_it(pattern: str, path: str) -> None:
    globs = Globs([pattern])
    assert (globs.problems != []) == (check(pattern) != "")
    assert globs.match(path) in {None, pattern}


@given(st.lists(_SEGMENT, min_size=1, max_size=4).map("/".join), _SEGMENT)
def test_no_pattern_made_of_wildcards_breaks_it(pattern: str, path: str) -> None:
    assert Globs([pattern]).match(path) in {None, pattern}


@given(
    st.lists(st.text("abcXYZ019_-é", min_size=1, max_size=6), min_size=1, max_size=5).map("/".join)
)
def test_a_plain_path_matches_itself_and_every_tree_above(path: str) -> None:
    assert Globs([path]).match(path) == path
    assert Globs(["**"]).match(path) == "**"
    first = path.partition("/")[0]
    assert (Globs([f"{first}/**"]).match(path) is not None) == ("/" in path)
