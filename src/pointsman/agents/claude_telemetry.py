"""What has Claude Code send its own telemetry to us: variables in ``env`` of its settings.

The names are those of OpenTelemetry's SDK. Measured with client 2.1.330: it heeds them in a user's
settings and not in a project's, and sends the value of a header as it stands, without undoing an
escape. All of them go in, or none: where somebody else has set one, it is theirs that counts.
"""

from collections.abc import Mapping
from typing import Any

from pointsman.agents import json_splice
from pointsman.agents.json_splice import New, Value

HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
POSTED_WITH = "x-pointsman-token"
"""A header of our own: its value has no space, which some clients escape and others do not."""
_FIXED = {
    "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
}
NAMES = (*_FIXED, ENDPOINT, HEADERS)


def values_of(url: str, token: str) -> dict[str, str]:
    """Return the variables that lead to an address, with a token that lets the client in."""
    return {**_FIXED, ENDPOINT: url, HEADERS: f"{POSTED_WITH}={token}"}


def is_ours(settings: Mapping[str, Any]) -> bool:
    """Whether parsed settings have the client send to us."""
    env = settings.get("env")
    said = env.get(HEADERS) if isinstance(env, Mapping) else None
    return isinstance(said, str) and said.startswith(f"{POSTED_WITH}=") and "," not in said


def others_in(settings: Mapping[str, Any]) -> list[str]:
    """Return the variables among ours that somebody else has set."""
    env = settings.get("env")
    if is_ours(settings) or not isinstance(env, Mapping):
        return []
    return [name for name in NAMES if name in env and env[name] != _FIXED.get(name)]


def put(text: str, values: Mapping[str, str]) -> str:
    """Return the settings with these variables, unless somebody else's stand there."""
    root = json_splice.parse(text)
    if others_in(root.data):
        return text
    env = root.member("env")
    style = json_splice.style_of(text, root)
    if env is None:
        new = New("env", dict(values), opened=1)
        return json_splice.apply(
            text, [json_splice.insertion(text, root, [new], style, outermost=True)]
        )
    if not isinstance(env.value.data, dict):
        return text  # The client ignores such a file as a whole, which `findings` says.
    edits = [
        json_splice.replacement(text, member.value, values[str(member.key)], style)
        for member in env.value.elements
        if member.key in values and member.value.data != values[str(member.key)]
    ]
    missing = [New(name, value) for name, value in values.items() if not env.value.member(name)]
    if missing:
        edits.append(json_splice.insertion(text, env.value, missing, style))
    return json_splice.apply(text, edits)


def take(text: str) -> str:
    """Return the settings without our variables, and without an ``env`` that we opened for them."""
    root = json_splice.parse(text)
    env = root.member("env")
    if env is None or not isinstance(env.value.data, dict) or not is_ours(root.data):
        return text
    doomed = frozenset(n for n, one in enumerate(env.value.elements) if one.key in NAMES)
    if len(doomed) == len(env.value.elements) and not json_splice.hugs(text, env.value):
        return _without(text, root, root.elements.index(env))
    return json_splice.apply(text, json_splice.removal(text, env.value, doomed))


def _without(text: str, root: Value, place: int) -> str:
    edits = json_splice.removal(text, root, frozenset({place}), outermost=True)
    return json_splice.apply(text, edits)
