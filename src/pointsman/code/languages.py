"""The languages we read: one file that reads each, and one line here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from pointsman.code.facts import Facts

MOST_BYTES = 1024 * 1024
"""Bytes of a file that is read; what is larger was made by a program."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language: its name, the files it is written in, and the module that reads them."""

    name: str
    suffixes: tuple[str, ...]
    reader: str


LANGUAGES = (
    Spoken("typescript", (".ts", ".tsx", ".mts", ".cts"), "read_typescript"),
    Spoken("javascript", (".js", ".jsx", ".mjs", ".cjs"), "read_typescript"),
    Spoken("python", (".py", ".pyi"), "read_python"),
    Spoken("go", (".go",), "read_go"),
    Spoken("rust", (".rs",), "read_rust"),
)
BY_SUFFIX = {suffix: each for each in LANGUAGES for suffix in each.suffixes}


def suffix_of(path: str) -> str:
    """Return the suffix by which a language is known, in small letters."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def language_of(path: str) -> str:
    """Return the language of a file by its name, or the empty string."""
    spoken = BY_SUFFIX.get(suffix_of(path))
    return spoken.name if spoken else ""


def read(path: str, data: bytes) -> Facts:
    """Return what a file in one of these languages says; too much of it says nothing."""
    suffix = suffix_of(path)
    if suffix not in BY_SUFFIX or len(data) > MOST_BYTES:
        return Facts(language_of(path))
    return _reader(BY_SUFFIX[suffix].reader)(data, suffix)


@cache
def _reader(module: str) -> Callable[[bytes, str], Facts]:
    # A grammar is loaded with the first file that is written in it.
    found: Callable[[bytes, str], Facts] = import_module(f"pointsman.code.{module}").read
    return found
