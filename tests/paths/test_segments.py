"""Globs segment by segment: the same answers as over the whole path, in bounded time."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from wcmatch import glob

from pointsman.paths.globs import Globs, check
from pointsman.paths.segments import matcher

WHOLE = glob.GLOBSTAR | glob.EXTGLOB | glob.DOTGLOB | glob.FORCEUNIX

parts = st.sampled_from(
    ["**", "*", "a", "b", "a*", "*b", "?", "[ab]", ".a", "@(a|b)", "!(a)", "ab"]
)
patterns = st.lists(parts, min_size=1, max_size=6).map("/".join)
names = st.sampled_from(["a", "b", "ab", ".a", "ba", "c", "aab"])
paths = st.lists(names, min_size=1, max_size=7).map("/".join)


@given(patterns, paths)
def test_it_agrees_with_the_library_on_whole_paths(pattern: str, path: str) -> None:
    assert matcher(pattern)(path) is glob.globmatch(path, pattern, flags=WHOLE)


tokens = st.sampled_from(
    ["*", "*", "?", "a", "b", ".", "[ab]", "[!a]", "[^b]", "[[:alpha:]]", "\\*", "]", "-"]
)
texts = st.text("ab.*]-[", min_size=1, max_size=8)


@given(st.lists(tokens, min_size=1, max_size=7).map("".join), texts)
def test_it_agrees_with_the_library_within_a_segment(pattern: str, text: str) -> None:
    assume(pattern != "**" and text not in {".", ".."})
    assert matcher(pattern)(text) is glob.globmatch(text, pattern, flags=WHOLE)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("**", ["a", "a/b"], []),
        ("a/**", ["a/b", "a/b/c"], ["a", "b"]),
        ("**/a/**/b/**/c", ["a/b/c", "x/a/x/b/x/c", "a/b/a/b/c"], ["a/c/b", "a/b", "b/a/c"]),
        ("/a/**", ["/a/b"], ["a/b", "/a"]),
    ],
)
def test_what_stars_take(pattern: str, matching: list[str], other: list[str]) -> None:
    matches = matcher(pattern)
    assert [path for path in matching if not matches(path)] == []
    assert [path for path in other if matches(path)] == []


@pytest.mark.parametrize("size", [64, 128, 256])
def test_the_work_grows_with_the_path_and_not_with_its_powers(size: int) -> None:
    seen = 0

    class Parts(list[str]):
        """Segments that count how often one of them is looked at."""

        def __getitem__(self, index):  # type: ignore[no-untyped-def]
            nonlocal seen
            seen += 1
            return super().__getitem__(index)

    class Path(str):
        __slots__ = ()

        def split(self, *_: object, **__: object) -> list[str]:
            return Parts(["x"] * size)

    stars = 6
    assert not matcher("**/x/" * stars + "y")(Path())
    assert size <= seen <= (stars + 2) * size


@pytest.mark.parametrize(
    "pattern",
    [
        "**/+(a|aa)b",
        "*(a|ab|b)",
        "+(*)",
        "+(a*|b)",
        "+(a|)",
        "*(+(a))",
        "+([ab]|a)",
        "*(a)*(a)b",
        "*@(a)*b*",
    ],
)
def test_what_would_take_time_without_bound_is_refused(pattern: str) -> None:
    assert check(pattern)
    assert Globs([pattern]).problems[0][0] == pattern


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("+(ab|cd).ts", "abcdab.ts"),
        ("+([0-9]).sql", "0042.sql"),
        ("*(a)b", "aab"),
        ("+(a)", "a"),
        ("*a*b*c*d*e*", "xaxbxcxdxe"),
    ],
)
def test_what_repeats_plainly_is_not(pattern: str, path: str) -> None:
    assert check(pattern) == ""
    assert Globs([pattern]).match(path) == pattern
