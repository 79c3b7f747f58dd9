"""What is read of Python, and where its modules are found."""

from pathlib import Path

import pytest

from code_room.world import World
from pointsman.code.facts import ALL, WHOLE
from pointsman.code.languages import read
from pointsman.model.bundle import Kind

IMPORTS = {
    "import a": ("a", WHOLE, "a", True),
    "import a.b as c": ("a.b", WHOLE, "c", True),
    "from a import b as c": ("a", "b", "c", True),
    "from . import x": (".", "x", "x", True),
    "from ..a import *": ("..a", ALL, "", True),
    "def f():\n    from a import b": ("a", "b", "b", False),
    "if TYPE_CHECKING:\n    from a import b": ("a", "b", "b", True),
    "try:\n    import a\nexcept ImportError:\n    pass": ("a", WHOLE, "a", True),
}


@pytest.mark.parametrize("text", IMPORTS, ids=range(len(IMPORTS)))
def test_every_way_to_import(text: str) -> None:
    (found,) = read("x.py", text.encode()).imports
    assert (found.module, found.name, found.local, found.top) == IMPORTS[text]


def test_what_is_asked_of_a_module_is_known_but_not_from_comments_and_strings() -> None:
    text = "import a.b\nimport c\n# c.no\nx = 'c.no'\na.b.Yes(c.two)\nd.c.not_it\nf'{c.three}'\n"
    used = {one.local: dict(one.used) for one in read("x.py", text.encode()).imports}
    assert used == {"a.b": {"Yes": 5}, "c": {"two": 5, "three": 7}}


def test_declarations_have_no_bodies() -> None:
    text = '''
LIMIT: int = 3
a, b = 1, 2

@decorated
def make(name: str, *, size: int = 1) -> "Thing":  # a comment
    """Doc."""
    return Thing()

class Thing(Base, metaclass=Meta):
    kind = "thing"
    _hidden = 1
    def __init__(self, name): ...
    @property
    def size(self) -> int: return 1
    def _private(self): ...
if True:
    def late(): ...
'''
    told = {one.name: (one.text, one.members) for one in read("x.py", text.encode()).declarations}
    assert told == {
        "LIMIT": ("LIMIT: int = 3", ()),
        "a": ("a, b = 1, 2", ()),
        "b": ("a, b = 1, 2", ()),
        "make": ('def make(name: str, *, size: int = 1) -> "Thing":', ()),
        "Thing": (
            "class Thing(Base, metaclass=Meta):",
            ('kind = "thing"', "def __init__(self, name):", "@property def size(self) -> int:"),
        ),
        "late": ("def late():", ()),
    }


def test_all_says_what_is_offered() -> None:
    exports = read("x.py", b"__all__ = ['a']\ndef a(): ...\ndef b(): ...\n").exports
    assert {one.name: one.hidden for one in exports} == {"__all__": True, "a": False, "b": True}
    exports = read("x.py", b"def a(): ...\ndef _b(): ...\n").exports
    assert {one.name: one.hidden for one in exports} == {"a": False, "_b": True}


def test_no_secret_is_kept() -> None:
    secret = "".join(["gh", "p_", "016C7mGJyzXHDkRWZfXzBKVVVYcmRk0abcde"])
    text = f"KEY = '{secret}'\npassword = \"correcthorse\"\ndef f(a='{secret}'): ...\n"
    told = repr(read("x.py", text.encode()))
    assert secret not in told
    assert "correcthorse" not in told


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(
        tmp_path,
        {
            "pyproject.toml": "",
            "src/shop/__init__.py": "from .money import Money as Cash\nfrom .stars import *\n",
            "src/shop/money.py": "class Money:\n    amount: int\n\ndef add(x): ...\n",
            "src/shop/stars.py": "def star(): ...\ndef _dust(): ...\n",
            "src/shop/sub/__init__.py": "",
            "src/shop/sub/deep.py": "from ..money import add\nfrom .. import money\nmoney.Money\n",
            "space/inner/thing.py": "def thing(): ...\n",
            "libs/other/pyproject.toml": "",
            "libs/other/src/other/__init__.py": "VALUE = 1\n",
            "app.py": "from shop import Cash, star\nimport shop.money\nimport space.inner.thing\n"
            "from shop.sub import deep\nfrom other import VALUE\n"
            "shop.money.add(1)\nspace.inner.thing.thing()\ndeep.money\n",
            "tests/test_app.py": "from app import *\nCash\nshop\n",
            "tests/helper.py": "def help_me(): ...\n",
            "tests/test_more.py": "from helper import help_me\n",
        },
    )
    made.build()
    return made


def test_modules_are_found_in_packages_namespaces_and_src_layouts(world: World) -> None:
    wanted = {
        "shop": "src/shop/__init__.py",
        "shop.money": "src/shop/money.py",
        "space.inner": "space/inner/",
        "space.inner.thing": "space/inner/thing.py",
        "other": "libs/other/src/other/__init__.py",
        "os": None,
        "shop.nothing": None,
    }
    assert {module: world.target("app.py", module) for module in wanted} == wanted
    assert world.target("src/shop/sub/deep.py", "..money") == "src/shop/money.py"
    assert world.target("src/shop/sub/deep.py", "..") == "src/shop/__init__.py"
    assert world.target("tests/test_more.py", "helper") == "tests/helper.py"
    assert world.target("app.py", ".....x") is None


def test_names_are_followed_through_packages(world: World) -> None:
    assert set(world.told("app.py", Kind.DECLARATIONS)) == {
        ("Money", "src/shop/money.py", 1),
        ("star", "src/shop/stars.py", 1),
        ("add", "src/shop/money.py", 4),
        ("thing", "space/inner/thing.py", 1),
        ("VALUE", "libs/other/src/other/__init__.py", 1),
    }
    assert ("Money", "src/shop/money.py", 1) in world.told(
        "src/shop/sub/deep.py", Kind.DECLARATIONS
    )


def test_dependents_are_found_through_packages_stars_and_attributes(world: World) -> None:
    assert world.users("src/shop/money.py") == {
        "src/shop/__init__.py": {"Money": 1},
        "src/shop/sub/deep.py": {"add": 1, "Money": 3},
        "app.py": {"Money": 1, "add": 6},
        "tests/test_app.py": {"Money": 1},
    }
    assert world.users("src/shop/stars.py") == {"app.py": {"star": 1}}
    assert world.users("space/inner/thing.py") == {"app.py": {"thing": 7}}
    assert world.users("tests/helper.py") == {"tests/test_more.py": {"help_me": 1}}


def test_what_a_module_imports_is_no_offer_of_it(world: World) -> None:
    told = world.told("src/shop/sub/deep.py", Kind.EXPORTS)
    assert ("star", "src/shop/stars.py", 1) in told
    assert "_dust" not in {name for name, _, _ in told}
