"""What is imported is what is paid for by every tool call: each way in loads only what it needs."""

import subprocess
import sys

import pytest

EVENT = """
import asyncio, json, pathlib
from pointsman.serve.main import serve
from pointsman.assembly import Setups
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.places import Places
from pointsman.case import Delivery
from pointsman.runtime import Runtime
where = Places(pathlib.Path("/nowhere/state"), pathlib.Path("/nowhere/config"))
runtime = Runtime(Setups(PolicyLoader(where), where), None)
for tool, given in (("Bash", {"command": "ls | wc"}), ("Write", {"file_path": "/nowhere/x"})):
    payload = {"hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": given, "cwd": "/"}
    asyncio.run(runtime.handle(
        Delivery(host="claude-code", event="PreToolUse", payload=json.dumps(payload).encode())
    ))
"""
COMMAND = """
import os, sys
from pointsman.cli.main import main
sys.argv = ["pointsman", {words}]
os.execv = lambda *_: sys.exit(0)
try:
    main()
except SystemExit:
    pass
"""
HEAVY = ["pointsman.runtime", "pointsman.serve", "asyncio", "sqlite3", "tree_sitter", "yaml"]


def loaded(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded once it has run this."""
    report = "\nimport sys\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def command(*words: str) -> set[str]:
    return loaded(COMMAND.format(words=", ".join(map(repr, words))))


def test_the_daemons_path_of_an_event() -> None:
    names = loaded(EVENT)
    assert {"pointsman.runtime", "pointsman.hooks.command_safety", "sqlite3"} <= names
    unwanted = ["click", "pointsman.cli", "hypothesis", "pytest", "urllib.request", "http"]
    assert not names & set(unwanted)


def test_the_client_in_python_is_started_with_next_to_nothing() -> None:
    names = command("hook", "claude-code", "PreToolUse")
    assert "pointsman.cli.hook" in names
    assert not names & {"json", "socket", "tempfile", "traceback", *HEAVY}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["nope"]])
def test_to_list_the_commands_none_is_loaded(words: list[str]) -> None:
    names = command(*words)
    assert "pointsman.cli.main" in names
    assert not names & {"pointsman.cli.decide", "pointsman.cli.init", *HEAVY}


def test_to_complete_their_names_none_is_loaded() -> None:
    complete = (
        "import os\nos.environ.update(_POINTSMAN_COMPLETE='bash_complete', COMP_CWORD='1',"
        " COMP_WORDS='pointsman d')\n"
    )
    names = loaded(complete + COMMAND.format(words=""))
    assert "click.shell_completion" in names
    assert not names & {"pointsman.cli.decide", "pointsman.cli.init", *HEAVY}


def test_what_a_hook_imports() -> None:
    names = loaded("import pointsman")
    assert not names & {"click", "json", *HEAVY}
