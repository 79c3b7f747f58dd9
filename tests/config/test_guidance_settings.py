"""What a repository may say of what agents are told: less, and stricter; never who may write."""

from typing import Any

import pytest

from pointsman.config.guidance_settings import TABLES, merge_guidance


def merged(user: Any, repository: Any) -> tuple[dict[str, dict[str, Any]], list[Any]]:
    refused: list[Any] = []
    return merge_guidance(user, repository, refused), refused


def test_every_setting_has_a_default() -> None:
    found, refused = merged({}, {})
    assert {name: set(table) for name, table in found.items()} == {
        name: set(table.keys) for name, table in TABLES.items()
    }
    assert refused == []


@pytest.mark.parametrize(
    ("table", "key", "value", "taken"),
    [
        ("expertise", "tokens", 500, True),
        ("expertise", "tokens", 1500, False),
        ("expertise", "warn_lines", 100, True),
        ("expertise", "error_lines", 9000, False),
        ("expertise", "improvers", ["*"], False),
        ("expertise", "improvers", [], False),
        ("conventions", "violation", "deny", True),
        ("conventions", "again", 2, True),
        ("conventions", "again", 9, False),
        ("handoff", "after_clear", "past", True),
        ("handoff", "after_clear", "never", True),
    ],
)
def test_what_a_repository_may_say(table: str, key: str, value: Any, taken: bool) -> None:
    before, _ = merged({}, {})
    found, refused = merged({}, {table: {key: value}})
    assert (found[table][key] == value) is taken
    assert found[table][key] == (value if taken else before[table][key])
    assert [at for at, _, _ in refused] == ([] if taken else [(table, key)])


@pytest.mark.parametrize(
    ("table", "key", "user", "repository"),
    [
        ("conventions", "violation", "deny", "context"),
        ("handoff", "after_clear", "never", "always"),
        ("expertise", "improvers", ["main"], ["*"]),
        ("expertise", "tokens", 200, 300),
    ],
)
def test_the_user_has_the_last_word(table: str, key: str, user: Any, repository: Any) -> None:
    found, refused = merged({table: {key: user}}, {table: {key: repository}})
    assert found[table][key] == user
    assert len(refused) == 1
