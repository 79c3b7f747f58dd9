"""The names that one model goes by: bare, with a window, at Bedrock, at Vertex."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

ALIASES: Mapping[str, str] = {
    "default": "claude-opus-5-5",
    "best": "claude-opus-5-5",
    "opus": "claude-opus-5-5",
    "opusplan": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
}
"""What the bare names of client 2.1.330 stand for; the user's own file may say otherwise."""

_WINDOW = re.compile(r"\[\w{1,8}\]$")
_BEDROCK = re.compile(
    r"(?:arn:aws[\w-]*:bedrock:[^/]*/)?((?:[a-z-]{2,12}\.)?anthropic\.(claude-.+))"
)
_BEDROCK_VERSION = re.compile(r"(?:-\d{8})?-v\d+(?::\d+)?(?::\w+)?$")
_VERTEX = re.compile(r"(claude-[\w.-]+)@[\w-]+")
_OLD_VERSION = re.compile(r"-v\d+$")


@dataclass(frozen=True, slots=True)
class Sold:
    """A model as somebody sells it; ``base`` is what its maker calls it."""

    provider: str
    model: str
    base: str


def sold(model: str, aliases: Mapping[str, str] = ALIASES) -> Sold:
    """Return who sells the model that a host names, and as what."""
    name = _WINDOW.sub("", model.strip())
    name = aliases.get(name, name)
    if found := _BEDROCK.fullmatch(name):
        return Sold("aws", found[1], _BEDROCK_VERSION.sub("", found[2]))
    if found := _VERTEX.fullmatch(name):
        return Sold("google", name, _OLD_VERSION.sub("", found[1]))
    return Sold("anthropic", name, name)
