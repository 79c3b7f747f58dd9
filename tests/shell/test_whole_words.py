"""A word that is broken over lines is one word, and nothing is hidden by putting it together."""

import pytest

from pointsman.shell.analyse import analyse
from pointsman.shell.whole_words import joined

JOINED = {
    "r\\\nm -rf /": "rm -rf /",
    "rm -rf /et\\\nc": "rm -rf /etc",
    "r\\\nm\\\n -rf /": "rm\\\n -rf /",
    "a#b; r\\\nm x": "a#b; rm x",
    "echo a\\\\\\\nb": "echo a\\\\b",
    "\\\nls": "ls",
}
LEFT = (
    "ls", "rm \\\n-rf x", "rm\\\n -rf x", "echo a\\\\\nrm x", "ls # a\\\nrm x", "#\\\nrm x",
    "(ls)#a\\\nrm x", "cat <<'E'\na\\\nE\nrm x", "echo a\\\n", "echo a\\\n\nrm x", "",
)  # fmt: skip


@pytest.mark.parametrize(("command", "whole"), JOINED.items())
def test_a_word_goes_on(command: str, whole: str) -> None:
    assert joined(command) == whole


@pytest.mark.parametrize("command", LEFT)
def test_what_is_no_word_that_goes_on_is_left(command: str) -> None:
    assert joined(command) == command


@pytest.mark.parametrize(
    "command", ["ls # a\\\nrm x", "echo a\\\\\nrm x", "cat <<'E'\na\\\nE\nrm x", "r\\\nm x",
                "sh -c 'r\\\nm x'", "ls x \\\n# a\\\nrm x"],
)  # fmt: skip
def test_the_command_behind_it_is_seen(command: str) -> None:
    found = analyse(command, cwd="/w", home="/h").invocations
    assert ("rm", "x") in [each.argv for each in found]
