"""The real Claude Code: what its model is sent of an output, of a prompt and of a denial."""

import json
import shlex
from collections.abc import Iterator

import pytest

from made_secrets import made

from .messages_api import MessagesApi, ToolUse, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host

SECRETS = made(17)
GITHUB, STRIPE = SECRETS["github"], SECRETS["stripe"]


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def sent(api: MessagesApi) -> str:
    """Return everything that the model was sent."""
    return json.dumps([request.body for request in api.requests])


def test_the_model_sees_outputs_without_their_secrets(under: Guarded, api: MessagesApi) -> None:
    under.write("notes.txt", f"first\nkey {GITHUB}\nlast\n")
    under.write("other.env", f"KEY={STRIPE}\n")
    read = ToolUse("Read", {"file_path": str(under.project / "notes.txt")})
    api.script("main", bash("cat other.env; echo done"), read, bash("cat other.env >&2; exit 3"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    shell, file = (result.tool_results[f"toolu_main_{n}_0"].text for n in range(2))
    assert shell.startswith("KEY=[redacted:stripe-access-token:")
    assert shell.endswith("done")
    assert "key [redacted:github-pat:" in file
    assert "last" in file
    before = json.dumps([request.body for request in api.requests[:-1]])
    assert GITHUB not in before
    assert STRIPE not in before
    assert "stands for one" in before
    for path in under.state.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert GITHUB.encode() not in data, path
            assert STRIPE.encode() not in data, path


def test_a_secret_in_a_command_or_a_file_does_not_get_there(
    under: Guarded, api: MessagesApi
) -> None:
    marker = under.project / "ran"
    text = {"file_path": str(under.project / "a.py"), "content": f"key = '{STRIPE}'\n"}
    command = bash(f"echo {shlex.quote(GITHUB)} > {marker}")
    api.script("main", command, ToolUse("Write", text))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    told = [result.tool_results[f"toolu_main_{n}_0"] for n in range(2)]
    assert [each.is_error for each in told] == [True, True]
    assert "the command holds a github-pat" in told[0].text
    assert "line 1 of" in told[1].text
    assert "would hold a stripe-access-token" in told[1].text
    assert not marker.exists()
    assert not (under.project / "a.py").exists()


def test_a_secret_in_a_prompt_is_pointed_out_and_goes_through(
    under: Guarded, api: MessagesApi
) -> None:
    api.script("main", bash("echo hello"))
    result = under.claude.run(f"Begin with {GITHUB}. SCRIPT=main", env=under.env)
    assert result.tool_results["toolu_main_0_0"].text == "hello"
    assert "Do not repeat it" in sent(api)
    assert under.rows("--event", "UserPromptSubmit")[0]["rule"] == "secret.in-prompt"
