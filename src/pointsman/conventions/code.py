"""A program's text without its comments and strings, character for character.

No parser: one pass that knows how comments and strings begin and end. Lines and columns stay what
they are, so that what is found can be cited.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_SLASHES = (
    ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".java", ".go", ".rs", ".c", ".h",
    ".cc", ".cpp", ".hpp", ".cxx", ".cs", ".kt", ".kts", ".swift", ".scala", ".dart", ".php",
    ".css", ".scss", ".less", ".vue", ".svelte",
)  # fmt: skip
_HASHES = (".py", ".pyi", ".rb", ".sh", ".bash", ".zsh", ".pl", ".ex", ".exs", ".r", ".jl", ".nim")
_DASHES = (".sql", ".lua", ".hs", ".elm")

_STRING = r""""(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?"""
_FORMS: Mapping[tuple[str, ...], str] = {
    _SLASHES: rf"//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|`(?:[^`\\]|\\.)*`?|{_STRING}",
    _HASHES: rf'#[^\n]*|"""(?:[^"\\]|\\.|"(?!""))*(?:""")?|'
             rf"'''(?:[^'\\]|\\.|'(?!''))*(?:''')?|{_STRING}",
    _DASHES: rf"--[^\n]*|{_STRING}",
}  # fmt: skip
"""By suffix, what a comment or a string is. Every alternative takes what it has begun to the end,
so that no character is looked at twice."""
SUFFIXES = frozenset(suffix for suffixes in _FORMS for suffix in suffixes)
"""The files whose text can be told from their comments."""
_TEMPLATE = re.compile(r"[^\n]")


@lru_cache(maxsize=16)
def _form(suffix: str) -> re.Pattern[str] | None:
    for suffixes, pattern in _FORMS.items():
        if suffix in suffixes:
            return re.compile(pattern, re.DOTALL)
    return None


def code_of(text: str, suffix: str) -> str | None:
    """Return a text with comments and strings blanked; ``None`` for a file that is no program."""
    form = _form(suffix.lower())
    if form is None:
        return None
    return form.sub(lambda found: _TEMPLATE.sub(" ", found[0]), text)
