"""What is read of TypeScript and JavaScript, and where their modules are found."""

from pathlib import Path

import pytest

from code_room.world import World
from pointsman.code.facts import ALL, DEFAULT, WHOLE
from pointsman.code.languages import read
from pointsman.model.bundle import Kind

IMPORTS = {
    "import A from './a'": (DEFAULT, "A"),
    "import { B as C } from './a'": ("B", "C"),
    "import { type T } from './a'": ("T", "T"),
    "import type { T } from './a'": ("T", "T"),
    "import * as ns from './a'": (WHOLE, "ns"),
    "import './a'": ("", ""),
    "import e = require('./a')": (WHOLE, "e"),
    "const q = require('./a')": (WHOLE, "q"),
    "const { m: n } = require('./a')": ("m", "n"),
    "async function f() { const { p } = await import('./a') }": ("p", "p"),
    "async function f() { (await import('./a')).z() }": ("z", ""),
    "type L = import('./a').K": ("K", ""),
}


@pytest.mark.parametrize("text", IMPORTS, ids=range(len(IMPORTS)))
def test_every_way_to_import(text: str) -> None:
    (found,) = read("x.ts", text.encode()).imports
    assert (found.module, found.name, found.local) == ("./a", *IMPORTS[text])


EXPORTS = {
    "export const a = 1, b = 2": [("a", "a", "", ""), ("b", "b", "", "")],
    "export default class Foo {}": [(DEFAULT, "Foo", "", "")],
    "const x = 1\nexport { x as y }": [("y", "x", "", "")],
    "export default function () {}": [(DEFAULT, DEFAULT, "", "")],
    "export { A, B as C } from './b'": [("A", "", "./b", "A"), ("C", "", "./b", "B")],
    "export * from './b'": [(ALL, "", "./b", ALL)],
    "export * as N from './b'": [("N", "", "./b", WHOLE)],
    "import { A } from './b'\nexport { A as Z }": [("Z", "", "./b", "A")],
    "export abstract class K {}": [("K", "K", "", "")],
    "export enum E { A }": [("E", "E", "", "")],
    "export namespace N { export const z = 1 }": [("N", "N", "", "")],
    "exports.a = 1": [("a", "", "", "")],
}


@pytest.mark.parametrize("text", EXPORTS, ids=range(len(EXPORTS)))
def test_every_way_to_export(text: str) -> None:
    found = read("x.ts", text.encode()).exports
    assert [(one.name, one.local, one.module, one.original) for one in found] == EXPORTS[text]


def test_declarations_have_no_bodies_and_members_no_private_ones() -> None:
    text = """
export class Money<T> extends Base implements I {
  private secret = 1
  #hidden = 2
  static zero: Money<any> = make()
  @log() add(other: Money<T>): Money<T> { return this }
  get amount(): number { return 1 }
  constructor(readonly currency: string) { super() }
}
export interface Shape { area(): number; readonly name?: string }
export type Id = string | number
export enum Color { Red = 1, Green }
export const twice = (n: number): number => n * 2
export async function load<T>(url: string): Promise<T> { return null as any }
export const table = { a: 1 }
"""
    told = {one.name: (one.text, one.members) for one in read("x.ts", text.encode()).declarations}
    assert told["Money"] == (
        "export class Money<T> extends Base implements I",
        (
            "static zero: Money<any>",
            "add(other: Money<T>): Money<T>",
            "get amount(): number",
            "constructor(readonly currency: string)",
        ),
    )
    assert told["Shape"] == (
        "export interface Shape", ("area(): number", "readonly name?: string")
    )  # fmt: skip
    assert told["Id"] == ("export type Id = string | number", ())
    assert told["Color"] == ("export enum Color", ("Red = 1", "Green"))
    assert told["twice"] == ("export const twice = (n: number): number =>", ())
    assert told["load"] == ("export async function load<T>(url: string): Promise<T>", ())
    assert told["table"] == ("export const table = { a: 1 }", ())


def test_columns_are_counted_in_utf16_units() -> None:
    (found,) = read("x.ts", "/* 😀 */ import { A } from './a'".encode()).imports
    assert found.column == len("/* 😀 */ import { ".encode("utf-16-le")) // 2


@pytest.mark.parametrize("text", ["", "export {", "<<<<", "\x00", "import {} from", "é" * 1000])
def test_broken_text_is_read_as_far_as_it_goes(text: str) -> None:
    read("x.tsx", text.encode())


def test_no_secret_is_kept() -> None:
    secret = "".join(["sk_", "live_", "4eC39HqLyjWDarjtT1zdp7dc"])
    text = (
        f"export const key = '{secret}'\nexport const table = {{ pass: 'correcthorse' }}\n"
        f"export type K = '{secret}'\nexport function f(a = '{secret}'): void {{}}\n"
        f"export default make('{secret}')\n"
    )
    told = repr(read("x.ts", text.encode()))
    assert secret not in told
    assert "correcthorse" not in told


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(
        tmp_path,
        {
            "tsconfig.base.json": '{ // base\n"compilerOptions": {"baseUrl": ".", "paths": '
            '{"@lib/*": ["src/lib/*"], "@/*": ["src/*"],}}}',
            "tsconfig.json": '{"extends": "./tsconfig.base.json"}',
            "package.json": '{"name": "root", "workspaces": ["packages/*"], '
            '"imports": {"#deep": "./src/deep.ts"}}',
            "packages/core/package.json": '{"name": "@acme/core", "exports": {".": {"types": '
            '"./dist/index.d.ts"}, "./extra": "./src/extra.ts", "./u/*": "./src/u/*.ts"}}',
            "packages/core/src/index.ts": "export * from './money.js'\n"
            "export { extra as more } from './extra'\nexport * as shapes from './shapes'\n",
            "packages/core/src/money.ts": "export interface Money { a: number }\n"
            "export function add(x: Money): Money { return x }\nexport const unused = 1\n",
            "packages/core/src/extra.ts": "export function extra(): void {}\n",
            "packages/core/src/shapes.ts": "export class Circle {}\nexport class Square {}\n",
            "packages/core/src/u/one.ts": "export const one = 1\n",
            "src/lib/db.ts": "export type Id = string\nexport default class Db {}\n",
            "src/deep.ts": "export const deep = 1\n",
            "src/parts/index.tsx": "export const Part = () => null\n",
            "src/app.ts": "import Db, { type Id } from '@lib/db'\n"
            "import { add, Money, more, shapes } from '@acme/core'\n"
            "import { Part } from './parts'\nimport { one } from '@acme/core/u/one'\n"
            "import { deep } from '#deep'\nimport fs from 'node:fs'\n"
            "export function total(x: Money, id: Id): Money { new shapes.Circle(); add(x) }\n",
            "test/app.test.ts": "import { total } from '../src/app'\ntotal\n",
        },
    )
    made.build()
    return made


def test_modules_are_found_as_the_compiler_finds_them(world: World) -> None:
    wanted = {
        "@lib/db": "src/lib/db.ts",
        "@/deep": "src/deep.ts",
        "src/deep": "src/deep.ts",
        "./parts": "src/parts/index.tsx",
        "./lib/db.js": "src/lib/db.ts",
        "@acme/core": "packages/core/src/index.ts",
        "@acme/core/extra": "packages/core/src/extra.ts",
        "@acme/core/u/one": "packages/core/src/u/one.ts",
        "#deep": "src/deep.ts",
        "react": None,
        "./nothing": None,
        "../../outside": None,
    }
    assert {module: world.target("src/app.ts", module) for module in wanted} == wanted


def test_names_are_followed_through_what_passes_them_on(world: World) -> None:
    told = world.told("src/app.ts", Kind.DECLARATIONS, "add(x)")
    # What the edit names comes first.
    assert told[0] == ("add", "packages/core/src/money.ts", 2)
    assert set(told[1:]) == {
        ("Money", "packages/core/src/money.ts", 1),
        ("Id", "src/lib/db.ts", 1),
        ("Db", "src/lib/db.ts", 2),
        ("Circle", "packages/core/src/shapes.ts", 1),
        ("extra", "packages/core/src/extra.ts", 1),
        ("Part", "src/parts/index.tsx", 1),
        ("one", "packages/core/src/u/one.ts", 1),
        ("deep", "src/deep.ts", 1),
    }
    assert ("unused", "packages/core/src/money.ts", 3) in world.told("src/app.ts", Kind.EXPORTS)
    assert ("Db", "src/app.ts", 1) in world.told("src/app.ts", Kind.IMPORTS)
    assert ("fs", "src/app.ts", 6) in world.told("src/app.ts", Kind.IMPORTS)


def test_dependents_are_found_behind_barrels_and_namespaces(world: World) -> None:
    assert world.users("packages/core/src/money.ts") == {"src/app.ts": {"Money": 2, "add": 2}}
    assert world.users("packages/core/src/shapes.ts") == {"src/app.ts": {"Circle": 7}}
    assert world.users("packages/core/src/extra.ts") == {
        "packages/core/src/index.ts": {"extra": 2},
        "src/app.ts": {"extra": 2},
    }
    assert world.users("src/lib/db.ts") == {"src/app.ts": {"Id": 1, DEFAULT: 1}}
    section = world.section("src/app.ts", Kind.DEPENDENTS)
    assert section is not None
    assert (section.count, section.tests) == (1, 1)
    assert section.items[0].text == "total (test)"


def test_a_star_does_not_pass_the_default_on(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        {
            "a.ts": "export default 1\nexport const b = 2\n",
            "index.ts": "export * from './a'\n",
            "c.ts": "import d, { b } from './index'\n",
        },
    )
    world.build()
    assert world.users("a.ts") == {"c.ts": {"b": 1}}
    assert world.find("index.ts", DEFAULT) == []


def test_circles_of_barrels_end(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        {
            "a.ts": "export * from './b'\nexport const x = 1\n",
            "b.ts": "export * from './a'\n",
            "c.ts": "import { x, y } from './b'\n",
        },
    )
    world.build()
    assert world.find("b.ts", "x") == [("a.ts", 2, "export const x = 1")]
    assert world.find("b.ts", "y") == []
    assert world.users("a.ts") == {"c.ts": {"x": 1}}


def test_a_solution_file_leads_to_the_paths_of_its_projects(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        {
            "tsconfig.json": '{"files": [], "references": [{"path": "./tsconfig.app.json"}]}',
            "tsconfig.app.json": '{"compilerOptions": {"paths": {"~/*": ["./src/*"]}}}',
            "src/a.ts": "export const a = 1\n",
            "src/b.ts": "import { a } from '~/a'\n",
        },
    )
    world.build()
    assert world.target("src/b.ts", "~/a") == "src/a.ts"


def test_pnpm_names_its_packages_in_a_file_of_its_own(tmp_path: Path) -> None:
    world = World(
        tmp_path,
        {
            "pnpm-workspace.yaml": "packages:\n  - 'libs/**'\n",
            "libs/deep/one/package.json": '{"name": "one", "main": "dist/main.js"}',
            "libs/deep/one/src/main.ts": "export const a = 1\n",
            "app.ts": "import { a } from 'one'\n",
        },
    )
    world.build()
    assert world.users("libs/deep/one/src/main.ts") == {"app.ts": {"a": 1}}
