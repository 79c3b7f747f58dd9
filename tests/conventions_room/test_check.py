"""What breaks a convention: only what is new, only in code, only where it holds."""

import pytest

from pointsman.conventions.check import broken, commands
from pointsman.conventions.code import code_of
from pointsman.model.convention import Change, Check, Convention, Kind


def rule(kind: Kind, value: str, **more: object) -> Convention:
    return Convention("C.md", 3, f"never {value}", Check(kind, value, **more))  # type: ignore[arg-type]


ROWS = [
    # kind, value, path, after, broken
    (Kind.TOKEN, "eval", "a.py", "eval(x)", True),
    (Kind.TOKEN, "eval", "a.py", "evaluate(x)", False),
    (Kind.TOKEN, "eval", "a.py", "medieval", False),
    (Kind.TOKEN, "eval", "a.py", '# eval(x)\n\'eval\'\n"""eval\n"""', False),
    (Kind.TOKEN, "eval", "a.md", "eval(x)", False),
    (Kind.TOKEN, "os.path", "a.py", "import os.path", True),
    (Kind.TOKEN, "$", "a.ts", "$('x')", True),
    (Kind.PATTERN, "console", "a.ts", "console.log(1)", True),
    (Kind.PATTERN, "console", "a.ts", "// console.log(1)", False),
    (Kind.PATTERN, "console", "a.ts", "logger.log(1)", False),
    (Kind.PATTERN, "console", "a.py", "console.log(1)", False),
    (Kind.PATTERN, "default-export", "a.tsx", "export default function A() {}", True),
    (Kind.PATTERN, "default-export", "a.tsx", "export { A as default }", True),
    (Kind.PATTERN, "default-export", "a.tsx", "export function A() {}", False),
    (Kind.PATTERN, "any-type", "a.ts", "let a: any = 1", True),
    (Kind.PATTERN, "any-type", "a.ts", "let many = Array<any>()", True),
    (Kind.PATTERN, "any-type", "a.ts", "if any of these // : any", False),
    (Kind.PATTERN, "bare-except", "a.py", "try:\n    x\nexcept:\n    y", True),
    (Kind.PATTERN, "bare-except", "a.py", "except ValueError:", False),
    (Kind.PATTERN, "star-import", "a.py", "from x import *", True),
    (Kind.PATTERN, "parent-import", "a.ts", "import a from '../b'", True),
    (Kind.PATTERN, "parent-import", "a.ts", "import a from './b'", False),
    (Kind.PATTERN, "relative-import", "a.ts", "import a from './b'", True),
    (Kind.PATTERN, "todo", "a.py", "x = 1  # TODO later", True),
    (Kind.PATTERN, "print", "a.py", "print(1)", True),
    (Kind.PATTERN, "print", "a.py", "pprint(1)", False),
    (Kind.LINES, "2", "a.py", "1\n2\n3\n", True),
    (Kind.LINES, "3", "a.py", "1\n2\n3\n", False),
    (Kind.COLUMNS, "10", "a.py", "x" * 11, True),
    (Kind.COLUMNS, "10", "a.py", "# http://a.long/address", False),
    (Kind.INDENT, "tabs", "a.go", "if x {\n  y\n}", True),
    (Kind.INDENT, "tabs", "a.go", "if x {\n\ty\n}", False),
    (Kind.INDENT, "spaces", "a.ts", "if (x) {\n\ty\n}", True),
    (Kind.NAME, "kebab-case", "src/user-list.tsx", "", False),
    (Kind.NAME, "kebab-case", "src/UserList.tsx", "", True),
    (Kind.NAME, "kebab-case", "src/user-list.test.tsx", "", False),
    (Kind.NAME, "snake_case", "src/__init__.py", "", False),
    (Kind.NAME, "PascalCase", "src/[id].tsx", "", False),
    (Kind.TESTS_IN, "tests", "src/a_test.go", "", True),
    (Kind.TESTS_IN, "tests", "pkg/tests/test_a.py", "", False),
    (Kind.TESTS_IN, "tests", "src/contest.py", "", False),
    (Kind.TEST_NAME, ".test.ts", "src/a.spec.ts", "", True),
    (Kind.TEST_NAME, ".test.ts", "src/a.test.ts", "", False),
    (Kind.TEST_NAME, ".test.ts", "src/a.test.tsx", "", True),
    (Kind.TEST_NAME, "test_*.py", "tests/a_test.py", "", True),
    (Kind.TEST_NAME, "test_*.py", "tests/test_a.py", "", False),
    (Kind.PATH, "migrations/", "migrations/1.sql", None, True),
    (Kind.PATH, "migrations/", "app/migrations/x/1.sql", None, True),
    (Kind.PATH, "src/gen/**", "src/gen/a/b.ts", None, True),
    (Kind.PATH, "src/gen/**", "src/general.ts", None, False),
    (Kind.PATH, "*.lock", "a/poetry.lock", None, True),
]


@pytest.mark.parametrize(
    ("kind", "value", "path", "after", "stopped"), ROWS,
    ids=[f"{row[0]} {row[1]} {row[2]} {number}" for number, row in enumerate(ROWS)],
)  # fmt: skip
def test_what_breaks_a_rule(
    kind: Kind, value: str, path: str, after: str | None, stopped: bool
) -> None:
    change = Change(path, "", after, new=True)
    assert bool(broken([rule(kind, value)], change)) is stopped


def test_what_stood_there_before_is_no_violation() -> None:
    token = rule(Kind.TOKEN, "eval")
    before = "eval(1)\nx = 1\n"
    assert broken([token], Change("a.py", before, f"{before}y = 2\n")) == []
    assert broken([token], Change("a.py", before, f"import a\n{before}")) == []
    (again,) = broken([token], Change("a.py", before, f"{before}eval(1)\n"))
    assert again.line == 3
    assert broken([rule(Kind.LINES, "1")], Change("a.py", before, "x = 1\ny\n")) == []
    assert broken([rule(Kind.NAME, "kebab-case")], Change("A.py", "", "x")) == []


def test_it_cites_both_places() -> None:
    (found,) = broken([rule(Kind.TOKEN, "eval", instead="ast")], Change("a.py", "", "\neval(1)"))
    assert str(found) == "a.py:2 has `eval(1)`; C.md:3 says: “never eval”. Instead: ast."


def test_where_a_rule_holds() -> None:
    token = rule(Kind.TOKEN, "eval", suffixes=(".py",), under="src/")
    assert broken([token], Change("src/a.py", "", "eval(1)"))
    assert not broken([token], Change("lib/a.py", "", "eval(1)"))
    assert not broken([token], Change("src/a.ts", "", "eval(1)"))


def test_a_shell_write_is_judged_by_its_path_alone() -> None:
    found = broken([rule(Kind.LINES, "1"), rule(Kind.PATH, "gen/")], Change("gen/a.py"))
    assert [each.convention.check.kind for each in found] == [Kind.PATH]


def test_what_is_huge_is_not_looked_at() -> None:
    assert broken([rule(Kind.TOKEN, "x")], Change("a.py", "", "x\n" * 600_000)) == []


@pytest.mark.parametrize(
    ("programs", "found"),
    [(["npm install"], 1), (["pnpm install"], 0), (["npm"], 1), (["echo npm"], 0)],
)
def test_programs(programs: list[str], found: int) -> None:
    assert len(commands([rule(Kind.COMMAND, "npm")], programs)) == found


@pytest.mark.parametrize("text", ["'a\nb'", "/* x", "`a${b}`", "'''a\n'''", "\\'", '"\\"x"', "/'/"])
@pytest.mark.parametrize("suffix", [".py", ".ts", ".sql"])
def test_blanking_keeps_lines_and_columns(text: str, suffix: str) -> None:
    found = code_of(text, suffix)
    assert found is not None
    assert [len(line) for line in found.split("\n")] == [len(line) for line in text.split("\n")]
