"""Two owners of one path: a witness that the matcher itself takes, or none that it would take."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.paths.globs import check
from pointsman.paths.overlap import Territory, is_glob, overlap

ROOT = "/repo"

OVERLAPPING = {
    "one in the other": (["src/**/*.ts"], ["src/**"]),
    "a file and its directory": (["src/a.ts"], ["src/*"]),
    "anywhere and somewhere": (["**/*.test.ts"], ["src/**"]),
    "braces": (["src/{a,b}/**"], ["src/{c,b}/x/*"]),
    "numbers": (["v{1..5}/**"], ["v[4-9]/x"]),
    "the directory of a route": (["app/[id]/**"], ["app/[[]id]/**"]),
    "the same route as a class": (["app/[id]/**"], ["app/i/**"]),
    "stars that cross": (["a*b"], ["*a*"]),
    "many stars": (["*a*b*c*"], ["*c*b*a*"]),
    "a dot file": (["**"], ["**/.env"]),
    "a negated group": (["src/!(x)/**"], ["src/y/**"]),
    "a negated group that is not fixed": (["x!(a*)d"], ["x*d"]),
    "a repeated group": (["src/+(a|b).ts"], ["src/ab.ts"]),
    "an absolute glob": (["/repo/src/**"], ["src/x"]),
    "a class of letters": (["[[:alpha:]]x"], ["[!0-9]x"]),
    "letters of other scripts": (["é*"], ["[à-ü]x"]),
    "a name that a glob spells": (["src/*.ts"], ["src/[*].ts"]),
    "dots on either side of a star": (["*a?*"], ["xa."]),
}
APART = {
    "directories": (["src/**"], ["docs/**"]),
    "suffixes": (["src/**/*.ts"], ["src/**/*.js"]),
    "a directory itself is not in it": (["src/**"], ["src"]),
    "depth": (["src/*"], ["src/*/*"]),
    "case": (["src/A*"], ["src/a*"]),
    "a negated group": (["src/!(x|y).ts"], ["src/x.ts"]),
    "a negated group that is not fixed": (["x!(a*)d"], ["xad"]),
    "classes": (["[a-f]*"], ["[g-z]*"]),
    "ends that cannot meet": (["a*b*c"], ["*x*y"]),
    "an absolute glob elsewhere": (["/srv/**"], ["**"]),
    "out of the repository": (["../x/**"], ["**"]),
    "nothing is allowed": ([], ["**"]),
    "lengths": (["???"], ["??"]),
}


def meet(one: list[str], other: list[str]) -> tuple[str | None, str]:
    found = overlap((Territory(tuple(one)), Territory(tuple(other))), ROOT)
    return found.witness, found.unverified


@pytest.mark.parametrize(("one", "other"), OVERLAPPING.values(), ids=OVERLAPPING)
def test_a_witness_belongs_to_both(one: list[str], other: list[str]) -> None:
    witness, unverified = meet(one, other)
    assert witness is not None, unverified
    assert Territory(tuple(one)).holds(witness, ROOT)
    assert Territory(tuple(other)).holds(witness, ROOT)


@pytest.mark.parametrize(("one", "other"), APART.values(), ids=APART)
def test_where_there_is_none_that_is_proven(one: list[str], other: list[str]) -> None:
    assert meet(one, other) == (None, "")


def test_what_is_forbidden_belongs_to_nobody() -> None:
    mine = Territory(("src/**",), ("src/api/**", "**/*.lock"))
    assert overlap((mine, Territory(("src/api/**", "**/*.lock"))), ROOT).witness is None
    assert overlap((mine, Territory(("src/api",))), ROOT).witness is None
    assert overlap((mine, Territory(("src/**/*.lock*",))), ROOT).witness is not None
    assert overlap((mine, Territory(None, ("src/a*/**",))), ROOT).witness is not None


def test_a_forbidden_glob_of_the_whole_path_counts() -> None:
    mine = Territory(("**",), ("/repo/src/**",))
    assert overlap((mine, Territory(("src/**",))), ROOT).witness is None
    assert overlap((mine, Territory(("src/**",))), "/elsewhere").witness is not None


def test_three_may_meet_two_by_two_and_never_all() -> None:
    a, b, c = (Territory((f"{x}/*", f"{y}/*")) for x, y in ("pq", "qr", "rp"))
    assert all(overlap(pair, ROOT).witness for pair in itertools.combinations((a, b, c), 2))
    assert overlap((a, b, c), ROOT).witness is None


UNDECIDED = {
    "too much for the cap": (["*a" + "?" * 16], ["*b" + "?" * 12]),
    "a glob that cannot be used": (["!x"], ["**"]),
    "a class with a backslash": ([r"[\]a]"], ["**"]),
}


@pytest.mark.parametrize(("one", "other"), UNDECIDED.values(), ids=UNDECIDED)
def test_what_cannot_be_decided_is_said(one: list[str], other: list[str]) -> None:
    witness, unverified = meet(one, other)
    assert witness is None
    assert unverified


def test_a_witness_looks_like_a_path_where_it_can() -> None:
    assert meet(["src/**/*.ts"], ["src/**"])[0] == "src/a.ts"


def test_what_is_a_glob() -> None:
    assert [is_glob(text) for text in ("src/a.ts", "src/*.ts", "a?", "{a,b}", "[a]", "@(a)")] == [
        False, True, True, True, True, True,
    ]  # fmt: skip


_LETTERS = st.sampled_from(["a", "b", ".", "ab", "b."])
_WILD = st.sampled_from(["*", "?", "[ab]", "[!a]", "[a-b]", "@(a|b)", "?(a)", "!(a)", "!(b|ab)"])
_PART = st.lists(_LETTERS | _WILD, min_size=1, max_size=3).map("".join) | st.just("**")
_GLOB = st.lists(_PART, min_size=1, max_size=3).map("/".join) | st.builds(
    lambda one, other: f"{{{one},{other}}}/{one}", _PART, _PART
)
_SOUND = _GLOB.filter(lambda glob: not check(glob))
_TERRITORY = st.builds(
    lambda allowed, forbidden: Territory(tuple(allowed), tuple(forbidden)),
    st.lists(_SOUND, min_size=1, max_size=2),
    st.lists(_SOUND, max_size=1),
)
_NAMES = ["".join(word) for size in (1, 2, 3) for word in itertools.product("ab.", repeat=size)]
_PARTS = [name for name in _NAMES if name not in {".", ".."}]
_SHORT = [name for name in _PARTS if len(name) < 3]
SMALL = [*_PARTS, *("/".join(pair) for pair in itertools.product(_SHORT, repeat=2))]
SMALL += ["/".join(three) for three in itertools.product("ab", _SHORT, "ab")]


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(_TERRITORY, _TERRITORY)
def test_the_matcher_bears_out_what_is_found(one: Territory, other: Territory) -> None:
    found = overlap((one, other), ROOT)
    if found.witness is not None:
        assert one.holds(found.witness, ROOT)
        assert other.holds(found.witness, ROOT)
    elif not found.unverified:
        both = [path for path in SMALL if one.holds(path, ROOT) and other.holds(path, ROOT)]
        assert both == []
