import pytest

from made_secrets import made
from pointsman.secrets.patterns import PATTERNS, entropy, is_placeholder, is_random, matches

SECRETS = made()


@pytest.mark.parametrize(("value", "bits"), [
    ("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0), ("abcdefgh", 3.0),
])  # fmt: skip
def test_entropy_is_bits_a_character(value: str, bits: float) -> None:
    assert entropy(value) == pytest.approx(bits)


@pytest.mark.parametrize("value", ["Zk3xw9Qp2mVt7", "8f3a91c2d7e4", "a1b2c3d4e5f6g7h8"])
def test_what_chance_has_made_may_be_secret(value: str) -> None:
    assert is_random(value)


@pytest.mark.parametrize("value", [
    "", "password", "my_secret_name", "aaaaaaaaaaaa", "$TOKEN", "${TOKEN}", "<token>",
    "os.environ", "process.env.K3Y9xq", "config.k3y9xq2", "{{k3y9xq2mv}}", "get_token1x9()",
])  # fmt: skip
def test_what_stands_for_a_value_is_none(value: str) -> None:
    assert not is_random(value)


@pytest.mark.parametrize(("value", "sure", "placeholder"), [
    ("AKIAIOSFODNN7EXAMPLE", True, True),
    ("ghp_xxxxxxxxxxxxxxxxxxxx", True, True),
    ("aabbaabbaabb", True, True),
    ("Zk3xw9Qp2mVt7", True, False),
    ("Zk3xw9Qp2mVt7", False, False),
    # Chance may spell a word within a long token; within a password it is somebody's own.
    ("ghp_k3TODOx9Qp2mVt7", True, False),
    ("k3TODOx9Qp2mVt7", False, True),
])  # fmt: skip
def test_a_placeholder_says_so_itself(value: str, sure: bool, placeholder: bool) -> None:
    assert is_placeholder(value, sure=sure) is placeholder


def test_a_match_is_where_the_secret_stands() -> None:
    secret = SECRETS["github"]
    (found,) = matches(f"token: {secret}, next", PATTERNS)[:1]
    assert f"token: {secret}, next"[found.start : found.end] == secret
    assert (found.kind, found.sure) == ("github-pat", True)


def test_patterns_that_are_not_asked_find_nothing() -> None:
    assert matches(SECRETS["github"], []) == []
    assert matches("nothing of the kind", PATTERNS) == []
