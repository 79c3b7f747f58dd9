"""The variable that puts our program before every shell command, in and out of settings."""

import json
import shlex
import subprocess
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pointsman.agents.claude_seam import VARIABLE, argv_of, prefix_value, value_in
from pointsman.agents.claude_settings import install, uninstall

from .test_claude_settings import (
    BOOK,
    COMPACT,
    LINTED,
    OURS,
    SOME,
    SPACED,
    SPACES,
    TABBED,
    wildly,
)

ARGV = ("/opt/pointsman/bin/pointsman-exec",)
PINNED = prefix_value(ARGV, ("/home/u/.local/state/pointsman", "/home/u/.config/pointsman"))
TWIN = prefix_value(("/usr/bin/python3", "-I", "-S", "/x/client/exec.py"), ("/s", "/c"))


def as_the_client_starts_it(value: str, text: str) -> list[str]:
    """Return what a program is started with, by the client's own way of splitting the value."""
    at = value.rfind(" -")
    program, rest = (value[:at], value[at + 1 :]) if at > 0 else (value, "")
    line = f"{shlex.quote(program)} {rest} {shlex.quote(text)}"
    script = f"set -- {line}; printf '%s\\0' \"$@\""
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize(
    ("argv", "pinned"),
    [
        (ARGV, ()),
        (ARGV, ("/s", "/c")),
        (ARGV, ("/a b/c'd", "/e -f/ -g")),
        (("/a b/pointsman-exec",), ("/s", "/c")),
        (("/usr/bin/python3", "-I", "-S", "/x y/exec.py"), ()),
        (("/usr/bin/python3", "-I", "-S", "/x -y/exec.py"), ("/s", "/c")),
    ],
)
def test_the_client_starts_what_is_meant(argv: tuple[str, ...], pinned: tuple[str, ...]) -> None:
    value = prefix_value(argv, pinned)
    wanted = [*argv, *(["--pinned", *pinned] if pinned else [])]
    assert as_the_client_starts_it(value, "it's $HOME") == [*wanted, "it's $HOME"]
    assert argv_of(value) == tuple(wanted)


def test_no_program_is_no_value() -> None:
    assert prefix_value(()) == ""


@pytest.mark.parametrize(
    "value", ["/usr/bin/env", "strace -f", "", "exec", None, 7, ["pointsman-exec"], "x -'"]
)
def test_anothers_value_is_not_ours(value: object) -> None:
    assert argv_of(value) is None


@pytest.mark.parametrize(
    "text",
    [
        LINTED, BOOK, TABBED, COMPACT, SPACED, "{}", "{}\n", "{ }", '{"env":{}}', '{"env":{ }}\n',
        '{\n  "env": {\n  }\n}', '{\r\n  "env": {\r\n  }\r\n}\r\n', '{"a": 1, "env": {}}',
    ],
)  # fmt: skip
def test_it_comes_out_again_byte_for_byte(text: str) -> None:
    before = text.encode()
    after = install(before, OURS, prefix=PINNED)
    assert value_in(json.loads(after.decode("utf-8-sig"))) == PINNED
    assert install(after, OURS, prefix=PINNED) == after
    assert uninstall(after) == before
    moved = install(after, OURS, prefix=TWIN)
    assert value_in(json.loads(moved.decode("utf-8-sig"))) == TWIN
    assert uninstall(moved) == before
    # Switched off, the hooks stay.
    assert install(moved, OURS) == install(before, OURS)


ENVS = st.dictionaries(st.sampled_from(["A", "B", "PATH"]), st.text(max_size=5), max_size=3)
OTHERS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["model", "permissions", "z"]), st.just({}), max_size=2
)


@st.composite
def with_env(draw: st.DrawFn) -> bytes:
    value: dict[str, Any] = {**draw(OTHERS), "env": draw(ENVS), **draw(OTHERS)}
    if draw(st.booleans()):
        text = json.dumps(value, indent=draw(st.sampled_from([None, 0, 2, "\t"])))
        text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    else:
        text = wildly(draw, value)
    return (draw(SPACES) + text + draw(SPACES)).encode()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(with_env())
@example(b'{"env":{\n}}')
def test_any_env_survives(before: bytes) -> None:
    after = install(before, SOME, prefix=PINNED)
    env = json.loads(after)["env"]
    assert env.pop(VARIABLE) == PINNED
    assert env == json.loads(before)["env"]
    assert install(after, SOME, prefix=PINNED) == after
    assert uninstall(after) == before


def test_a_value_of_the_users_own_stays() -> None:
    before = json.dumps({"env": {VARIABLE: "/usr/bin/nice -n 5"}}).encode()
    after = install(before, OURS, prefix=PINNED)
    assert value_in(json.loads(after)) == "/usr/bin/nice -n 5"
    assert uninstall(after) == before


def test_an_env_that_is_no_object_is_left_alone() -> None:
    before = b'{"env": []}'
    after = install(before, OURS, prefix=PINNED)
    assert json.loads(after)["env"] == []
    assert uninstall(after) == before
