import re
from pathlib import Path

import pytest

from pointsman.config.schema import SHIPPED_NAMES
from pointsman.hooks import (
    blocked,
    command_safety,
    completion,
    credentials,
    held,
    own_keys,
    proof,
    proof_words,
    roles,
    scope,
    secrets,
    self_commands,
    self_protection,
    spawn,
)
from pointsman.hooks.all_hooks import SHIPPED
from pointsman.hooks.packs.all_packs import RULES
from pointsman.hooks.rule import Rule
from pointsman.model import team

DOCS = Path(__file__).parents[2] / "docs/guards.md"


def row(rule: Rule) -> str:
    """Return the line that a rule has in the table; a wrong one says what to put there."""
    return (
        f"| `{rule.id}` | {rule.action.value} | {rule.why} "
        f"| {_code(rule.stopped)} | {_code(rule.passes)} |"
    )


def _code(text: str) -> str:
    marks = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{marks}{space}{text.replace('|', chr(92) + '|')}{space}{marks}"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_of_command_safety_stands_in_the_table_as_it_is(rule: Rule) -> None:
    assert row(rule) in DOCS.read_text(encoding="utf-8").splitlines()


def test_the_table_has_no_rule_that_there_is_not() -> None:
    text = DOCS.read_text(encoding="utf-8")
    table = text[text.index("| Rule | Does | Why |") :]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(RULES)


def test_every_guard_has_its_section() -> None:
    assert re.findall(r"^## `([\w-]+)`", DOCS.read_text(encoding="utf-8"), re.MULTILINE) == [
        "canary", "scope", "roles", "blocked-by", "spawn", "completion", "briefing",
        "expertise", "kernel-refusal", "self-protection", "command-safety", "secrets",
        "secret-output", "proof", "limits", "stopped", "alert-notice", "handoff",
        "conventions", "convention-files", "mcp-health", "mcp-breaker", "dependencies",
        "credentials",
    ]  # fmt: skip
    assert set(SHIPPED) == set(SHIPPED_NAMES)


GUARDS = [
    ("scope", scope, held),
    ("self", self_protection, self_commands, own_keys),
    ("roles", roles),
    ("blocked", blocked),
    ("spawn", spawn),
    ("completion", completion, team),
    ("secret", secrets),
    ("proof", proof, proof_words),
    ("credential", credentials),
]


@pytest.mark.parametrize("modules", GUARDS)
def test_every_rule_that_a_guard_names_is_described(modules: tuple[object, ...]) -> None:
    prefix, *files = modules
    sources = "".join(Path(str(vars(module)["__file__"])).read_text() for module in files)
    if prefix == "self":
        sources += Path(str(self_protection.__file__)).with_name("kept.py").read_text()
    named = set(re.findall(rf'"({prefix}\.[\w-]+)"', sources))
    described = set(re.findall(rf"^\| `({prefix}\.[\w-]+)`", DOCS.read_text(), re.MULTILINE))
    assert named == described
    assert named


def test_the_caps_it_names_are_the_caps_there_are() -> None:
    from pointsman.shell import running, state

    text = " ".join(DOCS.read_text(encoding="utf-8").split())
    assert f"{state.MOST_TEXT // 1024} KiB of text, {state.MOST_DEPTH} levels" in text
    assert f"{running.MOST_INVOCATIONS:,}".replace(",", " ") + " commands" in text
    assert command_safety.NAME in text
