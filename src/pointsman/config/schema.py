"""Every setting there is, once: what checks a file, the JSON Schema and the reference read this."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pointsman.model.budget import DEFAULT_BUDGETS, LONGEST, OTHER_EVENTS
from pointsman.model.events import DERIVED_EVENTS, HOST_EVENTS
from pointsman.model.hook import Role
from pointsman.paths.globs import check

Path = tuple[str | int, ...]
Report = Callable[[Path, Any, str, str], None]
"""Takes a finding: where, the value, what is wrong, what would be right."""

EVENT_NAMES = (*HOST_EVENTS, *DERIVED_EVENTS)
SHIPPED_NAMES = ("canary", "scope", "command-safety", "self-protection")
# Written out, as config may not import hooks (.importlinter); a test holds the two together.
RULE_NAMES = (
    "rm-tree", "rm-system-file", "write-system-file", "shred", "chmod-tree", "move-system",
    "git-store", "disk-write", "disk-format", "download-and-run", "download-and-eval",
    "fork-bomb", "reverse-shell", "git-reset-hard", "git-discard", "git-clean", "git-push-force",
    "git-branch-delete", "git-tag-delete", "git-rm-force", "git-stash-drop", "git-history",
    "git-rewrite", "secret-read", "secret-environment", "raw-socket", "power", "kill-all",
    "download-then-run", "unverified",
)  # fmt: skip
"""The rules of command-safety: a name that is mistyped must not pass for a rule that is tuned."""


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
            report(at, value, "it is not known", f"write {_nearest(value, self.choices)}")
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
                fix = f"write {_nearest(key, tuple(self.keys))}"
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


def _name_fault(name: str) -> str:
    if name in SHIPPED_NAMES:
        return "it is the name of a guard that is shipped"
    if name.startswith("repo:"):
        return "names that begin with repo: are those of a repository's hooks"
    return "" if name.isprintable() and len(name) <= 100 else "it is no short printable text"


def _tool_fault(pattern: str) -> str:
    fixed = pattern.partition("*")[0].partition("?")[0].partition("[")[0]
    stem = "mcp__"
    # A wildcard may stand for a part of the stem; what is written out has to begin with it.
    meets = fixed.startswith(stem) or (fixed != pattern and stem.startswith(fixed))
    return "" if meets else "it matches the name of no MCP tool"


def _nearest(given: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(given, known, n=1)
    return repr(close[0]) if close else "one of " + ", ".join(known)


_ENABLED = Flag("Whether the guard is asked. Only the user's file may turn one off. Default: true.")
_RULE = Text("deny, ask or off.", ("deny", "ask", "off"))
_EVENT = Text("The name of an event, or * for all.", (*EVENT_NAMES, "*"))

HOOK = Table(
    "A hook of your own: an executable that reads the event as JSON on stdin.",
    {
        "name": Text("What the record calls it.", fault=_name_fault, fix="choose another name"),
        "role": Text("guard, enricher or observer.", tuple(role.value for role in Role)),
        "events": Many("The events it is asked about.", _EVENT, fewest=1),
        "tools": Many("Patterns of tool names (* and ?). Default: all.", Text("A pattern.")),
        "command": Many("The program and its arguments; no shell.", Text("A word."), fewest=1),
        "budget": Number("Seconds one run may take. Default: the event's.", 0, LONGEST),
        "settings": Table("What the hook itself wants to be told.", others=Anything("Any value.")),
    },
    needed=("name", "role", "events", "command"),
)

SETTINGS = Table(
    "Settings of Pointsman.",
    {
        "budgets": Table(
            "Seconds that one hook run may take, by event. Defaults: "
            + ", ".join(f"{name} {seconds:g}" for name, seconds in DEFAULT_BUDGETS.items())
            + f", every other event {OTHER_EVENTS:g}.",
            {name: Number(f"Seconds for a hook on {name}.", 0, LONGEST) for name in EVENT_NAMES},
        ),
        "guards": Table(
            "The guards that are shipped.",
            {
                "scope": Table("Holds edits to the agent's contract.", {"enabled": _ENABLED}),
                "command-safety": Table(
                    "Stops destructive shell commands.",
                    {
                        "enabled": _ENABLED,
                        "rules": Table(
                            "What becomes of a rule, by its id. Default: as the rule says.",
                            dict.fromkeys(RULE_NAMES, _RULE),
                        ),
                    },
                ),
                "self-protection": Table(
                    "Keeps settings, contracts and the record out of an agent's reach.",
                    {
                        "enabled": _ENABLED,
                        "paths": Many(
                            "Globs of further files to keep.",
                            Text("A glob.", fault=check, fix="mend the glob"),
                        ),
                    },
                ),
            },
        ),
        "mcp_writers": Many(
            "MCP tools that change files.",
            Table(
                "One tool, or a pattern of tools.",
                {
                    "tool": Text(
                        "The tool's name (mcp__server__tool), or a pattern.",
                        fault=_tool_fault,
                        fix="write mcp__server__tool",
                    ),
                    "paths": Many("The inputs that hold paths.", Text("A key."), fewest=1),
                },
                needed=("tool", "paths"),
            ),
        ),
        "hooks": Many("Hooks of your own that are executables.", HOOK, unique="name"),
        "escalation": Table(
            "When something that went wrong becomes an ErrorEscalation.",
            {
                "denial_burst": Number("So many denials … Default: 5.", 2, 10_000, whole=True),
                "window": Number("… within so many seconds. Default: 60.", 0, 86_400),
                "repeat_after": Number(
                    "Seconds before the same cause is raised again. Default: 300.", 0, 86_400
                ),
            },
        ),
        "ledger": Table(
            "The audit trail.",
            {
                "retention_days": Number(
                    "Days for which events are kept. Default: 90.", 1, 36_500, whole=True
                )
            },
        ),
    },
)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a settings file, as published in docs/config.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pointsman settings",
        **SETTINGS.schema(),
    }
