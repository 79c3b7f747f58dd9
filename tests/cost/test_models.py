"""The names that one model goes by."""

import pytest

from pointsman.cost.models import Sold, sold


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("claude-opus-5-5", Sold("anthropic", "claude-opus-5-5", "claude-opus-5-5")),
        ("claude-opus-5-5[1m]", Sold("anthropic", "claude-opus-5-5", "claude-opus-5-5")),
        ("opus", Sold("anthropic", "claude-opus-5-5", "claude-opus-5-5")),
        (
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            Sold("aws", "us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4"),
        ),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-opus-5-5",
            Sold("aws", "eu.anthropic.claude-opus-5-5", "claude-opus-5-5"),
        ),
        (
            "claude-opus-4-5@20251101",
            Sold("google", "claude-opus-4-5@20251101", "claude-opus-4-5"),
        ),
        (
            "claude-3-5-sonnet-v2@20241022",
            Sold("google", "claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet"),
        ),
        ("wizard-9000", Sold("anthropic", "wizard-9000", "wizard-9000")),
        ("", Sold("anthropic", "", "")),
    ],
)
def test_a_name_says_who_sells_what(name: str, wanted: Sold) -> None:
    assert sold(name) == wanted


def test_own_aliases_come_first() -> None:
    assert sold("opus", {"opus": "claude-opus-5"}).model == "claude-opus-5"
