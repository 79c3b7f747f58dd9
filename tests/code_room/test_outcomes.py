"""What came of edits is counted from the calls of a session."""

from dataclasses import dataclass, field
from typing import Any

from pointsman.code.outcomes import Outcome, add


@dataclass
class Call:
    tool: str
    path: str = "/r/a.ts"
    failed: bool = False
    given: dict[str, Any] = field(default_factory=dict)
    output: str = ""


def edit(old: str, new: str, **more: Any) -> Call:
    return Call("Edit", given={"old_string": old, "new_string": new}, **more)


def counted(*calls: Call) -> Outcome:
    outcome = Outcome()
    add(outcome, calls)
    return outcome


def bash(command: str, output: str) -> Call:
    return Call("Bash", path="", given={"command": command}, output=output)


def test_type_errors_count_after_an_edit() -> None:
    errors = "src/a.ts(1,2): error TS2304: Cannot find name\nsrc/a.ts(2,2): error TS2305: x"
    check = bash("npx tsc --noEmit", errors)
    assert counted(check).type_errors == 0
    found = counted(edit("a", "b"), check, bash("mypy .", "a.py:1: error: no [name-defined]"))
    assert (found.edits, found.checks, found.type_errors) == (1, 2, 3)
    assert counted(edit("a", "b"), bash("grep -r x", "a.py:1: error: x")).type_errors == 0
    raised = counted(edit("a", "b"), bash("pytest", "E   NameError: name 'x' is not defined"))
    assert raised.type_errors == 1


def test_a_file_is_read_again_only_if_nobody_has_changed_it() -> None:
    read = Call("Read")
    assert counted(read, read).reads_again == 1
    assert counted(read, edit("a", "b"), read).reads_again == 0
    assert counted(read, Call("Read", path="/r/b.ts")).reads_again == 0
    assert counted(read, Call("Read", given={"offset": 100})).reads_again == 0


def test_an_edit_that_takes_away_what_another_has_put_in_is_done_over() -> None:
    first = edit("const a = 1", "const total = compute(a)")
    assert counted(first, edit("const total = compute(a)", "const total = sum(a)")).redone == 1
    assert counted(first, edit("other things here", "more things here")).redone == 0
    assert counted(
        first, edit("const total = compute(a)", "const total = sum(a)", failed=True)
    ) == (Outcome(sessions=1, edits=2, failed_edits=1))
    written = Call("Write", given={"content": "import { something } from './x'\n"})
    assert counted(written, edit("import { something } from './x'", "x")).redone == 1


def test_rates_are_by_a_hundred_edits() -> None:
    outcome = Outcome(sessions=1, edits=8, type_errors=2)
    assert outcome.as_json()["type_errors_per_100_edits"] == 25.0
    assert Outcome().as_json()["redone_per_100_edits"] == 0.0
