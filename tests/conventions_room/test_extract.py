"""Which sentences become rules, and which do not."""

import pytest

from pointsman.conventions.extract import extract
from pointsman.conventions.sources import Source
from pointsman.model.convention import Check, Convention, Kind


def rules(*lines: str, under: str = "") -> list[Convention]:
    return extract(Source("CLAUDE.md", "/r/CLAUDE.md", lines, under))[0]


def check(line: str) -> Check:
    (rule,) = rules(line)
    return rule.check


@pytest.mark.parametrize(
    ("line", "kind", "value", "instead"),
    [
        ("- Never use `console.log`; use `logger` instead.", Kind.PATTERN, "console", "logger"),
        ("Use `const` instead of `var`.", Kind.TOKEN, "var", "const"),
        ("- Never use `eval`. Use `parse` instead.", Kind.TOKEN, "eval", "parse"),
        ("- Use `pnpm` instead of npm.", Kind.COMMAND, "npm", "pnpm"),
        ("* Use vitest, not jest", Kind.COMMAND, "jest", "vitest"),
        ("1. No default exports.", Kind.PATTERN, "default-export", ""),
        ("Use named exports", Kind.PATTERN, "default-export", ""),
        ("**Never** use `require()`", Kind.TOKEN, "require", ""),
        ("- Prefer `pathlib` over `os.path`.", Kind.TOKEN, "os.path", "pathlib"),
        ("`moment` is deprecated; use `date-fns`.", Kind.TOKEN, "moment", "date-fns"),
        ("Never call datetime.now() directly", Kind.TOKEN, "datetime.now", ""),
        ("- Don't use `any`.", Kind.PATTERN, "any-type", ""),
        ("Avoid bare `except`", Kind.PATTERN, "bare-except", ""),
        ("Keep files below 300 lines.", Kind.LINES, "300", ""),
        ("Modules must not exceed 400 lines", Kind.LINES, "400", ""),
        ("Max line length: 100 characters", Kind.COLUMNS, "100", ""),
        ("Lines are at most 88 characters.", Kind.COLUMNS, "88", ""),
        ("Use 2 spaces for indentation", Kind.INDENT, "spaces", ""),
        ("Indent with tabs.", Kind.INDENT, "tabs", ""),
        ("File names are kebab-case.", Kind.NAME, "kebab-case", ""),
        ("Tests live in `tests/`", Kind.TESTS_IN, "tests", ""),
        ("Test files end with `.test.ts`", Kind.TEST_NAME, ".test.ts", ""),
        ("Never edit `src/generated/**` by hand.", Kind.PATH, "src/generated/**", ""),
        ("Do not modify the files in `migrations/`.", Kind.PATH, "migrations/", ""),
        ("No TODO comments", Kind.PATTERN, "todo", ""),
        ("Avoid relative imports", Kind.PATTERN, "relative-import", ""),
    ],
)
def test_what_becomes_a_rule(line: str, kind: Kind, value: str, instead: str) -> None:
    found = check(line)
    assert (found.kind, found.value, found.instead) == (kind, value, instead)


@pytest.mark.parametrize(
    "line",
    [
        "Write clear code.", "Always use the logger.", "Never use abbreviations.",
        "Don't forget to run `make lint`.", "Never commit secrets.", "You can use `fetch` here.",
        "Never use `var` unless you must.", "No `eval` except in tests.",
        "Avoid `any` where possible.", "Functions have at most 60 lines", "# Never use `eval`",
        "<!-- Never use `eval` -->", "", "x" * 600, "Use early returns.",
    ],
)  # fmt: skip
def test_what_does_not(line: str) -> None:
    assert rules(line) == []


def test_what_stands_in_code_is_no_rule() -> None:
    assert rules("```", "Never use `eval`.", "```") == []
    assert [each.line for each in rules("```", "x", "```", "Never use `eval`.")] == [4]


def test_every_sentence_of_a_line_is_read() -> None:
    found = rules("Be kind. Never use `eval`. No `exec` unless you must. Use `const`, not `var`.")
    assert [(each.line, each.check.value) for each in found] == [(1, "eval"), (1, "var")]
    assert len({each.id for each in found}) == 2


def test_several_words_are_several_rules() -> None:
    found = rules("Avoid `eval`, `exec` and `globals`.")
    assert [each.check.value for each in found] == ["eval", "exec", "globals"]
    assert len({each.id for each in found}) == 3


def test_where_a_rule_holds() -> None:
    assert check("Never use `any` in TypeScript").suffixes == (".ts", ".tsx", ".mts", ".cts")
    assert check("In `src/api`, never import `db.session`.").under == "src/api/"
    assert check("In `src/api/*.py`, never import `db.session`.").under == "src/api/"
    (headed,) = rules("## Python", "- Never use `os.system`.")
    assert headed.check.suffixes == (".py", ".pyi")
    (nested,) = rules("Never use `os.system`.", under="packages/a/")
    assert nested.check.under == "packages/a/"


def test_what_demands_something_and_is_not_checked_is_said_with_why() -> None:
    _, rest = extract(Source("C.md", "/C.md", ("Never use `x` unless asked.", "Always be kind.")))
    assert [(each.where, each.why) for each in rest] == [
        ("C.md:1", "it has an exception (unless)"), ("C.md:2", "no form that is known"),
    ]  # fmt: skip


def test_an_id_lives_as_long_as_the_words() -> None:
    (one,) = rules("- Never use `eval`.")
    (moved,) = rules("", "-  Never   use `eval`.")[-1:]
    assert one.id == moved.id
    assert one.id != rules("- Never ever use `eval`; use `x`.", "Never use `eval`!")[-1].id
