"""The variables that have the client send its telemetry to us: in, out, and nobody else's."""

import json

import pytest

from pointsman.agents import claude_seam
from pointsman.agents.claude_settings import install, uninstall
from pointsman.agents.claude_telemetry import NAMES, is_ours, others_in, put, take, values_of

VALUES = values_of("http://127.0.0.1:4000", "abc")
TEXTS = [
    "{}\n",
    "{}",
    '{\n  "model": "opus"\n}\n',
    '{\n\t"env": {\n\t\t"A": "1"\n\t}\n}\n',
    '{"env": {"A": "1"}, "b": 2}',
    '{\n  "env": {},\n  "b": 2\n}\n',
    '{\r\n  "env": {\r\n    "A": "1"\r\n  }\r\n}\r\n',
]


@pytest.mark.parametrize("text", TEXTS)
def test_it_comes_out_again(text: str) -> None:
    made = put(text, VALUES)
    settings = json.loads(made)
    assert settings["env"] == {**json.loads(text).get("env", {}), **VALUES}
    assert is_ours(settings)
    assert put(made, VALUES) == made
    assert json.loads(take(made)) == json.loads(text)


@pytest.mark.parametrize("text", TEXTS)
def test_with_hooks_and_the_gate_beside_it(text: str) -> None:
    hooks = {"Stop": [{"hooks": [{"type": "command", "command": "/x/pointsman-hook",
                                  "args": ["claude-code", "Stop"]}]}]}  # fmt: skip
    prefix = claude_seam.prefix_value(("/x/pointsman-exec",))
    made = install(text.encode(), hooks, "s", prefix, VALUES)
    assert install(made, hooks, "s", prefix) == made  # Once in, `init` without a word leaves it.
    assert json.loads(uninstall(made)) == json.loads(text)


def test_another_port_replaces_the_old_one() -> None:
    moved = values_of("http://127.0.0.1:5000", "new")
    assert json.loads(put(put("{}\n", VALUES), moved))["env"] == moved


@pytest.mark.parametrize("name", NAMES)
def test_what_somebody_else_has_set_stays(name: str) -> None:
    text = json.dumps({"env": {name: "theirs"}})
    assert others_in(json.loads(text)) == [name]
    assert put(text, VALUES) == text
    assert take(text) == text


def test_an_env_that_is_no_object_is_left_alone() -> None:
    assert put('{"env": 1}', VALUES) == '{"env": 1}'
    assert take('{"env": 1}') == '{"env": 1}'
