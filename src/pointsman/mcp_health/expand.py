"""Variables in declarations, in the words of each host."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

CLAUDE = "claude"
"""``${VAR}`` and ``${VAR:-default}``."""
GEMINI = "gemini"
"""``$VAR`` and ``${VAR}``."""
EDITOR = "editor"
"""``${env:VAR}``, ``${workspaceFolder}``, ``${userHome}``; ``${input:…}`` is known to it alone."""
BRACES = "braces"
"""``{env:VAR}``."""
PLAIN = ""
"""None: the text is as it stands."""

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_FORMS: Mapping[str, re.Pattern[str]] = {
    CLAUDE: re.compile(rf"\$\{{(?P<name>{_NAME})(?::-(?P<default>[^}}]*))?\}}"),
    GEMINI: re.compile(rf"\$(?:\{{(?P<name>{_NAME})\}}|(?P<bare>{_NAME}))"),
    EDITOR: re.compile(r"\$\{(?P<name>[^}]{1,200})\}"),
    BRACES: re.compile(rf"\{{env:(?P<name>{_NAME})\}}"),
}


@dataclass(slots=True)
class Expander:
    """Expands the texts of one declaration; ``unset`` names what has no value here."""

    style: str
    environ: Mapping[str, str]
    places: Mapping[str, str] = field(default_factory=dict)
    unset: dict[str, None] = field(default_factory=dict)
    named: dict[str, None] = field(default_factory=dict)
    """Every variable that it names, with a value or without."""

    def text(self, value: str) -> str:
        """Return a text with its variables in place; one without a value stays as it is."""
        form = _FORMS.get(self.style)
        return form.sub(self._value, value) if form else value

    def _value(self, found: re.Match[str]) -> str:
        groups = found.groupdict()
        name = groups["name"] or groups.get("bare") or ""
        self.named[name] = None
        value = _OF.get(self.style, _of_environ)(self, name)
        if value is None or (value == "" and groups.get("default") is not None):
            value = groups.get("default")
        if value is None:
            self.unset[name] = None
            return found[0]
        return value


def _of_environ(expander: Expander, name: str) -> str | None:
    return expander.environ.get(name)


def _of_editor(expander: Expander, name: str) -> str | None:
    kind, colon, rest = name.partition(":")
    if colon and kind == "env":
        return expander.environ.get(rest)
    return expander.places.get(name)


_OF: Mapping[str, Callable[[Expander, str], str | None]] = {EDITOR: _of_editor}
