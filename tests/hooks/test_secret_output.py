import json
from pathlib import Path
from typing import Any

import pytest

from made_secrets import made
from pointsman.agents import claude_code
from pointsman.hooks import secret_output
from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision
from pointsman.model.events import PostToolUse
from pointsman.model.places import Places
from pointsman.model.policy import Policy
from pointsman.secrets.redact import Redactor

from .acting import asking, identity

RECORDED = Path(__file__).parents[1] / "agents/fixtures"
GITHUB = made()["github"]


def asked(root: Path, tool: str, response: Any) -> Decision | None:
    kit = Kit(places=Places(root, root), secrets=Redactor.of(root, {}))
    ask = asking(secret_output.hook(Policy(), kit))
    return ask(PostToolUse(identity=identity(root), tool_name=tool, tool_response=response))


@pytest.mark.parametrize(("tool", "response"), [
    ("Bash", {"stdout": f"A\n{GITHUB}\n", "stderr": "", "interrupted": False, "isImage": False}),
    ("Bash", {"stdout": "", "stderr": f"bad token {GITHUB}", "interrupted": False}),
    ("Read", {"type": "text", "file": {"content": f"x={GITHUB}\ny", "numLines": 2}}),
    ("mcp__rig__echo", [{"type": "text", "text": json.dumps({"token": GITHUB})}]),
    ("Grep", f"a.py:1:{GITHUB}"),
])  # fmt: skip
def test_the_output_keeps_its_shape_and_loses_the_secret(
    tmp_path: Path, tool: str, response: Any
) -> None:
    decision = asked(tmp_path, tool, response)
    assert decision is not None
    mark = Redactor.of(tmp_path, {}).text(GITHUB)
    wanted = json.loads(json.dumps(response).replace(GITHUB, mark))
    assert decision.updated_output == wanted
    assert decision.action is None
    assert GITHUB not in decision.context
    answer = claude_code.write("PostToolUse", decision)
    written = json.loads(answer.stdout)["hookSpecificOutput"]
    assert answer.code == 0
    assert written["updatedToolOutput"] == wanted
    assert mark in written["additionalContext"]


@pytest.mark.parametrize("response", [
    None, "", {"stdout": "all is well"}, {"stdout": "key = AKIAIOSFODNN7EXAMPLE"},
    {"stdout": "db_password = 'Zk3xw9Qp2mVt7'"}, [1, 2.5, True], {"a": {"b": [None]}},
])  # fmt: skip
def test_an_output_without_one_is_left_as_it_is(tmp_path: Path, response: Any) -> None:
    assert asked(tmp_path, "Bash", response) is None


def test_no_other_event_gives_an_output() -> None:
    decision = Decision(action=None, updated_output="x")
    assert claude_code.write("PreToolUse", decision).stdout == b""
