"""``pointsman audit``: what it prints, in three forms, and how it ends."""

import json
from typing import Any

import jsonschema
import pytest

from pointsman.agents.claude_audit import CHECKS

from .conftest import Machine

SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/run"}},
    },
    "additionalProperties": False,
    "$defs": {
        "message": {
            "type": "object", "required": ["text"], "properties": {"text": {"type": "string"}},
        },
        "level": {"enum": ["none", "note", "warning", "error"]},
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "properties": {
                        "driver": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {
                                "name": {"type": "string"},
                                "version": {"type": "string"},
                                "rules": {
                                    "type": "array",
                                    "uniqueItems": True,
                                    "items": {"$ref": "#/$defs/rule"},
                                },
                            },
                            "additionalProperties": False,
                        }
                    },
                    "additionalProperties": False,
                },
                "originalUriBaseIds": {
                    "type": "object",
                    "additionalProperties": {"$ref": "#/$defs/place"},
                },
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                "properties": {"type": "object"},
            },
            "additionalProperties": False,
        },
        "rule": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                "shortDescription": {"$ref": "#/$defs/message"},
                "defaultConfiguration": {
                    "type": "object",
                    "properties": {"level": {"$ref": "#/$defs/level"}},
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        },
        "place": {
            "type": "object",
            "properties": {
                "uri": {"type": "string", "format": "uri-reference"},
                "uriBaseId": {"type": "string"},
            },
            "additionalProperties": False,
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"$ref": "#/$defs/level"},
                "message": {"$ref": "#/$defs/message"},
                "locations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "physicalLocation": {
                                "type": "object",
                                "properties": {
                                    "artifactLocation": {"$ref": "#/$defs/place"},
                                    "region": {
                                        "type": "object",
                                        "required": ["startLine"],
                                        "properties": {
                                            "startLine": {"type": "integer", "minimum": 1}
                                        },
                                        "additionalProperties": False,
                                    },
                                },
                                "additionalProperties": False,
                            }
                        },
                        "additionalProperties": False,
                    },
                },
            },
            "additionalProperties": False,
        },
    },
}  # fmt: skip
"""What of the OASIS schema concerns the properties that we write: names, kinds, required ones."""


@pytest.fixture
def bad(machine: Machine) -> Machine:
    """A repository with more than one thing wrong."""
    settings = {
        "permissions": {"allow": ["Bash(*)"]},
        "hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": "\x1b[2Jgone"}]}]},
    }
    machine.write(".claude/settings.json", json.dumps(settings, indent=1))
    return machine


def test_as_text(bad: Machine) -> None:
    ended = bad.run("audit")
    assert ended.code == 1
    assert "error    .claude/settings.json:4: the allow rule 'Bash(*)'" in ended.out
    assert "[broad-allow]" in ended.out
    assert " 0 of 40  enforcement by hooks\n" in ended.out
    assert ended.out.endswith(" of 100\n")
    assert "\x1b" not in ended.out


def test_as_json(bad: Machine) -> None:
    ended = bad.run("audit", "--json")
    row = json.loads(ended.out)
    assert (ended.code, row["ok"]) == (1, False)
    assert row["score"] == sum(part["points"] for part in row["parts"])
    assert sum(part["most"] for part in row["parts"]) == 100
    ids = {each["id"] for each in row["findings"]}
    assert {"no-guard", "broad-allow", "dead-hook"} <= ids
    for each in row["findings"]:
        assert set(each) == {"id", "level", "file", "line", "what", "why", "fix"}
        assert all(each.values())
    assert row["files"] == [str(bad.repository / ".claude/settings.json")]


def test_as_sarif(bad: Machine) -> None:
    ended = bad.run("audit", "--sarif")
    assert ended.code == 1
    log = json.loads(ended.out)
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == [check.id for check in CHECKS]
    results = run["results"]
    assert len(results) == len(json.loads(bad.run("audit", "--json").out)["findings"])
    for each in results:
        assert rules[each["ruleIndex"]] == each["ruleId"]
    (broad,) = [each for each in results if each["ruleId"] == "broad-allow"]
    place = broad["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": ".claude/settings.json", "uriBaseId": "ROOT"},
        "region": {"startLine": 4},
    }


def test_the_schema_of_the_test_refuses_what_is_no_sarif() -> None:
    for wrong in ({}, {"version": "2.0.0", "runs": []}, {"version": "2.1.0", "runs": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SARIF)


def test_after_init_it_ends_well(machine: Machine) -> None:
    assert machine.run("audit").code == 1
    assert machine.run("init").code == 0
    ended = machine.run("audit", "--json")
    row = json.loads(ended.out)
    assert (ended.code, row["ok"]) == (0, True), row["findings"]
    hooks = next(part for part in row["parts"] if part["name"] == "enforcement by hooks")
    assert hooks["points"] == 40


def test_two_forms_at_once_are_none(machine: Machine) -> None:
    assert machine.run("audit", "--json", "--sarif").code == 2
