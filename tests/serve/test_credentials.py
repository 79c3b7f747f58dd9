"""Which credentials there are reaches the guard from the real client, as names alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from .live import TWIN, Live, payload

SETTINGS = """
[[credentials]]
tool = "mcp__tracker__*"
env = ["TRACKER_TOKEN"]
hint = "Ask for one."
"""


def call(rig: Live, tool: str, env: dict[str, str], **given: Any) -> tuple[int, str]:
    value = json.loads(payload("call"))
    value |= {"tool_name": tool, "tool_input": given}
    done = rig.send(json.dumps(value).encode(), env=env)
    return done.returncode, done.stderr.decode() + done.stdout.decode()


@pytest.mark.parametrize("client", ["python", "native"])
def test_a_tool_is_told_what_it_lacks_before_it_runs(rig: Live, client: str) -> None:
    native = Path(rig.env["POINTSMAN_DAEMON"]).with_name("pointsman-hook")
    rig.client = TWIN if client == "python" else [str(native)]
    rig.places.user_config.parent.mkdir(parents=True)
    rig.places.user_config.write_text(SETTINGS)
    code, said = call(rig, "mcp__tracker__add", {}, title="x")
    assert code == 2
    assert "needs a credential that is not there: the variable TRACKER_TOKEN. Ask for one." in said
    assert "[credential.missing credentials]" in said
    assert call(rig, "mcp__tracker__add", {"TRACKER_TOKEN": "kX93fj2dkQ"}, title="x") == (0, "")
    code, said = call(rig, "mcp__tracker__add", {"TRACKER_TOKEN": ""}, title="x")
    assert code == 2
    code, said = call(rig, "Bash", {}, command="fly status")
    assert code == 0
    assert "fly needs a credential, and none is there: neither the variable FLY_API_TOKEN" in said
    assert call(rig, "Bash", {"FLY_API_TOKEN": "kX93fj2dkQ"}, command="fly status") == (0, "")
    held = [path for path in rig.state.rglob("*") if path.is_file()]
    assert not [path for path in held if b"kX93fj2dkQ" in path.read_bytes()]
