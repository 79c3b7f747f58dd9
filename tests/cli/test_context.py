"""``pointsman context``: what would be told, why, and what came of it."""

import json

from pointsman.hooks.dependencies import arm_of

from .conftest import Machine

FILES = {
    "package.json": "{}",
    "src/a.ts": "export interface A { x: number }\nexport const make = () => null\n",
    "src/b.ts": "import { A, make } from './a'\nexport function b(): A { return make() }\n",
    "test/b.test.ts": "import { b } from '../src/b'\nb()\n",
}


def written(machine: Machine) -> None:
    for name, text in FILES.items():
        path = machine.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_it_prints_the_text_and_why_each_line_is_there(machine: Machine) -> None:
    written(machine)
    done = machine.run("context", "src/b.ts", "--as-edit", '{"new_string": "make()"}')
    assert done.code == 0
    assert "src/a.ts:2 export const make = () =>" in done.out
    assert "make (src/a.ts:2): imported on line 1; the edit names it" in done.out
    assert "b (test/b.test.ts:1): uses 1 of the names that src/b.ts exports" in done.out
    assert "Index: 4 of 4 files read" in done.err
    assert machine.run("context", "src/b.ts").err == ""


def test_the_same_as_json(machine: Machine) -> None:
    written(machine)
    said = json.loads(machine.run("context", "src/b.ts", "--json").out)
    assert {"text", "tokens", "sections"} <= set(said)
    sections = {each["kind"]: each for each in said["sections"]}
    assert set(sections) == {"declarations", "dependents", "imports"}
    assert {each["source"] for each in said["sections"]} == {"syntax"}
    names = {(one["name"], one["path"], one["line"]) for one in sections["declarations"]["items"]}
    assert names == {("A", "src/a.ts", 1), ("make", "src/a.ts", 2)}
    assert sections["dependents"]["paths"] == ["test/b.test.ts"]
    assert said["tokens"] <= 600
    few = json.loads(machine.run("context", "src/b.ts", "--json", "--tokens", "60").out)
    assert few["tokens"] <= 60


def test_a_running_daemon_is_asked(machine: Machine) -> None:
    written(machine)
    machine.up()
    said = json.loads(machine.run("context", "src/b.ts", "--json").out)
    machine.run("down")
    assert "src/a.ts:2 export const make" in said["text"]


def test_a_file_that_nobody_can_read_is_said_to_be_one(machine: Machine) -> None:
    done = machine.run("context", "README.md")
    assert done.code != 0
    assert "is in no language that is read" in done.err
    assert machine.run("context").code == 2


def test_outcomes_by_side(machine: Machine) -> None:
    machine.up()
    config = machine.base / "home/.config/pointsman/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("[context]\ncompare = true\n")
    written(machine)
    file = str(machine.repository / "src/b.ts")
    told = next(f"s{n}" for n in range(99) if arm_of(f"s{n}") == "with")
    untold = next(f"s{n}" for n in range(99) if arm_of(f"s{n}") == "without")
    for session in (told, untold):
        call = {
            "session_id": session, "cwd": str(machine.repository), "tool_name": "Edit",
            "tool_use_id": "t1",
            "tool_input": {"file_path": file, "old_string": "make()", "new_string": "other()"},
        }  # fmt: skip
        for event in ("PreToolUse", "PostToolUse"):
            payload = json.dumps({**call, "hook_event_name": event}).encode()
            machine.process("hook", "claude-code", event, stdin=payload)
    figures = json.loads(machine.run("context", "--outcomes", "--json").out)
    machine.run("down")
    assert {side: (each["sessions"], each["edits"]) for side, each in figures.items()} == {
        "with": (1, 1), "without": (1, 1),
    }  # fmt: skip
