"""Every pack of command safety: what it stops, what passes close to that, how it is tuned."""

import re

import pytest

from hooks.pack_rows import PASSES, STOPPED
from pointsman.hooks.command_safety import findings, judge
from pointsman.hooks.packs.all_packs import CALLS, DEEDS, FLOWS, PACK_OF, PACKS, RULES
from pointsman.hooks.packs.calls import calls, names
from pointsman.hooks.rule import Call, Rule, Scene
from pointsman.model.decision import Action, Decision
from pointsman.shell.analyse import analyse

CWD, HOME = "/home/dev/proj", "/home/dev"


def decide(command: str, tuned: dict[str, str] | None = None) -> Decision | None:
    return judge(command, CWD, HOME, tuned or {})


@pytest.mark.parametrize(
    ("pack", "command"), [(pack, row) for pack, rows in STOPPED.items() for row in rows]
)
def test_what_is_stopped_and_by_which_pack(pack: str, command: str) -> None:
    decision = decide(command)
    assert decision is not None
    assert PACK_OF[decision.rule.removeprefix("command.")] == f"pack.{pack}"


@pytest.mark.parametrize("command", PASSES)
def test_what_is_close_to_that_passes(command: str) -> None:
    decision = decide(command)
    assert decision is None, decision.reason


MENTIONED = [row for rows in STOPPED.values() for row in rows if "'" not in row and "\n" not in row]


@pytest.mark.parametrize("command", MENTIONED[::3])
@pytest.mark.parametrize("before", ["echo", "grep -rn", "git commit -m", "rg"])
def test_who_only_mentions_it_passes(command: str, before: str) -> None:
    decision = decide(f"{before} '{command}'")
    assert decision is None, decision.reason


def test_every_pack_has_rows_of_its_own() -> None:
    assert {pack.name for pack in PACKS} == set(STOPPED)
    assert all(len(rows) >= 3 for rows in STOPPED.values())


def test_every_rule_is_asked() -> None:
    asked = {rule.id for rules in CALLS.values() for rule, _ in rules}
    asked |= {rule.id for rules in DEEDS.values() for rule, _ in rules}
    asked |= {rule.id for rule, _ in FLOWS}
    assert asked == set(RULES)
    assert len(RULES) == sum(len(pack.rules) for pack in PACKS)


def test_a_pack_is_tuned_and_a_rule_goes_before_its_pack() -> None:
    command = "kubectl delete ns x"
    asked = decide(command)
    assert asked is not None
    assert asked.action is Action.ASK
    denied = decide(command, {"pack.cloud": "deny"})
    assert denied is not None
    assert denied.action is Action.DENY
    assert decide(command, {"pack.cloud": "off"}) is None
    back = decide(command, {"pack.cloud": "off", "cluster-delete": "ask"})
    assert back is not None
    assert back.action is Action.ASK


_EMPTY = names(
    "a an the of that what who whoever it is are be to in on or and by for from with not no them "
    "their there where has have as at out away which than more"
)


def _stems(text: str) -> set[str]:
    return {word[:5] for word in re.findall("[a-z]+", text.lower()) if word not in _EMPTY}


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_reason_is_said_once(rule: Rule) -> None:
    """By the words of what is found: a rule is plain where they say why, and only there."""
    found = next(
        found
        for other, _, found in findings(analyse(rule.stopped, cwd=CWD, home=HOME), Scene(CWD, HOME))
        if other is rule
    )
    why = _stems(rule.why)
    repeated = len(why & _stems(found)) / len(why)
    assert repeated >= 0.4 if rule.plain else repeated < 0.4
    decision = decide(
        rule.stopped, {"pack." + pack.name: "off" for pack in PACKS} | {rule.id: "ask"}
    )
    assert decision is not None
    assert found in decision.reason
    assert (rule.why in decision.reason) is not rule.plain


def test_what_others_have_is_named_once() -> None:
    decision = decide("git push --force origin main")
    assert decision is not None
    assert decision.reason.startswith(
        "git push --force rewrites what others have: git push --force origin main. If it is meant,"
    )


@pytest.mark.parametrize("command", [
    "sqlite3 app.db '.shell ls'", "sqlite3 app.db .system", "sqlite3 app.db '.output |tee x'",
    "psql -c '\\! ls'", "psql -c \"copy t from program 'ls'\"",
    "sqlite3 app.db <<< \"select load_extension('x')\"",
])  # fmt: skip
def test_a_program_behind_a_database_is_called_one(command: str) -> None:
    decision = decide(command)
    assert decision is not None
    assert decision.rule == "command.sql-program"
    assert "Runs a program" in decision.reason
    assert "Destroys" not in decision.reason


@pytest.mark.parametrize("command", [
    "sqlite3 app.db .tables", "sqlite3 app.db '.output dump.sql' .dump", "psql -c '\\dt'",
    "psql -c 'copy t to stdout'", "sqlite3 app.db '.read schema.sql'",
])  # fmt: skip
def test_what_a_database_does_by_itself_passes(command: str) -> None:
    assert decide(command) is None


def test_it_says_what_to_do_instead() -> None:
    decision = decide("terraform destroy")
    assert decision is not None
    for part in ("terraform destroy", "no plan seen", "Instead: Make a plan", "a person runs it"):
        assert part in decision.reason


def test_a_command_for_another_machine_is_named_with_the_way_there() -> None:
    decision = decide("ssh -p 22 prod 'cd / && rm -rf var'")
    assert decision is not None
    assert "through ssh" in decision.reason


def found(test: Call, command: str) -> str | None:
    each = analyse(command, cwd=CWD, home=HOME).invocations[0]
    return test.find(each, Scene(CWD, HOME))


@pytest.mark.parametrize(
    ("line", "command", "meets"),
    [
        ("k delete|drain", "k delete pod x", True),
        ("k delete", "k -n prod delete x", True),
        ("k delete", "k get delete", False),
        ("k ... delete", "k a b delete", True),
        ("k set -x|--long", "k set --long=a", True),
        ("k set -x|--long", "k set -vx", True),
        ("k set -x|--long", "k set", False),
        ("k set !-l|--list", "k set -l", False),
        ("k set --to=0", "k set --to 0", True),
        ("k set --to=0", "k set --to=0", True),
        ("k set --to=0", "k set --to=1", False),
        ("k del-*", "k del-all", True),
        ("k *", "k", False),
        ("k", "k", True),
        ("k rm", "k rm --help", False),
        ("k rm", "k rm --dry-run=client", False),
        ("k rm", "k rm --dry-run=none", True),
        ("k rm", "k help rm", False),
        ("k rm", "k -- rm", True),
    ],
)
def test_calls_are_told_by_a_line(line: str, command: str, meets: bool) -> None:
    test = calls("does it", line)
    assert test.programs == {"k"}
    answer = found(test, command)
    assert (answer is not None) is meets
    assert answer is None or answer.endswith("does it")
