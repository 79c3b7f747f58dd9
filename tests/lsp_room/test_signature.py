"""What stands before a body, in each language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.lsp import signature
from pointsman.lsp.table import FAMILIES, GO, PYTHON, RUST, TYPESCRIPT

CASES = [
    (TYPESCRIPT, "export function f(a: string): Promise<X> {\n  return g(a);\n}",
     "export function f(a: string): Promise<X>"),
    (TYPESCRIPT, "function f(a: { b: number } = { b: 1 }): { c: string } { return x; }",
     "function f(a: { b: number } = { b: 1 }): { c: string }"),
    (TYPESCRIPT, "export class A<T = any> extends B<{ x: T }> implements C {\n  m() {}\n}",
     "export class A<T = any> extends B<{ x: T }> implements C"),
    (TYPESCRIPT, "interface I {\n  a: string\n}", "interface I"),
    (TYPESCRIPT, "export type T = { a: 1 } | (() => void);",
     "export type T = { a: 1 } | (() => void)"),
    (TYPESCRIPT, "export const x: Map<string, number> = new Map();",
     "export const x: Map<string, number>"),
    (TYPESCRIPT, "const f = async (a: number) => { return a; };", "const f"),
    (TYPESCRIPT, "of: { a: T };", "of: { a: T }"),
    (TYPESCRIPT, "get(id: number): T | undefined { return 1; }", "get(id: number): T | undefined"),
    (TYPESCRIPT, "f(a: (b: number) => { c: 1 }): asserts a is X {}",
     "f(a: (b: number) => { c: 1 }): asserts a is X"),
    (TYPESCRIPT, "f(a = '{') /* { */ : string // {\n { }", "f(a = '{') : string"),
    (TYPESCRIPT, "enum E { A, B = 3 }", "enum E"),
    (PYTHON, "def f(a: int, *, b: dict[str, int] | None = None) -> None:\n    pass",
     "def f(a: int, *, b: dict[str, int] | None = None) -> None"),
    (PYTHON, "class A(B, metaclass=C):\n    x = 1", "class A(B, metaclass=C)"),
    (PYTHON, "@a.b(c=':')\n@property\ndef p(self) -> str:  # why\n    return ''",
     "@a.b(c=':') @property def p(self) -> str"),
    (PYTHON, "async def f(\n    a: int,  # one: two\n) -> int:\n    return a",
     "async def f( a: int, ) -> int"),
    (PYTHON, "X = '#' + \"//\"  # why", "X = '#' + \"//\""),
    (PYTHON, "x: int = 3", "x: int"),
    (PYTHON, "X = {'a': 1}", "X = {'a': 1}"),
    (PYTHON, "def f(a=':', b=lambda: 3): return a", "def f(a=':', b=lambda: 3)"),
    (GO, "func (r *T) Get(m map[string]struct{}) (interface{}, error) {\n\treturn nil\n}",
     "func (r *T) Get(m map[string]struct{}) (interface{}, error)"),
    (GO, "func f() struct{} {\n}", "func f() struct{}"),
    (GO, "type T struct {\n\tA int\n}", "type T struct"),
    (RUST, "pub fn f<T: Into<String>>(a: T) -> Result<(), E> where T: X {\n}",
     "pub fn f<T: Into<String>>(a: T) -> Result<(), E> where T: X"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "text", "expected"), CASES)
def test_the_head_ends_where_the_body_begins(family: str, text: str, expected: str) -> None:
    assert signature.head(text, family) == expected


@pytest.mark.parametrize(
    ("line", "index", "expected"),
    [
        ("export const repo = 1", 13, 0),
        ("  private static async x() {", 23, 2),
        ("a; const b = 1", 9, 9),
        ("export default class A {}", 21, 0),
        ("type X = Y", 5, 0),
        ("foo(bar)", 4, 4),
    ],
)
def test_a_declaration_begins_with_its_first_word(line: str, index: int, expected: int) -> None:
    assert signature.begin(line, index) == expected


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ("export abstract class A", "class"),
        ("export type T = class", "type"),
        ("async def f(x)", "def"),
        ("f(type: string)", ""),
        ("readonly of: interface", ""),
        ("const enum E", "const"),
    ],
)
def test_the_languages_own_word(head: str, word: str) -> None:
    assert signature.word(head) == word


@given(st.text(max_size=300), st.sampled_from(sorted(set(FAMILIES.values()))))
def test_any_text_has_a_head_of_one_line(text: str, family: str) -> None:
    head = signature.head(text, family)
    assert "\n" not in head
    assert len(head) <= 400


def test_a_long_text_is_cut() -> None:
    head = signature.head("function f(" + "a: string, " * 10_000 + ") {}", TYPESCRIPT)
    assert len(head) <= 400
    assert head.endswith("…")
