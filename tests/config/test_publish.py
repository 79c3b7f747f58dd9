"""docs/ says what the code does; `make docs` writes the parts that come from the schema."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pointsman.config import publish
from pointsman.config.schema import EVENT_NAMES, SETTINGS, json_schema
from pointsman.config.settings import parse_settings

DOCS = Path(__file__).parents[2] / "docs"


def test_what_is_published_is_up_to_date(tmp_path: Path) -> None:
    for name in (publish.SCHEMA, publish.PAGE):
        shutil.copy(DOCS / name, tmp_path)
    publish.main(tmp_path)
    for name in (publish.SCHEMA, publish.PAGE):
        assert (tmp_path / name).read_text() == (DOCS / name).read_text(), "type: make docs"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def _with(value: Any, *path: str) -> dict[str, Any]:
    out: Any = value
    for key in reversed(path):
        out = {key: out}
    assert isinstance(out, dict)
    return out


HOOK = {"name": "x", "role": "guard", "events": ["*"], "command": ["true"]}
RIGHT: list[dict[str, Any]] = [
    {},
    _with({"PreToolUse": 5, "ErrorEscalation": 0.5}, "budgets"),
    _with({"rm-tree": "off"}, "guards", "command-safety", "rules"),
    _with([HOOK | {"settings": {"any": [1, {"x": None}]}, "budget": 20}], "hooks"),
    _with([{"tool": "mcp__x__*", "paths": ["file"]}], "mcp_writers"),
    _with({"denial_burst": 2, "window": 1.5, "repeat_after": 60}, "escalation"),
    _with(30, "ledger", "retention_days"),
]
WRONG: list[dict[str, Any]] = [
    _with(1, "budget"),
    _with(5, "budgets", "PreTolUse"),
    _with(0, "budgets", "PreToolUse"),
    _with(21, "budgets", "PreToolUse"),
    _with("5", "budgets", "PreToolUse"),
    _with(1, "guards", "scope", "enabled"),
    _with({}, "guards", "scopes"),
    _with("block", "guards", "command-safety", "rules", "rm-tree"),
    _with("deny", "guards", "command-safety", "rules", "rm-tee"),
    _with([HOOK | {"role": "gard"}], "hooks"),
    _with([HOOK | {"events": []}], "hooks"),
    _with([{key: HOOK[key] for key in HOOK if key != "command"}], "hooks"),
    _with([HOOK | {"shell": "x"}], "hooks"),
    _with(HOOK, "hooks"),
    _with([{"tool": "mcp__x", "paths": []}], "mcp_writers"),
    _with(1.5, "ledger", "retention_days"),
    _with(True, "ledger", "retention_days"),
]


@pytest.mark.parametrize("values", RIGHT, ids=json.dumps)
def test_what_is_right_is_right_for_both(values: dict[str, Any]) -> None:
    jsonschema.validate(values, json_schema())
    assert not _findings(values)


@pytest.mark.parametrize("values", WRONG, ids=json.dumps)
def test_what_is_wrong_is_wrong_for_both(values: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, json_schema())
    assert _findings(values)


def _findings(values: dict[str, Any]) -> list[object]:
    found: list[object] = []
    SETTINGS.check(values, (), lambda *finding: found.append(finding))
    return found


def test_the_example_of_the_page_checks_out() -> None:
    page = (DOCS / publish.PAGE).read_text()
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert "[budgets]" in example
    assert parse_settings("config.toml", example.encode()).problems == ()


def test_the_findings_of_the_page_are_what_is_printed() -> None:
    page = (DOCS / publish.PAGE).read_text()
    text = '[budgets]\nPreTolUse = 3\n\n[[hooks]]\nrole = "gard"\nname = "x"\n'
    text += 'events = ["Stop"]\ncommand = ["true"]\n'
    problems = parse_settings("/repo/.pointsman/config.toml", text.encode()).problems
    assert len(problems) == 2
    for problem in problems:
        assert f"error      {problem}\n" in page


def test_every_setting_has_its_row() -> None:
    page = (DOCS / publish.PAGE).read_text()
    for name, _, doc in publish.settings("", SETTINGS):
        assert f"| `{name}` | " in page
        assert doc in page
    assert {"[[hooks]]", "hooks[].command", "budgets.<name>", "ledger.retention_days"} <= {
        name for name, _, _ in publish.settings("", SETTINGS)
    }
    assert len(EVENT_NAMES) == 36
