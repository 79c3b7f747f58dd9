"""The kinds of values that a setting may have: what checks one, and its JSON Schema."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Path = tuple[str | int, ...]
Report = Callable[[Path, Any, str, str], None]
"""Takes a finding: where, the value, what is wrong, what would be right."""


class Spec(Protocol):
    """What a value must be."""

    @property
    def doc(self) -> str:
        """What it means, in a sentence."""

    def check(self, value: Any, at: Path, report: Report) -> None:
        """Report everything that is wrong with a value."""

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds; the lower one is exclusive where it is zero."""

    doc: str
    low: float
    high: float | None = None
    whole: bool = False

    def check(self, value: Any, at: Path, report: Report) -> None:
        """Report a value of another type or out of bounds."""
        # To Python True is an int, and nan is neither below a bound nor above it.
        kinds = (int,) if self.whole else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool):
            report(
                at, value, "it is no " + ("whole number" if self.whole else "number"), self._fix()
            )
        elif not (value >= self.low) or self._too_high(value) or self._zero(value):
            report(at, value, "it is out of bounds", self._fix())

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        low = {"minimum": self.low} if self.low else {"exclusiveMinimum": 0}
        high = {} if self.high is None else {"maximum": self.high}
        kind = "integer" if self.whole else "number"
        return {"type": kind, "description": self.doc, **low, **high}

    def _zero(self, value: float) -> bool:
        return value == 0 and not self.low

    def _too_high(self, value: float) -> bool:
        return self.high is not None and value > self.high

    def _fix(self) -> str:
        low = f"at least {self.low:g}" if self.low else "more than 0"
        return f"write a number of {low}" + (f", at most {self.high:g}" if self.high else "")


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    doc: str

    def check(self, value: Any, at: Path, report: Report) -> None:
        """Report anything else."""
        if not isinstance(value, bool):
            report(at, value, "it is neither true nor false", "write true or false")

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"type": "boolean", "description": self.doc}


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is not empty; one of ``choices`` where there are any.

    ``fault`` returns what else is wrong with a text, or the empty string.
    """

    doc: str
    choices: tuple[str, ...] = ()
    fault: Callable[[str], str] = lambda _text: ""
    fix: str = ""

    def check(self, value: Any, at: Path, report: Report) -> None:
        """Report anything else."""
        if not isinstance(value, str) or not value:
            report(at, value, "it is no text", 'write a text in quotes, such as "x"')
        elif self.choices and value not in self.choices:
            report(at, value, "it is not known", f"write {nearest(value, self.choices)}")
        elif fault := self.fault(value):
            report(at, value, fault, self.fix)

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        limits: dict[str, Any] = {"enum": list(self.choices)} if self.choices else {"minLength": 1}
        return {"type": "string", "description": self.doc, **limits}


@dataclass(frozen=True, slots=True)
class Many:
    """A list in which every item is of one kind; no two may have the same ``unique`` key."""

    doc: str
    item: Spec
    fewest: int = 0
    unique: str = ""

    def check(self, value: Any, at: Path, report: Report) -> None:
        """Report what is no list, and every item that is wrong."""
        if not isinstance(value, list):
            report(at, value, "it is no list", "write a list in brackets")
            return
        if len(value) < self.fewest:
            report(at, value, "it is empty", f"write at least {self.fewest} item")
        for index, item in enumerate(value):
            self.item.check(item, (*at, index), report)
        self._check_unique(value, at, report)

    def _check_unique(self, value: list[Any], at: Path, report: Report) -> None:
        seen: set[str] = set()
        for index, item in enumerate(value):
            name = item.get(self.unique) if self.unique and isinstance(item, Mapping) else None
            if not isinstance(name, str):
                continue
            if name in seen:
                where = (*at, index, self.unique)
                report(where, name, "another one has the same", "give each a name of its own")
            seen.add(name)

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {
            "type": "array",
            "description": self.doc,
            "items": self.item.schema(),
            "minItems": self.fewest,
        }


@dataclass(frozen=True, slots=True)
class Table:
    """A table of known keys; with ``others`` further keys are taken, each of that kind."""

    doc: str
    keys: Mapping[str, Spec] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    others: Spec | None = None

    def check(self, value: Any, at: Path, report: Report) -> None:
        """Report what is no table, unknown and missing keys, and every value that is wrong."""
        if not isinstance(value, Mapping):
            name = ".".join(str(part) for part in at)
            report(at, value, "it is no table", f"write it as [{name}]")
            return
        for key, item in value.items():
            spec = self.keys.get(key, self.others)
            if spec is None:
                fix = f"write {nearest(key, tuple(self.keys))}"
                report((*at, key), item, "there is no such setting", fix)
            else:
                spec.check(item, (*at, key), report)
        for key in self.needed:
            if key not in value:
                report((*at, key), None, "it is missing", f"add {key} = …: {self.keys[key].doc}")

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {
            "type": "object",
            "description": self.doc,
            "properties": {key: spec.schema() for key, spec in self.keys.items()},
            "required": list(self.needed),
            "additionalProperties": self.others.schema() if self.others else False,
        }


@dataclass(frozen=True, slots=True)
class Anything:
    """Whatever a hook of the user's wants to be told."""

    doc: str

    def check(self, value: Any, at: Path, report: Report) -> None:
        """Report nothing."""

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        return {"description": self.doc}


def nearest(given: str, known: tuple[str, ...]) -> str:
    """Return what of the known was probably meant, or all of it."""
    close = difflib.get_close_matches(given, known, n=1)
    return repr(close[0]) if close else "one of " + ", ".join(known)
