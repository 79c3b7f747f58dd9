"""What a prompt gives by name: ``key: value``, in the forms in which people and models write it."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from pointsman.model.contract import VALUES

_MOST_SHOWN = 60
_NUMBER = re.compile(r"[-+]?\d[\d_]*(?:\.\d+)?(?![\w.])")
_INTEGER = re.compile(r"#?[-+]?\d[\d_]*(?![\w.])")
_BOOLEAN = re.compile(r"(?:true|false|yes|no|on|off)(?!\w)", re.IGNORECASE)
_LOOKS: dict[str, Callable[[str], object]] = {
    "string": bool,
    "number": _NUMBER.match,
    "integer": _INTEGER.match,
    "boolean": _BOOLEAN.match,
}
assert _LOOKS.keys() == set(VALUES)  # noqa: S101 - a kind without a look would pass everything


def given(prompt: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the rest of each line that gives a value to one of these names, in order.

    The name stands in front of ``:``, ``=`` or ``->``, or as a tag; in any case, with dashes,
    underscores or spaces in it, in quotes or set off.
    """
    for found in _label(tuple(dict.fromkeys(names))).finditer(prompt):
        value = found[1].strip().strip("\"'`*_, \t").rstrip("}")
        if value:
            yield value


def value_fault(prompt: str, key: str, kind: str) -> str:
    """Return why a prompt gives no value of this kind by this name, or the empty string."""
    values = list(given(prompt, (key,)))
    if not values:
        return f"the prompt does not give it; write {key}: {_EXAMPLES[kind]} on a line of its own"
    if any(_LOOKS[kind](value) for value in values):
        return ""
    return f"{values[0][:_MOST_SHOWN]!r} is no {kind}; write {key}: {_EXAMPLES[kind]}"


_EXAMPLES = {"string": "some text", "number": "1.5", "integer": "12", "boolean": "true"}


@lru_cache(maxsize=256)
def _label(names: tuple[str, ...]) -> re.Pattern[str]:
    parts = (re.split(r"[-_ ]+", name.strip("-_ ")) for name in names)
    words = "|".join("[-_ ]?".join(map(re.escape, each)) for each in parts)
    # The value may stand on the next line, where that is indented: a line of its own is another's.
    return re.compile(
        rf"(?<![\w-])(?:{words})(?![\w-])[\"'`*_]{{0,4}}[ \t]{{0,4}}(?:[:=|]|->|>)[*_]{{0,2}}"
        r"[ \t]*(?:\n[ \t]+)?([^\n<|]*)",
        re.IGNORECASE,
    )
