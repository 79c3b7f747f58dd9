"""A repository adds limits; it takes none away."""

from pathlib import Path
from typing import Any

import pytest

from pointsman.config.limit_settings import limits_of
from pointsman.config.policy_loader import PolicyLoader
from pointsman.config.settings import parse_settings
from pointsman.model.limit import OF, PER, THEN
from pointsman.model.places import Places

ONE = '[[limits]]\nper = "session"\nof = "calls"\nat = 5\nthen = "deny"\n'


def checked(text: str) -> list[str]:
    return [problem.key for problem in parse_settings("c.toml", text.encode()).problems]


@pytest.mark.parametrize("per", PER)
@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize("then", THEN)
def test_every_combination_can_be_written(per: str, of: str, then: str) -> None:
    text = f'[[limits]]\nper = "{per}"\nof = "{of}"\nat = 0.5\nthen = "{then}"\n'
    assert checked(text) == []


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (ONE, []),
        (ONE + 'agents = ["worker", "*"]\nunpriced = "off"\n', []),
        (ONE.replace("session", "year"), ["limits[0].per"]),
        (ONE.replace("= 5", "= 0"), ["limits[0].at"]),
        (ONE.replace("deny", "kill"), ["limits[0].then"]),
        (ONE + "agents = []\n", ["limits[0].agents"]),
        (ONE + 'unpriced = "0"\n', ["limits[0].unpriced"]),
        ('[[limits]]\nper = "day"\n', ["limits[0].of", "limits[0].at", "limits[0].then"]),
    ],
)
def test_what_is_wrong_is_named(text: str, keys: list[str]) -> None:
    assert checked(text) == keys


def test_both_files_bind_and_each_limit_knows_where_it_stands(tmp_path: Path) -> None:
    repository = tmp_path / "repo"
    (repository / ".git").mkdir(parents=True)
    own = repository / ".pointsman/config.toml"
    own.parent.mkdir()
    own.write_text(ONE.replace("= 5", "= 500").replace("session", "day"))
    user = tmp_path / "config/config.toml"
    user.parent.mkdir()
    user.write_text(ONE)
    loader = PolicyLoader(Places(tmp_path / "state", tmp_path / "config"))
    theirs, mine = loader.policy_for(str(repository)).limits
    assert (theirs.at, theirs.own, theirs.source) == (5.0, False, str(user))
    assert (mine.at, mine.own, mine.source) == (500.0, True, str(own))
    assert len(loader.policy_for(None).limits) == 1
    assert loader.policy_for(str(repository)).problems == ()


def test_what_is_not_said_is_as_documented() -> None:
    table: dict[str, Any] = {"per": "day", "of": "usd", "at": 3, "then": "end"}
    (one,) = limits_of(("u", [table]), ("r", []))
    assert (one.agents, one.unpriced, one.rule) == ((), "", "limit.day-usd")
