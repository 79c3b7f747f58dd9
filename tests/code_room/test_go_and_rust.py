"""What is read of Go and Rust, and where their packages and modules are found."""

from pathlib import Path

import pytest

from code_room.world import World
from pointsman.code.languages import read
from pointsman.model.bundle import Kind


@pytest.fixture
def go(tmp_path: Path) -> World:
    made = World(
        tmp_path,
        {
            "go.mod": "module example.com/shop\n\ngo 1.22\n",
            "money/money.go": 'package money\n\nimport "fmt"\n\n// Money is money.\n'
            "type Money struct {\n\tAmount int\n}\n\ntype Adder interface{ Add(a int) int }\n\n"
            "func (m *Money) Add(a int) int { return helper(a) }\n\n"
            "func New() *Money { fmt.Println(); return nil }\n\nconst (\n\tOne = 1\n\tTwo = 2\n)\n",
            "money/helper.go": "package money\n\nfunc helper(a int) int { return a + One }\n",
            "main.go": 'package main\n\nimport m "example.com/shop/money"\n\n'
            "func main() { m.New().Add(m.Two) }\n",
            "money/money_test.go": "package money\n\nfunc TestNew() { New() }\n",
        },
    )
    made.build()
    return made


def test_go_declarations_have_their_methods() -> None:
    text = "package a\ntype M struct {\n\tA int\n}\nfunc (m *M) Add(x int) int { return 1 }\n"
    (found,) = read("a.go", text.encode()).declarations
    assert (found.text, found.members) == (
        "type M struct", ("A int", "func (m *M) Add(x int) int")
    )  # fmt: skip


def test_go_packages_are_directories(go: World) -> None:
    assert go.target("main.go", "example.com/shop/money") == "money/"
    assert go.target("main.go", "fmt") is None
    assert set(go.told("main.go", Kind.DECLARATIONS)) == {
        ("New", "money/money.go", 14),
        ("Two", "money/money.go", 18),
    }
    assert go.users("money/money.go") == {
        "main.go": {"New": 5, "Two": 5},
        "money/helper.go": {"One": 1},
        "money/money_test.go": {"New": 1},
    }
    assert go.users("money/helper.go") == {"money/money.go": {"helper": 1}}


def test_what_an_edit_names_of_its_own_package_is_told(go: World) -> None:
    told = go.told("money/money.go", Kind.DECLARATIONS, "return helper(a)")
    assert told == [("helper", "money/helper.go", 3)]


@pytest.fixture
def rust(tmp_path: Path) -> World:
    made = World(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["core", "app"]\n',
            "core/Cargo.toml": '[package]\nname = "shop-core"\nversion = "0.1.0"\n',
            "core/src/lib.rs": "pub mod money;\nmod deep;\npub use money::Money;\n",
            "core/src/money.rs": "use super::deep::inner::helper;\n"
            "pub struct Money<'a> { pub amount: &'a str }\n"
            "impl<'a> Money<'a> { pub fn add(&self) -> i64 { helper() } fn hidden(&self) {} }\n",
            "core/src/deep/mod.rs": "pub mod inner;\n",
            "core/src/deep/inner.rs": "pub fn helper() -> i64 { crate::money::parse() }\n",
            "app/Cargo.toml": '[package]\nname = "app"\n',
            "app/src/main.rs": "use shop_core::{Money as Cash, money::*};\n"
            "fn main() { let m: Cash; }\n",
        },
    )
    made.build()
    return made


def test_rust_modules_are_found(rust: World) -> None:
    assert rust.target("core/src/money.rs", "super::deep::inner") == "core/src/deep/inner.rs"
    assert rust.target("core/src/deep/inner.rs", "crate::money") == "core/src/money.rs"
    assert rust.target("app/src/main.rs", "shop_core") == "core/src/lib.rs"
    assert rust.target("app/src/main.rs", "std::io") is None
    assert rust.told("app/src/main.rs", Kind.DECLARATIONS) == [("Money", "core/src/money.rs", 2)]
    assert rust.users("core/src/deep/inner.rs") == {"core/src/money.rs": {"helper": 1}}
    assert rust.users("core/src/money.rs") == {
        "core/src/lib.rs": {"Money": 3},
        "app/src/main.rs": {"Money": 1},
    }


def test_rust_declarations_have_their_public_methods(rust: World) -> None:
    section = rust.section("app/src/main.rs", Kind.DECLARATIONS)
    assert section is not None
    assert section.items[0].text == "pub struct Money<'a>"
    assert section.items[0].more == ("pub amount: &'a str", "pub fn add(&self) -> i64")
