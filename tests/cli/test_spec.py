"""``pointsman spec``: what it says of a file, and how often the ledger has it."""

import json

import jsonschema

from .conftest import Machine
from .test_audit import SARIF

SPEC = """# Cart
## Goal
The cart adds up.
## Scope
- `cart.py` (new)
## Inputs
None.
## Acceptance
- `pytest -q`
## Out of scope
Taxes.
## Open questions
- Which currency?
"""


def test_check_in_three_forms(machine: Machine) -> None:
    file = machine.repository / "cart.md"
    file.write_text(SPEC)
    told = machine.run("spec", "check", str(file))
    assert told.code == 1
    assert f"error  spec.question  {file}:13" in told.out
    assert "1 errors, 0 warnings, 0 notes" in told.out
    found = json.loads(machine.run("spec", "check", str(file), "--json").out)
    assert (found["ok"], [each["line"] for each in found["findings"]]) == (False, [13])
    log = json.loads(machine.run("spec", "check", str(file), "--sarif").out)
    jsonschema.validate(log, SARIF)
    file.write_text(SPEC.replace("Which currency?", "Which currency? Answer: euro."))
    assert machine.run("spec", "check", str(file)).code == 0


def test_a_spec_that_is_too_long_is_refused(machine: Machine) -> None:
    file = machine.repository / "cart.md"
    file.write_text("x" * 300_000)
    told = machine.run("spec", "check", str(file))
    assert (told.code, "300000 bytes" in told.err) == (1, True)


def test_iterations_are_counted_from_the_ledger(machine: Machine) -> None:
    file = machine.repository / "cart.md"
    file.write_text(SPEC)
    machine.up()
    call = {"tool_name": "Agent", "tool_use_id": "a",
            "tool_input": {"prompt": f"Build {file}", "subagent_type": "Explore"}}  # fmt: skip
    for session, event, payload in (
        ("one", "UserPromptSubmit", {"prompt": "Build cart.md"}),
        ("one", "UserPromptSubmit", {"prompt": "And the shop?"}),
        ("one", "PreToolUse", call),
        ("two", "UserPromptSubmit", {"prompt": "cart.md again"}),
        ("two", "PostToolUse", {"tool_name": "Edit", "tool_use_id": "e", "tool_response": {},
         "tool_input": {"file_path": str(file), "old_string": "a", "new_string": "b"}}),
    ):  # fmt: skip
        whole = {"hook_event_name": event, "session_id": session,
                 "cwd": str(machine.repository), **payload}  # fmt: skip
        machine.process("hook", "claude-code", event, stdin=json.dumps(whole).encode())
    machine.run("down")
    told = json.loads(machine.run("spec", "status", str(file), "--json").out)
    assert (told["iterations"], told["prompts"], told["agents"], told["edits"]) == (3, 2, 1, 1)
    assert told["sessions"][1] == {"session": "two", "prompts": 1, "agents": 0, "edits": 1}
    text = machine.run("spec", "status", str(file)).out
    assert "3 iterations (2 prompts, 1 agents), 1 edits of it" in text
