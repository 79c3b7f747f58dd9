from pathlib import Path

import pytest

from hooks.acting import asking, bash, identity
from hooks.carried_rows import PASSES, STOPPED
from hooks.command_rows import DESTRUCTIVE, HARMLESS, UNVERIFIABLE
from pointsman.hooks import command_safety
from pointsman.hooks.command_safety import UNVERIFIED, judge
from pointsman.hooks.kit import Kit
from pointsman.hooks.packs.all_packs import RULES
from pointsman.hooks.rule import Rule
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Identity
from pointsman.model.events import PreToolUse
from pointsman.model.places import Places
from pointsman.model.policy import Policy

CWD, HOME = "/home/dev/proj", "/home/dev"


@pytest.fixture(autouse=True)
def a_home_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", HOME)


def decide(command: str, **tuned: str) -> Decision | None:
    return judge(command, CWD, HOME, {key.replace("_", "-"): value for key, value in tuned.items()})


@pytest.mark.parametrize("command", DESTRUCTIVE + STOPPED)
def test_what_destroys_is_stopped(command: str) -> None:
    decision = decide(command)
    assert decision is not None
    assert decision.action in {Action.DENY, Action.ASK}
    assert decision.rule.startswith("command.")


@pytest.mark.parametrize("command", HARMLESS + PASSES)
def test_what_does_no_harm_passes(command: str) -> None:
    decision = decide(command)
    assert decision is None, decision.reason


@pytest.mark.parametrize("command", UNVERIFIABLE)
def test_what_cannot_be_established_is_asked(command: str) -> None:
    decision = decide(command)
    assert decision is not None
    assert (decision.action, decision.cause) == (Action.ASK, Cause.UNVERIFIED)
    assert decision.rule == UNVERIFIED


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_stops_its_example_and_passes_the_other(rule: Rule) -> None:
    stopped = decide(rule.stopped)
    assert stopped is not None
    assert (stopped.rule, stopped.action) == (f"command.{rule.id}", rule.action)
    assert decide(rule.passes) is None


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
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
        "f(){ g; g; }; g(){ h; h; }; h(){ k; k; }; k(){ ls; ls; }; " + "f; " * 5000,
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


def wrote(who: Identity, path: Path, content: str) -> PreToolUse:
    given = {"file_path": str(path), "content": content}
    return PreToolUse(identity=who, tool_name="Write", tool_input=given)


@pytest.mark.parametrize(
    ("name", "content", "command", "stopped"),
    [
        ("x.sh", "rm -rf ~\n", "bash x.sh", True),
        ("x.sh", "rm -rf ~\n", "sh ./x.sh a", True),
        ("x.sh", "#!/bin/sh\nrm -rf $1\n", "chmod +x x.sh && ./x.sh /", True),
        ("x.sh", "rm -rf ~\n", ". ./x.sh", True),
        ("x.sh", "rm -rf ~\n", "cat x.sh | sh", True),
        ("x.sh", "rm -rf ~\n", "cp x.sh y.sh; sh y.sh", True),
        ("x.py", "import shutil\nshutil.rmtree('/etc')\n", "python3 x.py", True),
        ("x", "#!/usr/bin/env python3\nimport os\nos.system('rm -rf ~')\n", "./x", True),
        ("x.sh", "rm -rf ~\n", "cat x.sh", False),
        ("x.sh", "echo rm -rf ~\n", "sh x.sh", False),
        ("x.sh", "rm -rf ~\n", "sh other.sh", False),
        ("notes.md", "rm -rf ~\n", "git add notes.md", False),
    ],
)
def test_a_script_that_was_written_and_is_run_is_what_it_says(
    tmp_path: Path, name: str, content: str, command: str, stopped: bool
) -> None:
    places = Places(state=Path("/nowhere"), config=Path("/home/dev/.config/pointsman"))
    who = identity(tmp_path)
    ask = asking(command_safety.hook(Policy(), Kit(places=places)))
    assert ask(wrote(who, tmp_path / name, content)) is None
    assert (ask(bash(who, command)) is not None) is stopped
    # The same where it is the file on the disk that says so, written before by anybody.
    (tmp_path / name).write_text(content)
    ask = asking(command_safety.hook(Policy(), Kit(places=places)))
    reads = "cp" not in command
    assert (ask(bash(who, command)) is not None) is (stopped and reads)


def test_a_script_that_was_there_is_not_asked_about_for_what_nobody_can_know(
    tmp_path: Path,
) -> None:
    places = Places(state=Path("/nowhere"), config=Path("/home/dev/.config/pointsman"))
    ask = asking(command_safety.hook(Policy(), Kit(places=places)))
    (tmp_path / "build.sh").write_text('eval "$FLAGS"; $CC x; rm -rf "$OUT"\n')
    assert ask(bash(identity(tmp_path), "./build.sh")) is None
    assert ask(bash(identity(tmp_path), "./gone.sh")) is None
