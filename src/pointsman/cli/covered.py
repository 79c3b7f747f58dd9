"""What is printed of events: with every secret covered, also those that older records hold."""

import json
from functools import lru_cache

import click

from pointsman.cli.places import places
from pointsman.secrets.redact import Redactor


@lru_cache(maxsize=1)
def _redactor() -> Redactor:
    return Redactor.of(places().state)


def covered(text: str) -> str:
    """Return a text with its secrets covered."""
    return _redactor().text(text)


def secret_in(text: str) -> str:
    """Return the kind of the first secret in a text that has a form of its own, or nothing."""
    found = _redactor().find(text)
    return next((each.kind for each in found if each.sure and not each.placeholder), "")


def echo_json(value: object, indent: int | None = None) -> None:
    """Print a value as JSON with its secrets covered."""
    click.echo(_redactor().json(json.dumps(value, indent=indent).encode()).decode())
