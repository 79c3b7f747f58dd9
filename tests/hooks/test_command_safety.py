from pathlib import Path

import pytest

from hooks.acting import asking, bash, identity
from hooks.command_rows import DESTRUCTIVE, HARMLESS, UNVERIFIABLE
from pointsman.hooks import command_safety
from pointsman.hooks.command_safety import UNVERIFIED, judge
from pointsman.hooks.kit import Kit
from pointsman.hooks.packs.all_packs import RULES
from pointsman.hooks.rule import Rule
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.events import PreToolUse
from pointsman.model.places import Places
from pointsman.model.policy import Policy

CWD, HOME = "/home/dev/proj", "/home/dev"


@pytest.fixture(autouse=True)
def a_home_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", HOME)


def decide(command: str, **tuned: str) -> Decision | None:
    return judge(command, CWD, HOME, {key.replace("_", "-"): value for key, value in tuned.items()})


@pytest.mark.parametrize("command", DESTRUCTIVE)
def test_what_destroys_is_stopped(command: str) -> None:
    decision = decide(command)
    assert decision is not None
    assert decision.action in {Action.DENY, Action.ASK}
    assert decision.rule.startswith("command.")


@pytest.mark.parametrize("command", HARMLESS)
def test_what_does_no_harm_passes(command: str) -> None:
    decision = decide(command)
    assert decision is None, decision.reason


@pytest.mark.parametrize("command", UNVERIFIABLE)
def test_what_cannot_be_established_is_asked(command: str) -> None:
    decision = decide(command)
    assert decision is not None
    assert (decision.action, decision.cause) == (Action.ASK, Cause.UNVERIFIED)
    assert decision.rule == UNVERIFIED


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_every_rule_stops_its_example_and_passes_the_other(rule: Rule) -> None:
    stopped = decide(rule.stopped)
    assert stopped is not None
    assert (stopped.rule, stopped.action) == (f"command.{rule.id}", rule.action)
    assert decide(rule.passes) is None


@pytest.mark.parametrize("rule", RULES.values(), ids=str)
def test_every_rule_can_be_tuned(rule: Rule) -> None:
    asked = decide(rule.stopped, **{rule.id: "ask"})
    assert asked is not None
    assert asked.action is Action.ASK
    off = decide(rule.stopped, **{rule.id: "off"})
    assert off is None or off.rule != f"command.{rule.id}"


def test_a_denial_says_what_through_what_and_what_to_do() -> None:
    decision = decide("sudo sh -c 'rm -rf /etc'")
    assert decision is not None
    for part in ("rm deletes /etc", "through sudo, sh", "rm -rf /etc", '"rm-tree"', "config.toml"):
        assert part in decision.reason


def test_a_denial_beats_a_question() -> None:
    decision = decide("git commit --amend; rm -rf /")
    assert decision is not None
    assert decision.rule == "command.rm-tree"


@pytest.mark.parametrize(
    "command",
    [
        "echo '" + "a" * 300_000 + "'",
        "echo " + "$(" * 200 + "x" + ")" * 200,
        "(" * 500 + "ls" + ")" * 500,
        "eval " * 3000 + "ls",
        "f(){ f; f; }; " + "f; " * 5000,
        "".join(f"f{n}(){{ f{n + 1}; f{n + 1}; }}; " for n in range(40)) + "f0",
        "for a in 1 2 3 4 5 6; do " * 12 + "ls" + "; done" * 12,
        ")(" * 20_000,
        "python3 -c '" + "x = 1\n" * 20_000 + "'",
    ],
    ids=lambda text: f"{text[:12]}… {len(text)}",
)
def test_past_a_cap_it_is_asked(command: str) -> None:
    decision = decide(command)
    assert decision is not None
    assert (decision.action, decision.rule) == (Action.ASK, UNVERIFIED)


@pytest.mark.parametrize("harm", ["rm -rf /", "git reset --hard"])
def test_ten_thousand_harmless_commands_hide_none(harm: str) -> None:
    assert decide("ls;" * 10_000) is None
    decision = decide("ls;" * 10_000 + harm)
    assert decision is not None
    assert decision.action is Action.DENY


def test_only_a_command_is_looked_at_and_the_settings_tune() -> None:
    places = Places(state=Path("/nowhere"), config=Path("/home/dev/.config/pointsman"))
    who = identity(Path(CWD))
    ask = asking(command_safety.hook(Policy(), Kit(places=places)))
    assert ask(PreToolUse(identity=who, tool_name="Bash", tool_input={})) is None
    assert ask(PreToolUse(identity=who, tool_name="Bash", tool_input={"command": 7})) is None
    assert ask(bash(who, "reboot")) is not None
    tuned = Policy(guards={"command-safety": {"rules": {"power": "off", "unverified": "off"}}})
    ask = asking(command_safety.hook(tuned, Kit(places=places)))
    assert ask(bash(who, "reboot")) is None
    assert ask(bash(who, "echo 'unterminated")) is None
