"""A spec is judged in both directions: what is wrong is found by line, what is right passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.specs.check import CHECKS, check

GOOD = """# Refunds

## Goal
A customer gets the price of a cancelled order back.

## Scope
- `src/shop/refunds.py` (new)
- `src/shop/orders.py`

## Inputs
- `docs/payments.md`

## Acceptance
- `pytest -q tests/test_refunds.py` passes.

## Out of scope
- `src/shop/invoices.py`

## Open questions
- Partial refunds? Answer: not yet.
"""
THERE = {"src/shop/orders.py", "docs/payments.md", "src/shop/invoices.py"}


def found(text: str) -> list[tuple[str, int]]:
    return [(each.id, each.line) for each in check(text, "spec.md", THERE.__contains__)]


def test_a_whole_spec_has_no_finding() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("## Goal\nA customer gets the price of a cancelled order back.\n", "",
         ("spec.missing", 1)),
        ("back.", "back. Shops see it. Mail is sent.", ("spec.goal", 3)),
        ("- `src/shop/refunds.py` (new)\n- `src/shop/orders.py`", "- the shop",
         ("spec.no-path", 6)),
        ("`src/shop/orders.py`", "`src/shop/order.py`", ("spec.path", 8)),
        ("`src/shop/refunds.py` (new)", "`src/shop/refunds.py`", ("spec.path", 7)),
        ("`pytest -q tests/test_refunds.py` passes", "All tests pass", ("spec.no-command", 13)),
        ("`pytest -q tests/test_refunds.py` passes", "The `price` is right",
         ("spec.no-command", 13)),
        ("Partial refunds? Answer: not yet.", "Partial refunds?", ("spec.question", 20)),
        ("`src/shop/invoices.py`", "`src/shop/orders.py`", ("spec.contradiction", 17)),
        ("gets the price", "quickly gets the price", ("spec.vague", 4)),
        ("`src/shop/orders.py`", "`src/shop/orders.py` etc.", ("spec.vague", 8)),
        ("- Partial refunds? Answer: not yet.\n", "", ("spec.missing", 19)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_where_it_stands(
    old: str, new: str, finding: tuple[str, int]
) -> None:
    assert old in GOOD
    assert found(GOOD.replace(old, new)) == [finding]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## Acceptance", "## 4. Acceptance criteria"),
        ("## Acceptance", "**Definition of done:**"),
        ("## Out of scope", "## Non-goals"),
        ("- `pytest -q tests/test_refunds.py` passes.", "```bash\n# all\n./ci/run\n```"),
        ("- `pytest -q tests/test_refunds.py` passes.", "```\n$ npm test\n```"),
        ("- `pytest", "- `PYTHONPATH=src .venv/bin/pytest"),
        ("Partial refunds? Answer: not yet.", "Partial refunds?\n  Decided: not yet."),
        ("Partial refunds? Answer: not yet.", "None."),
        ("gets the price", "sees the word `etc` and gets the price"),
        ("gets the price", 'reads "as needed" and gets the price'),
        ("back.", "back, fast: within 2 days."),
        ("back.", "back, e.g. in coins."),
        ("`src/shop/orders.py`", "`src/shop/orders.py`, and the route `/v1/orders` and/or `f(x)`"),
    ],
)
def test_other_ways_to_say_it_pass(old: str, new: str) -> None:
    assert found(GOOD.replace(old, new)) == []


def test_headings_inside_a_fence_are_none() -> None:
    fenced = "```md\n## Goal\nX.\n```\n"
    assert ("spec.missing", 1) in found(fenced)


@given(st.text(max_size=400))
def test_any_text_is_judged_and_lines_exist(text: str) -> None:
    for each in check(f"{text}\n{GOOD}", "spec.md", THERE.__contains__):
        assert each.id in CHECKS
        assert 1 <= each.line <= len(f"{text}\n{GOOD}".splitlines())
