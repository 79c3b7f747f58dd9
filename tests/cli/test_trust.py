"""Code of a repository runs only once a person has looked at it."""

import json

from .conftest import Machine

HOOK = "from pointsman import deny, guard\n\n@guard('PreToolUse')\nasync def house(event, ctx):\n"


def said(machine: Machine) -> str:
    return str(machine.decide(machine.shell("ls")).rows()[0]["decision"])


def test_from_untrusted_to_trusted_to_changed_and_back(machine: Machine) -> None:
    file = machine.write(".pointsman/hooks/house.py", HOOK + "    return deny('no')\n")
    shown = json.loads(machine.run("trust", "--show", "--json").out)
    assert (shown["trusted"], shown["hooks"]) == (False, ["repo:house (guard)"])
    assert said(machine) == "none"
    trusted = json.loads(machine.run("trust", "--json").out)
    assert trusted["trusted"] is True
    assert trusted["repository"] == str(machine.repository)
    assert trusted["files"]
    assert said(machine) == "deny"
    file.write_text(HOOK + "    return None\n")
    changed = machine.run("trust", "--show").out
    assert "not trusted" in changed
    assert "changed: .pointsman/hooks/house.py" in changed
    assert said(machine) == "deny"
    assert machine.run("trust").code == 0
    assert said(machine) == "none"
    assert json.loads(machine.run("trust", "--forget", "--json").out)["trusted"] is False


def test_another_repository_by_name(machine: Machine) -> None:
    other = machine.base / "other"
    (other / ".git").mkdir(parents=True)
    row = json.loads(machine.run("trust", str(other), "--json").out)
    assert row["repository"] == str(other)
    assert machine.run("trust", str(machine.base / "nowhere")).code == 2
