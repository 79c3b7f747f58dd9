"""``pointsman conventions``: from proposal to report."""

import json

from .conftest import Machine

TEXT = "# Rules\n- Never use `eval`; use `ast`.\n- Files are below 300 lines.\n- Always be kind.\n"


def rules(machine: Machine) -> list[dict[str, str]]:
    found = json.loads(machine.run("conventions", "list", "--json").out)
    return list(found["rules"])


def test_from_proposal_to_check(machine: Machine) -> None:
    assert "no rule was found" in machine.run("conventions").out
    machine.write("CLAUDE.md", TEXT)
    out = machine.run("conventions", "list", "--unchecked").out
    assert "proposed  CLAUDE.md:2: token eval — - Never use `eval`; use `ast`." in out
    assert "CLAUDE.md:4: not checked: Always be kind. (no form that is known)" in out
    one, two = rules(machine)
    machine.write("a.py", "eval(1)\n")
    assert machine.run("conventions", "check", "a.py").code == 0
    assert machine.run("conventions", "check", "--proposed", "a.py").code == 1
    assert "is confirmed: CLAUDE.md:2" in machine.run("conventions", "confirm", one["id"][:6]).out
    machine.run("conventions", "reject", two["id"])
    assert [each["state"] for each in rules(machine)] == ["confirmed", "rejected"]
    ended = machine.run("conventions", "check", "a.py", "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["violations"][0]["at"]) == (1, 2)
    machine.run("conventions", "forget", one["id"])
    assert [each["state"] for each in rules(machine)] == ["proposed", "rejected"]
    machine.run("conventions", "confirm", "--all")
    assert [each["state"] for each in rules(machine)] == ["confirmed", "rejected"]


def test_what_cannot_be_said(machine: Machine) -> None:
    machine.write("CLAUDE.md", TEXT)
    for words in (("confirm",), ("confirm", "zzzz"), ("reject", "")):
        ended = machine.run("conventions", *words)
        assert (ended.code, "pointsman conventions list" in ended.err) == (1, True)
    assert machine.run("conventions", "check", "gone.py").code == 1


def test_what_is_broken_again_and_again_is_reported(machine: Machine) -> None:
    machine.write("CLAUDE.md", TEXT)
    machine.run("conventions", "confirm", "--all")
    assert machine.run("conventions", "report").out.startswith("0 violations")
    machine.up()
    for number in range(3):
        call = machine.call(
            "Write",
            {"file_path": str(machine.repository / f"{number}.py"), "content": "eval(1)"},
            session_id=f"s{number}",
        )
        ended = machine.process(
            "hook", "claude-code", "PreToolUse", stdin=json.dumps(call).encode()
        )
        assert "CLAUDE.md:2" in ended.out
    machine.run("down")
    found = json.loads(machine.run("conventions", "report", "--json").out)
    (one,) = found["unclear"]
    assert (one["count"], one["sessions"], one["line"]) == (3, 3, 2)
    assert "say it more clearly here" in machine.run("conventions", "report").out
