"""What a hook file declares is read without running it; a guard is never left out quietly."""

from pathlib import Path

import pytest

from pointsman.config.hook_files import MOST_BYTES, find_hooks
from pointsman.model.hook import Role
from pointsman.model.policy import DeclaredHook, Problem

IMPORT = "from pointsman import guard, enricher, observer\n"


def found(tmp_path: Path, **files: str) -> tuple[list[DeclaredHook], list[Problem]]:
    for name, source in files.items():
        (tmp_path / f"{name}.py").write_text(source)
    return find_hooks(tmp_path, tmp_path)


GOOD = {
    "a guard": (
        IMPORT + '@guard("PreToolUse", tools="Bash", budget=2)\nasync def f(e, c): ...',
        ("f", Role.GUARD, ("PreToolUse",), ("Bash",), 2.0),
    ),
    "a list of tools": (
        IMPORT + '@enricher("PreEdit", "Stop", tools=["Edit", "mcp__*"])\nasync def f(e, c): ...',
        ("f", Role.ENRICHER, ("PreEdit", "Stop"), ("Edit", "mcp__*"), None),
    ),
    "every event": (
        IMPORT + '@observer("*", name="all of it")\ndef f(e, c): ...',
        ("all of it", Role.OBSERVER, ("*",), (), None),
    ),
    "derived events": (
        IMPORT + '@observer("ErrorEscalation")\nasync def f(e, c): ...',
        ("f", Role.OBSERVER, ("ErrorEscalation",), (), None),
    ),
    "by the module": (
        'import pointsman\n@pointsman.guard("Stop")\nasync def f(e, c): ...',
        ("f", Role.GUARD, ("Stop",), (), None),
    ),
    "the module renamed": (
        'import pointsman as p\n@p.guard("Stop")\nasync def f(e, c): ...',
        ("f", Role.GUARD, ("Stop",), (), None),
    ),
    "the decorator renamed": (
        'from pointsman import guard as g\n@g("Stop")\nasync def f(e, c): ...',
        ("f", Role.GUARD, ("Stop",), (), None),
    ),
    "with a star": (
        'from pointsman import *\n@guard("Stop")\nasync def f(e, c): ...',
        ("f", Role.GUARD, ("Stop",), (), None),
    ),
    "an escape that Python warns of": (
        IMPORT + 'x = "\\d"\n@guard("Stop")\nasync def f(e, c): ...',
        ("f", Role.GUARD, ("Stop",), (), None),
    ),
}


@pytest.mark.parametrize(("source", "expected"), GOOD.values(), ids=GOOD)
def test_a_declaration(tmp_path: Path, source: str, expected: tuple[object, ...]) -> None:
    hooks, problems = found(tmp_path, check=source)
    assert not problems
    (hook,) = hooks
    assert (hook.name, hook.role, hook.events, hook.tools, hook.budget) == expected
    assert (hook.function, hook.broken) == ("f", "")
    assert hook.file == str(tmp_path / "check.py")


BROKEN = {
    "a syntax error": (IMPORT + '@guard("Stop")\nasync def f(e, c) ...', ("Stop",), 3),
    "an unknown event": (
        IMPORT + '@guard("PreTolUse")\ndef f(e, c): ...',
        ("PreToolUse",),
        2,
    ),
    "one of two": (IMPORT + '@guard("Stop", "x")\nasync def f(e, c): ...', ("Stop",), 2),
    "no event": (IMPORT + "@guard()\nasync def f(e, c): ...", ("PreToolUse",), 2),
    "no call": (IMPORT + "@guard\nasync def f(e, c): ...", ("PreToolUse",), 2),
    "a variable": (IMPORT + "E = 'Stop'\n@guard(E)\nasync def f(e, c): ...", ("PreToolUse",), 3),
    "a wrong budget": (IMPORT + '@guard("Stop", budget=99)\nasync def f(e, c): ...', ("Stop",), 2),
    "no budget": (IMPORT + '@guard("Stop", budget=0)\nasync def f(e, c): ...', ("Stop",), 2),
    "a wrong option": (IMPORT + '@guard("Stop", tool="x")\nasync def f(e, c): ...', ("Stop",), 2),
    "tools that are none": (
        IMPORT + '@guard("Stop", tools=3)\ndef f(e, c): ...',
        ("Stop",),
        2,
    ),
    "in a condition": (
        IMPORT + 'if True:\n    @guard("Stop")\n    async def f(e, c): ...',
        ("Stop",),
        3,
    ),
    "in a class": (
        IMPORT + 'class C:\n    @guard("Stop")\n    async def f(self, e, c): ...',
        ("Stop",),
        3,
    ),
    "without a decorator": (
        IMPORT + 'async def f(e, c): ...\nf = guard("Stop")(f)',
        ("Stop",),
        3,
    ),
}


@pytest.mark.parametrize(("source", "events", "line"), BROKEN.values(), ids=BROKEN)
def test_a_guard_that_cannot_be_read_stops_what_it_guards(
    tmp_path: Path, source: str, events: tuple[str, ...], line: int
) -> None:
    hooks, problems = found(tmp_path, check=source)
    assert [(problem.line, problem.file) for problem in problems] == [
        (line, str(tmp_path / "check.py"))
    ]
    (hook,) = hooks
    assert (hook.role, hook.events) == (Role.GUARD, events)
    assert "check.py: line" in hook.broken


def test_a_function_that_is_declared_twice_is_broken(tmp_path: Path) -> None:
    twice = '@guard("Stop")\nasync def f(e, c): ...\n'
    hooks, problems = found(tmp_path, check=IMPORT + twice + twice)
    assert [bool(hook.broken) for hook in hooks] == [False, True]
    assert "declared twice" in problems[0].message


def test_what_is_surely_no_guard_stops_nothing(tmp_path: Path) -> None:
    hooks, problems = found(
        tmp_path,
        one="def broken(",
        two=IMPORT.replace("guard, ", "") + '@observer("Nothing")\nasync def f(e, c): ...',
    )
    assert not hooks
    assert len(problems) == 2


def test_the_decorators_of_others_are_no_matter(tmp_path: Path) -> None:
    hooks, problems = found(
        tmp_path,
        one="from elsewhere import guard\n@guard(3)\ndef f(): ...",
        two="import flask\n@flask.guard(3)\ndef f(): ...",
        _three=IMPORT + '@guard("Stop")\nasync def f(e, c): ...',
    )
    assert not hooks
    assert not problems


def test_one_name_in_two_files_is_told_apart(tmp_path: Path) -> None:
    source = IMPORT + '@guard("Stop")\nasync def check(e, c): ...'
    hooks, problems = found(tmp_path, one=source, two=source)
    assert [hook.name for hook in hooks] == ["one.check", "two.check"]
    assert [hook.function for hook in hooks] == ["check", "check"]
    assert not problems


def test_a_file_that_cannot_be_parsed_crashes_nothing(tmp_path: Path) -> None:
    found(
        tmp_path,
        deep="guard" + "(" * 5000,
        wide="x = " + "-" * 50_000 + "1",
        large="#guard" * MOST_BYTES,
        nul="guard = '\0'",
    )
    (tmp_path / "link.py").symlink_to("/dev/zero")
    hooks, problems = find_hooks(tmp_path, tmp_path)
    assert {Path(problem.file).stem for problem in problems} >= {"deep", "large", "nul", "link"}
    assert all(hook.broken and hook.events == ("PreToolUse",) for hook in hooks)


def test_nothing_of_it_is_run(tmp_path: Path) -> None:
    found(tmp_path, check=f"open({str(tmp_path / 'ran')!r}, 'w')\n{IMPORT}")
    assert not (tmp_path / "ran").exists()


def test_files_without_number_are_not_read(tmp_path: Path) -> None:
    for number in range(201):
        (tmp_path / f"n{number:03}.py").touch()
    _, (problem,) = find_hooks(tmp_path, tmp_path)
    assert "more than 200 files" in problem.message


def test_a_folder_full_of_large_files_is_not_parsed(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"n{number}.py").write_text("#" * (MOST_BYTES - 1))
    hooks, problems = find_hooks(tmp_path, tmp_path)
    assert {Path(problem.file).name for problem in problems} == {"n4.py", "n5.py"}
    assert all(hook.broken for hook in hooks)
