"""What is said of a risk, and that nothing is said of what nobody knows."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from pointsman.engine.risk import EFFECTS, REACHES, RULES, TOOLS, Place, risk_of
from pointsman.hooks.packs.all_packs import RULES as COMMAND_RULES
from pointsman.model.approval import NOT_KNOWN, Risk

HERE = Place("/repo", "/repo", "/home/dev")


def of(tool: str, rule: str = "own.rule", **tool_input: Any) -> Risk:
    return risk_of([rule], tool, tool_input, HERE)


@pytest.mark.parametrize(
    ("risk", "reach", "reversible", "rollback"),
    [
        (of("Bash", "command.git-rewrite", command="git commit --amend"),
         ("repository",), "reflog", "git reset --soft"),
        (of("Bash", "command.git-push-force", command="git push -f"),
         ("repository", "network", "other people"), "old commit", "--force-with-lease"),
        (of("Bash", command="rm notes.txt"), ("files",), "committed", "git restore"),
        (of("Bash", command="echo x > /etc/hosts"), ("files", "machine"), "committed", "restore"),
        (of("Edit", file_path="/repo/a"), ("files",), "yes", "exchanged"),
        (of("Write", file_path="/elsewhere/a"), ("files", "machine"), "committed", "git restore"),
        (of("Read", file_path="/elsewhere/a"), ("files",), "nothing is changed", "nothing"),
        (of("Bash", "command.secret-read", command="cat ~/.ssh/id_rsa"),
         ("files",), "stays read", "revoke"),
    ],
)  # fmt: skip
def test_what_is_known(risk: Risk, reach: tuple[str, ...], reversible: str, rollback: str) -> None:
    assert risk.reach == reach
    assert reversible in risk.reversible
    assert rollback in risk.rollback
    assert risk.cost == NOT_KNOWN


@pytest.mark.parametrize(
    "risk",
    [
        of("mcp__x__y", text="z"), of("Bash", command="$PROGRAM x"), of("Bash", command=""),
        of("Bash", command=7), of("Bash"), of("Bash", command="rm x;" * 9000), of("Unheard"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_said_to_be(risk: Risk) -> None:
    assert risk == Risk()
    assert (risk.reversible, risk.cost, risk.rollback, risk.reach) == (NOT_KNOWN,) * 3 + ((),)


def test_every_row_says_something_and_goes_somewhere_known() -> None:
    for row in (*RULES, *EFFECTS.values(), *TOOLS.values()):
        assert row.reach
        assert set(row.reach) <= set(REACHES)


def test_a_row_is_not_hidden_by_one_before_it() -> None:
    for index, row in enumerate(RULES):
        name = row.of.replace("*", "")
        assert next(n for n, each in enumerate(RULES) if fnmatchcase(name, each.of)) == index


def test_rules_that_ask_and_are_irreversible_have_a_row() -> None:
    asking = [f"command.{rule.id}" for rule in COMMAND_RULES.values() if rule.action == "ask"]
    assert asking
    for rule in asking:
        assert any(fnmatchcase(rule, row.of) for row in RULES), rule
