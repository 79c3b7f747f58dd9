"""A settings file that is wrong says everything that is wrong with it, and where."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.config.settings import MOST_BYTES, parse_settings, read_settings

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Time is no part of a property: the machine may be busy."""

WRONG = """\
# Everything that can be wrong with a value.
[budgets]
PreTolUse = 3
PreToolUse = "3"
PreEdit = nan
Stop = 21

[guards.scope]
enabled = "no"

[guards.command-safety.rules]
rm-tee = "deny"
rm-tree = "block"

[guards.self-protection]
paths = ["", "!x"]

[[mcp_writers]]
tool = "write_file"
paths = []

[[hooks]]
name = "one"
role = "gard"
events = ["PreToolUse", "Nothing"]

[[hooks]]
name = "scope"
role = "guard"
events = []
command = ["true"]

[[hooks]]
name = "scope"
role = "guard"
events = ["*"]
command = "true"
budget = 0

[ledger]
retention_days = 1.5
"""

FINDINGS = [
    (3, "budgets.PreTolUse", "3", "there is no such setting", "write 'PreToolUse'"),
    (4, "budgets.PreToolUse", "'3'", "it is no number", "write a number of more than 0"),
    (5, "budgets.PreEdit", "nan", "it is out of bounds", "at most 20"),
    (6, "budgets.Stop", "21", "it is out of bounds", "at most 20"),
    (9, "guards.scope.enabled", "'no'", "it is neither true nor false", "write true or false"),
    (12, "guards.command-safety.rules.rm-tee", "'deny'", "no such setting", "write 'rm-tree'"),
    (13, "guards.command-safety.rules.rm-tree", "'block'", "it is not known", "write one of"),
    (16, "guards.self-protection.paths[0]", "''", "it is no text", "quotes"),
    (16, "guards.self-protection.paths[1]", "'!x'", "cannot begin with '!'", "mend the glob"),
    (19, "mcp_writers[0].tool", "'write_file'", "no MCP tool", "write mcp__server__tool"),
    (20, "mcp_writers[0].paths", "[]", "it is empty", "at least 1"),
    (24, "hooks[0].role", "'gard'", "it is not known", "write 'guard'"),
    (25, "hooks[0].events[1]", "'Nothing'", "it is not known", "write"),
    (22, "hooks[0].command", "(missing)", "it is missing", "add command"),
    (28, "hooks[1].name", "'scope'", "a guard that is shipped", "another name"),
    (30, "hooks[1].events", "[]", "it is empty", "at least 1"),
    (34, "hooks[2].name", "'scope'", "a guard that is shipped", "another name"),
    (34, "hooks[2].name", "'scope'", "another one has the same", "a name of its own"),
    (37, "hooks[2].command", "'true'", "it is no list", "brackets"),
    (38, "hooks[2].budget", "0", "it is out of bounds", "more than 0"),
    (41, "ledger.retention_days", "1.5", "it is no whole number", "at least 1"),
]


@pytest.fixture(scope="module")
def problems() -> list[tuple[int, str, str, str, str]]:
    found = parse_settings("/c.toml", WRONG.encode()).problems
    assert {problem.file for problem in found} == {"/c.toml"}
    return [(each.line, each.key, each.value, each.message, each.fix) for each in found]


@pytest.mark.parametrize("expected", FINDINGS, ids=lambda row: f"{row[1]}: {row[3]}")
def test_each_finding_has_line_key_value_and_fix(
    problems: list[tuple[int, str, str, str, str]], expected: tuple[int, str, str, str, str]
) -> None:
    line, key, value, message, fix = expected
    assert any(
        (each[0], each[1], each[2]) == (line, key, value) and message in each[3] and fix in each[4]
        for each in problems
    ), problems


def test_all_findings_come_at_once(problems: list[tuple[int, str, str, str, str]]) -> None:
    assert len(problems) == len(FINDINGS)


SYNTAX = {
    "no TOML": (b"a = 1\nb = = 2\n", 2, "it is no TOML"),
    "not closed": (b"a = 1\nb = [1,\n", 3, "it is no TOML"),
    "not UTF-8": (b"a = 1\nb = '\xff'\n", 2, "it is not UTF-8"),
    "nested without end": (b"a = " + b"[" * 50_000, 1, "it is no TOML"),
}


@pytest.mark.parametrize(("data", "line", "said"), SYNTAX.values(), ids=SYNTAX)
def test_a_file_that_is_no_toml_says_where(data: bytes, line: int, said: str) -> None:
    (problem,) = parse_settings("/c.toml", data).problems
    assert (problem.line, problem.fix != "") == (line, True)
    assert said in problem.message


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / "config.toml")
    assert (dict(settings.values), settings.problems, settings.exists) == ({}, (), False)


def test_a_pipe_a_directory_and_a_device_hang_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    (tmp_path / "device").symlink_to("/dev/zero")
    for name in ("pipe", "directory", "device"):
        (problem,) = read_settings(tmp_path / name).problems
        assert "it cannot be read" in problem.message


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    (problem,) = read_settings(tmp_path / "c.toml").problems
    assert f"larger than {MOST_BYTES} bytes" in problem.message


@UNHURRIED
@given(st.binary(max_size=300))
def test_no_bytes_crash_it(data: bytes) -> None:
    settings = parse_settings("/c.toml", data)
    assert settings.problems or isinstance(settings.values, dict)


@UNHURRIED
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["budgets", "hooks", "guards", "scope", "name", "x"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_no_value_crashes_the_check(value: object) -> None:
    from pointsman.config.schema import SETTINGS

    findings: list[object] = []
    SETTINGS.check(value, (), lambda *finding: findings.append(finding))
    assert findings or isinstance(value, dict)


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_of_hundreds_of_digits_is_a_finding(tmp_path: Path, digits: int) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[budgets]\nPreEdit = 1{'0' * digits}\n")
    (problem,) = read_settings(file).problems
    assert problem.line in {2, 3}, "the parser does not say where int() gave up"
    assert len(problem.value) <= max(120, len(str(file)))
