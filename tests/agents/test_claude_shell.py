"""The command is found in the texts that the client gives to a shell, and in nothing else."""

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.agents.claude_shell import command_of

OPENING = "source /home/u/.claude/shell-snapshots/snapshot-bash-1-a.sh 2>/dev/null || true && "
OPTIONS = (
    "{ \\builtin shopt -u extglob || \\builtin setopt NO_EQUALS; } >/dev/null 2>&1 || true && "
    "{ \\builtin unalias -- 'which'; \\builtin unset -f -- 'which'; } >/dev/null 2>&1 || true && "
)
OLD_BASH = (
    "{ case \"${BASH_VERSINFO-}\" in '2'|'3') \\builtin printf '%s\\n' "
    "'__CLAUDE_CODE_DID_NOT_RUN_BASH_TOO_OLD='\"${BASH_VERSION-}\" >&2; \\builtin exit 126; "
    "\\exit 126;; esac; } && "
)
EXPORTED = 'export FOO=bar\neval "$(echo X=1)"\n: && '
CLOSING = " && pwd -P >| /tmp/claude-1a2b-cwd"
COMMANDS = (
    "echo hello",
    'it\'s "quoted" $HOME `date` \\',
    "cat <<'E'\nfoo 'x'\nE\n",
    "eval ls\\",
    "a; eval 'ls",
    "''",
    "é \u2028 ü",
)


def quoted(command: str) -> str:
    """Quote as the client does."""
    return "'" + command.replace("'", "'\"'\"'") + "'"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stdin", [" < /dev/null", " \\< /dev/null", ""])
@pytest.mark.parametrize(
    "opening", [OPENING + OPTIONS, OLD_BASH + OPENING, OPENING + EXPORTED + OPTIONS]
)
def test_the_recorded_forms(opening: str, stdin: str, command: str) -> None:
    assert command_of(f"{opening}eval {quoted(command)}{stdin}{CLOSING}") == command


def test_a_plain_word_stands_there_without_quotes() -> None:
    assert command_of(f"{OPENING}eval pwd < /dev/null{CLOSING}") == "pwd"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80))
def test_whatever_the_command_is(command: str) -> None:
    """Python's own quoting is the client's, and each is what it is taken for."""
    word = quoted(command)
    assert shlex.split(word) == [command]
    assert command_of(f"{OPENING}{OPTIONS}eval {word} < /dev/null{CLOSING}") == command


def test_a_shell_sees_the_same_command() -> None:
    for command in COMMANDS:
        done = subprocess.run(
            ["bash", "-c", f"printf %s {quoted(command)}"], capture_output=True, check=True
        )
        assert done.stdout.decode() == command_of(f"{OPENING}eval {quoted(command)}{CLOSING}")


@pytest.mark.parametrize(
    "text",
    [
        "echo hello",  # a hook's own command, or the status line
        "npm test && eval 'ls' < /dev/null && pwd -P >| /tmp/x",
        f"{OPENING}{OPTIONS}'ls'{CLOSING}",
        f"{OPENING}eval 'ls'; rm -rf x{CLOSING}",
        f'{OPENING}eval "$(cat x)"{CLOSING}',
        f"{OPENING}eval 'ls{CLOSING}",
        "",
    ],
)
def test_what_is_not_that_form_is_not_taken_apart(text: str) -> None:
    assert command_of(text) is None


def test_many_evals_are_given_up_on() -> None:
    assert command_of(OPENING + "eval x; " * 100_000) is None
