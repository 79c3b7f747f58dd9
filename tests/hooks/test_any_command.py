"""Whatever a command is made of, both guards of commands have an answer and no crash."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.hooks.command_safety import judge
from pointsman.hooks.kept import Keep
from pointsman.hooks.self_commands import judge_command
from pointsman.model.decision import Action, Decision
from pointsman.model.places import Places
from pointsman.model.policy import Policy

PIECES = (
    "rm", "-rf", "mv", "cp", "find", "-exec", "{}", '\\;', "-delete", "xargs", "cd", "$X",
    "${Y}/*", "$(date)", "`pwd`", "/tmp/$A", "*", "**", ".?", "[a-z]*", "~", "~/*",
    "/etc/passwd", ".claude/*", ".pointsman/x", ">", ">>", "<", "|", "&&", ";", "||", '"', "'",
    "(", ")", "{", "}", "echo", "tee", "sed", "-i", "ln", "-s", "chmod", "777", "tar", "-C",
    "/", "git", "checkout", "--", "clean", "python3", "-c", "bash", "sudo", "env", "A=b",
    "$'\\x2f'", "../..", '\\', "A=$(date)", "touch", "\x00", "\xe9", "\n", "for", "f", "in",
    "do", "done", "if", "then", "fi", "kill", "eval", "<<E", "E",
)  # fmt: skip
commands = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).flatmap(
    lambda pieces: st.sampled_from([" ", ""]).map(lambda between: between.join(pieces))
)
PLACES = Places(Path("/home/dev/state"), Path("/home/dev/config"))


@given(commands)
def test_an_answer_and_no_crash(command: str) -> None:
    keep = Keep(Policy(repository="/home/dev/proj"), PLACES, "/home/dev/proj")
    for given_answer in (
        judge(command, "/home/dev/proj", "/home/dev", {}),
        judge_command(command, keep),
    ):
        assert given_answer is None or isinstance(given_answer, Decision)
        assert given_answer is None or given_answer.action in {Action.DENY, Action.ASK}


@pytest.mark.parametrize(
    ("command", "stopped"),
    [
        ("rm -rf $UNSET/*", True),
        ('rm -rf "$UNSET"/*', True),
        ("rm -rf ${DIR}/.*", True),
        ("rm -rf $UNSET/", True),
        ("rm -rf $DIR/build", False),
        ("rm -r $DIR/*", False),
        ("DIR=build; rm -rf $DIR/*", False),
    ],
)
def test_everything_below_an_empty_variable(command: str, stopped: bool) -> None:
    decision = judge(command, "/home/dev/proj", "/home/dev", {})
    assert (decision is not None) is stopped
