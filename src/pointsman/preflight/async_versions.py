"""Which version of a package a project asks for, by its lock or its requirements."""

import re
from enum import StrEnum

from pointsman.model.preflight import Files

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
_ASKING = re.compile(
    r"(?:.*/)?(?:pyproject\.toml|setup\.cfg|setup\.py|requirements[^/]*\.(?:txt|in))\Z"
)
_NUMBER = re.compile(r"\d+")


class Since(StrEnum):
    """Whether a project's version of a package is at least the one asked about."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def at_least(files: Files, package: str, version: str) -> tuple[Since, str]:
    """Return whether a package is ``version`` or later, and what the project says of it."""
    name = re.sub(r"[-_.]", "[-_.]", package)
    locked = re.compile(rf'name = "{name}"\r?\nversion = "([^"]+)"', re.IGNORECASE)
    for file in files.names:
        if file.rpartition("/")[2] in _LOCKS:
            found = locked.search(files.read(file).decode("utf-8", "replace"))
            if found:
                return _compared("==", found[1], version), f"{found[1]} in {file}"
    asked = re.compile(
        rf"(?<![\w.-]){name}(?:\[[^\]]*\])?[\"' ]*(==|~=|>=|\^|<=|<|>)[ =\"']*(\d[\w.]*)",
        re.IGNORECASE,
    )
    for file in files.names:
        if _ASKING.match(file):
            found = asked.search(files.read(file).decode("utf-8", "replace"))
            if found:
                return _compared(found[1], found[2], version), f"{found[1]}{found[2]} in {file}"
    return Since.UNKNOWN, "no version is named"


def _compared(sign: str, has: str, wanted: str) -> Since:
    left, right = _numbers(has), _numbers(wanted)
    if sign in {"==", "~=", "^"}:
        exact = left >= right or (sign != "==" and left[0] > right[0])
        # ~=0.7 may be 0.9: only where the whole series is older is the answer no.
        open_ended = sign != "==" and left[0] == right[0] and not exact
        return Since.YES if exact else Since.UNKNOWN if open_ended else Since.NO
    if sign in {">=", ">"}:
        return Since.YES if left >= right else Since.UNKNOWN
    return Since.NO if left <= right else Since.UNKNOWN


def _numbers(version: str) -> tuple[int, ...]:
    found = [int(each) for each in _NUMBER.findall(version)[:3]]
    return tuple((*found, 0, 0, 0)[:3])
