"""The settings of alerts are the user's own, and what is wrong with them is said."""

import re
from pathlib import Path

import pytest

from pointsman.alerts.terms import terms_of
from pointsman.config.merge import merge
from pointsman.config.settings import parse_settings

PAGE = Path(__file__).parents[2] / "docs/alerts.md"


def checked(text: str) -> list[str]:
    return [problem.key for problem in parse_settings("c.toml", text.encode()).problems]


def test_the_example_of_the_page_checks_out_and_is_understood() -> None:
    (text,) = re.findall(r"```toml\n(\[alerts\].*?)```", PAGE.read_text(), re.DOTALL)
    parsed = parse_settings("c.toml", text.encode())
    assert parsed.problems == ()
    terms = terms_of(merge(parsed.values, {}).alerts)
    assert [(rung.after_s, rung.sinks, rung.does) for rung in terms.ladder] == [
        (300, ("phone",), ""), (1200, (), "stop-agent"),
    ]  # fmt: skip
    assert [each.days for each in terms.quiet] == [tuple(range(7)), (5, 6)]


WRONG = {
    'time_zone = "Nowhere/Land"': "alerts.time_zone",
    'quiet = [{from = "25:00", to = "07:00"}]': "alerts.quiet[0].from",
    'quiet = [{from = "22:00"}]': "alerts.quiet[0].to",
    'quiet = [{from = "22:00", to = "07:00", days = ["monday"]}]': "alerts.quiet[0].days[0]",
    'sinks = [{name = "a", kind = "pigeon"}]': "alerts.sinks[0].kind",
    'sinks = [{name = "a b", kind = "desktop"}]': "alerts.sinks[0].name",
    'sinks = [{name = "a", kind = "webhook", secret_file = "s"}]': "alerts.sinks[0].secret_file",
    'ladder = [{after = 0}]': "alerts.ladder[0].after",
    'ladder = [{after = 1, do = "shout"}]': "alerts.ladder[0].do",
    "recover_after = 0": "alerts.recover_after",
    "loud = true": "alerts.loud",
}  # fmt: skip


@pytest.mark.parametrize(("line", "key"), WRONG.items(), ids=WRONG.values())
def test_what_is_wrong_is_named(line: str, key: str) -> None:
    assert checked(f"[alerts]\n{line}\n") == [key]


def test_two_sinks_of_one_name() -> None:
    sink = '[[alerts.sinks]]\nname = "a"\nkind = "desktop"\n'
    assert checked(sink * 2) == ["alerts.sinks[1].name"]


def test_a_repository_sends_nothing_anywhere_and_keeps_nobody_from_hearing() -> None:
    mine = {"alerts": {"sinks": [{"name": "desk", "kind": "desktop"}]}}
    theirs = {
        "alerts": {
            "enabled": False,
            "sinks": [{"name": "desk", "kind": "webhook", "to": "https://example.org"}],
        }
    }
    merged = merge(mine, theirs)
    assert merged.alerts == mine["alerts"]
    assert [at for at, _, _ in merged.refused] == [("alerts", "enabled"), ("alerts", "sinks")]
