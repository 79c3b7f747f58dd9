"""What tools leave behind wherever they run, so that tests and compilers work as without us."""

_LEFT = frozenset(
    {".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".nyc_output", ".coverage",
     ".eslintcache", ".stylelintcache"}
)  # fmt: skip
"""Data that tools write for themselves and never run: left where it is."""

_CODE = frozenset({"__pycache__", ".cache", ".vite", ".parcel-cache", ".turbo"})
"""Caches of compiled code: whoever writes there has it run by the next one who runs a test. Put
back without a word, which costs a tool some time and never its result."""


def is_left(path: str) -> bool:
    """Whether a path is a tool's own data."""
    return not _LEFT.isdisjoint(path.split("/"))


def is_code(path: str) -> bool:
    """Whether a path is in a cache that may run as code."""
    return not _CODE.isdisjoint(path.split("/"))
