"""``pointsman expertise``: what it lists, shows, checks and begins."""

import json

from made_secrets import made

from .conftest import Machine

SHEET = """overview:
  description: The HTTP layer
safety_protocols:
  - protocol: Never log a body
    description: it holds card numbers
"""


def filled(machine: Machine) -> None:
    machine.write("src/api/a.py", "")
    machine.write(".claude/agents/experts/api/expertise.yaml", SHEET)
    machine.write("pyproject.toml", '[project]\ndependencies = ["django"]\n')


def test_what_is_listed(machine: Machine) -> None:
    assert "no domain was found here" in machine.run("expertise").out
    filled(machine)
    out = machine.run("expertise", "list").out
    assert (
        "api: .claude/agents/experts/api, src/api; .claude/agents/experts/api/expertise.yaml" in out
    )
    assert "django: django in pyproject.toml; nothing is written of it" in out
    assert "who may write sheets: improve-agent, *-improve-agent" in out
    rows = json.loads(machine.run("expertise", "list", "--json").out)
    assert [row["domain"] for row in rows] == ["api", "django", "python"]
    assert rows[0]["files"][0]["lines"] == 5


def test_what_is_shown(machine: Machine) -> None:
    filled(machine)
    assert "Safety: Never log a body: it holds card numbers" in machine.run("expertise", "show").out
    only = machine.run("expertise", "show", "API-dev", "--section", "overview").out
    assert "The HTTP layer" in only
    assert "Never log" not in only
    assert machine.run("expertise", "show", "--path", "docs/x.md").out == "nothing would be told\n"
    found = json.loads(machine.run("expertise", "show", "--path", "src/api/x.py", "--json").out)
    assert found["domains"] == {"api": 2}
    assert found["tokens"] > 0
    ended = machine.run("expertise", "show", "nowhere")
    assert (ended.code, "written of: api" in ended.err) == (1, True)


def test_secrets_are_covered_in_what_is_shown(machine: Machine) -> None:
    secret = made()["github"]
    machine.write(
        ".claude/agents/experts/api/expertise.yaml", f"overview: {{description: use {secret}}}\n"
    )
    assert secret not in machine.run("expertise", "show").out


def test_what_is_checked(machine: Machine) -> None:
    filled(machine)
    ended = machine.run("expertise", "check")
    assert (ended.code, "7 of its 9 sections are missing" in ended.out) == (0, True)
    machine.write(".claude/agents/experts/bad/expertise.yaml", "overview: [\n")
    ended = machine.run("expertise", "check", "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["ok"]) == (1, False)
    assert [flaw["weight"] for flaw in found["flaws"]] == ["warning", "error"]
    alone = machine.run("expertise", "check", ".claude/agents/experts/api/expertise.yaml")
    assert alone.code == 0


def test_a_sheet_is_begun_and_can_be_read(machine: Machine) -> None:
    filled(machine)
    machine.run("expertise", "new", "django")
    path = machine.repository / ".claude/agents/experts/django/expertise.yaml"
    assert "django in pyproject.toml" in path.read_text()
    assert machine.run("expertise", "check", str(path)).out.endswith("1 sheets, 0 flaws\n")
    again = machine.run("expertise", "new", "django")
    assert (again.code, "is there already" in again.err) == (1, True)
    assert machine.run("expertise", "new", "../x").code == 1
    machine.run("expertise", "new", "api", "--user")
    assert (machine.base / "home/.claude/agents/experts/api/expertise.yaml").exists()


def test_settings_bound_length_and_amount(machine: Machine) -> None:
    filled(machine)
    machine.write(".pointsman/config.toml", "[expertise]\nwarn_lines = 3\nerror_lines = 4\n")
    ended = machine.run("expertise", "check")
    assert (ended.code, "it has 5 lines, more than 4" in ended.out) == (1, True)
